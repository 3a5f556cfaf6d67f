import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['artifacts/', '.venv/', 'node_modules/'] },
  js.configs.recommended,
  {
    languageOptions: { globals: { ...globals.node } },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
      'max-lines': ['error', 400],
      'max-params': ['error', 5],
    },
  },
  { files: ['run.mjs', 'bench-*.mjs'], rules: { 'no-console': 'off' } },
  // Functions in these files run inside pages.
  { files: ['harness/*.mjs', 'tests/*.mjs', 'page/*.mjs', 'bench-join.mjs'], languageOptions: { globals: { ...globals.browser } } },
];
