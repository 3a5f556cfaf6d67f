// Starts and ends the real server.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { eventually } from './wait.mjs';

const BINARY = process.env.MEESHY_BINARY ?? '';
const ARTIFACTS = process.env.MEESHY_ARTIFACTS ?? 'artifacts';
export const MEDIA_ADDRESS = process.env.MEESHY_MEDIA_ADDRESS ?? '';

/** A folder for what one test leaves behind. @param {string} name */
export function artifacts(name) {
  const folder = join(ARTIFACTS, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A TCP port that nobody listens on. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export class Server {
  /** @type {import('node:child_process').ChildProcess} */ #child;
  /** @type {Promise<number | null>} */ exited;

  /**
   * @param {string} url
   * @param {import('node:child_process').ChildProcess} child
   */
  constructor(url, child) {
    this.url = url;
    this.#child = child;
    this.exited = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  }

  /**
   * Starts `meeshy serve` and waits until it takes calls.
   * @param {string} name The test's name; its log goes to artifacts/<name>/server.log.
   * @param {Record<string, string>} [environment] More settings.
   */
  static async start(name, environment = {}) {
    const port = await freePort();
    const child = spawn(BINARY, ['serve'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        // The system chooses, so that runs beside each other do not meet.
        RTC_MIN_PORT: '0',
        RTC_MAX_PORT: '0',
        ANNOUNCED_IP: MEDIA_ADDRESS,
        JWT_SECRET: 'for-browser-tests-only-0123456789abcdef',
        ...environment,
      },
    });
    const log = createWriteStream(join(artifacts(name), 'server.log'), { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    const server = new Server(`http://127.0.0.1:${port}`, child);
    await eventually('the server is ready', () => server.#isReady(), { interval: 50 });
    return server;
  }

  async #isReady() {
    if (this.#child.exitCode !== null) throw new Error(`the server ended with code ${this.#child.exitCode}`);
    return (await this.status('/ready')) === 200;
  }

  /** Status of a GET; 0 if nobody answers. @param {string} path */
  async status(path) {
    try {
      const response = await fetch(this.url + path, { signal: AbortSignal.timeout(2000) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }

  /** @param {string} path */
  async text(path) {
    return (await fetch(this.url + path, { signal: AbortSignal.timeout(2000) })).text();
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    this.#child.kill(signal);
  }

  /** Ends the server at once, calls or not. */
  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.exited;
  }
}
