// Runs the tests (or, with --bench, bench-join.mjs or the bench named after it) inside a network namespace of their own
// where the system allows one, and on the machine's own address where it does not. Arguments: test files, default all.
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
  const line = [...(wrapper ?? []), process.execPath, fileURLToPath(import.meta.url), ...words];
  process.exit(await run(line, { MEESHY_E2E_NETWORK: mode }));
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
  const environment = { MEESHY_MEDIA_ADDRESS: address, MEESHY_BINARY: binary, MEESHY_ARTIFACTS: artifacts };
  let worst = 0;
  for (const line of commands()) worst = (await run(line, environment)) || worst;
  process.exit(worst);
}

function defaultBinary() {
  const profile = words.includes('--bench') ? 'release' : 'debug';
  return join(here, '..', 'target', profile, 'meeshy');
}

/** What is run, one after the other. */
function commands() {
  if (words.includes('--bench')) {
    const rest = words.filter((word) => word !== '--bench');
    const named = rest[0]?.endsWith('.mjs') === true ? rest.shift() : undefined;
    return [[process.execPath, join(here, named ?? 'bench-join.mjs'), ...rest]];
  }
  if (words.length > 0) return [tests(1, words)];
  const files = (/** @type {string} */ folder) =>
    readdirSync(join(here, folder)).filter((name) => name.endsWith('.test.mjs')).sort().map((name) => join(here, folder, name));
  // Devices without a screen mostly wait. Of browsers one file at a time: two cores carry three pages, not six.
  return [tests(3, [...files('node-api'), ...files('gateway-api')]), tests(1, files('tests'))];
}

/** @param {number} concurrency @param {string[]} files */
function tests(concurrency, files) {
  return [process.execPath, '--test', `--test-concurrency=${concurrency}`, '--test-timeout=1200000', '--test-reporter=spec', ...files];
}

/**
 * Runs a command in our place; its exit code. A signal to us is passed on.
 * @param {string[]} line
 * @param {Record<string, string>} environment
 * @returns {Promise<number>}
 */
async function run(line, environment) {
  const [program = '', ...rest] = line;
  const child = spawn(program, rest, { stdio: 'inherit', env: { ...process.env, ...environment } });
  const passOn = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM']);
  for (const signal of signals) process.on(signal, passOn);
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`e2e: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
  });
  for (const signal of signals) process.off(signal, passOn);
  return code;
}
