// Runs the tests (or, with --bench, the benchmarks: bench-join.mjs, or the one named after it) inside a network namespace of their own where the
// system allows one, and on the machine's own address where it does not. Arguments: test files, default all.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { insideCommand, ownAddress, setUpNamespace, NAMESPACE_ADDRESS } from './harness/network.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const network = process.env.MEESHY_E2E_NETWORK;

if (network === undefined) {
  const wrapper = insideCommand();
  if (wrapper === null) console.error('e2e: no network namespace to be had; using the address of this machine');
  const mode = wrapper === null ? 'host' : 'namespace';
  await hand([...(wrapper ?? []), process.execPath, fileURLToPath(import.meta.url), ...words], {
    MEESHY_E2E_NETWORK: mode,
  });
} else {
  if (network === 'namespace') setUpNamespace();
  const address = network === 'namespace' ? NAMESPACE_ADDRESS : ownAddress();
  const binary = process.env.MEESHY_BINARY ?? defaultBinary();
  if (!existsSync(binary)) {
    console.error(`e2e: ${binary} is missing: cargo build --package meeshy`);
    process.exit(2);
  }
  const artifacts = join(here, 'artifacts');
  rmSync(artifacts, { recursive: true, force: true });
  mkdirSync(artifacts, { recursive: true });
  await hand(command(), { MEESHY_MEDIA_ADDRESS: address, MEESHY_BINARY: binary, MEESHY_ARTIFACTS: artifacts });
}

function defaultBinary() {
  const profile = words.includes('--bench') ? 'release' : 'debug';
  return join(here, '..', 'target', profile, 'meeshy');
}

function command() {
  if (words.includes('--bench')) {
    const rest = words.filter((word) => word !== '--bench');
    const named = rest[0]?.endsWith('.mjs') === true ? rest.shift() : undefined;
    return [process.execPath, join(here, named ?? 'bench-join.mjs'), ...rest];
  }
  const all = ['gateway-api', 'node-api', 'tests'].flatMap((folder) => readdirSync(join(here, folder)).map((name) => join(here, folder, name)));
  const files = words.length > 0 ? words : all.filter((path) => path.endsWith('.test.mjs')).sort();
  // One file at a time: two cores carry three browser pages, not six.
  return [process.execPath, '--test', '--test-concurrency=1', '--test-timeout=240000', '--test-reporter=spec', ...files];
}

/**
 * Runs a command in our place and ends with its exit code; a signal to us is passed on.
 * @param {string[]} line
 * @param {Record<string, string>} environment
 */
async function hand(line, environment) {
  const [program = '', ...rest] = line;
  const child = spawn(program, rest, { stdio: 'inherit', env: { ...process.env, ...environment } });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`e2e: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
  });
  process.exit(code);
}

