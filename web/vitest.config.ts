import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Files that need a page say so themselves; starting one takes longer than most tests.
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 10_000,
    coverage: {
      provider: "v8",
      // Files no test touches count too.
      include: ["src/**/*.{ts,tsx}"],
      // Tests, what only they use, and declarations without code.
      exclude: ["src/**/*.test.{ts,tsx}", "src/testing/**", "src/signalling/generated/**"],
      reporter: ["text", "json-summary", "html"],
      reportsDirectory: "../target/coverage/web",
      thresholds: { lines: 80 },
    },
  },
});
