// coturn, as an operator runs it, but on addresses of our own: a relay for browsers that are kept apart.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';
import { freePort } from './program.mjs';
import { MEDIA_ADDRESS } from './server.mjs';
import { eventually } from './wait.mjs';

export const TURN_SECRET = 'turn-for-browser-tests-0123456789abcdef';

/**
 * Starts a relay; its addresses as a gateway wants them. It can be stopped, and started again at the same place.
 * @param {import('node:test').TestContext} t
 * @param {string} name Folder of artifacts.
 */
export async function turn(t, name) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'meeshy-turn-'));
  const words = [
    '-n',
    '--listening-port', String(port),
    '--listening-ip', MEDIA_ADDRESS,
    '--relay-ip', MEDIA_ADDRESS,
    '--min-port', '50000', '--max-port', '50200',
    '--realm', 'meeshy.test',
    '--use-auth-secret', '--static-auth-secret', TURN_SECRET,
    '--fingerprint', '--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers',
    '--log-file', 'stdout', '--simple-log', '--verbose',
    '--pidfile', join(folder, 'pid'), '--userdb', join(folder, 'db'),
  ];
  let log = '';
  /** @type {() => Promise<void>} */ let stop = async () => {};
  const start = async () => {
    const child = spawn('turnserver', words, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
    log = '';
    child.stdout?.on('data', (chunk) => (log += chunk));
    child.stdout?.pipe(createWriteStream(join(artifacts(name), 'turn.log'), { flags: 'a' }));
    /** @type {Promise<void>} */ const exited = new Promise((resolve) => child.on('exit', () => resolve()));
    stop = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    await eventually('the relay listens', () => {
      if (child.exitCode !== null) throw new Error(`turnserver ended with ${child.exitCode}: ${log.slice(-500)}`);
      return /opened on|listener opened/i.test(log);
    });
  };
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  const environment = {
    TURN_SECRET,
    TURN_URLS: `turn:${MEDIA_ADDRESS}:${port}?transport=udp,turn:${MEDIA_ADDRESS}:${port}?transport=tcp`,
  };
  return { address: MEDIA_ADDRESS, port, environment, log: () => log, start, stop: () => stop() };
}
