// A program of ours as a child process: its log kept, its readiness waited for, its end certain.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';
import { eventually } from './wait.mjs';

const BINARY = process.env.MEESHY_BINARY ?? '';

/** A TCP port that nobody listens on. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export class Program {
  /** @type {import('node:child_process').ChildProcess} */ #child;

  /** What it said on standard output. */
  said = '';

  /**
   * @param {string} word Subcommand of the binary.
   * @param {number} port
   * @param {import('node:child_process').ChildProcess} child
   * @param {string} [scheme]
   */
  constructor(word, port, child, scheme = 'http') {
    this.word = word;
    this.port = port;
    this.url = `${scheme}://127.0.0.1:${port}`;
    this.#child = child;
    /** @type {Promise<number | null>} */
    this.exited = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  }

  /**
   * Starts `meeshy <word>` and waits until it is ready.
   * @param {string} name Folder of artifacts; the log goes to `<word>.log` in it.
   * @param {string} word
   * @param {Record<string, string>} environment
   * @param {number} [port]
   * @param {{ flags?: string[], scheme?: string }} [options] More words of the command, and what it then speaks.
   */
  static async start(name, word, environment, port, { flags = [], scheme = 'http' } = {}) {
    const chosen = port ?? (await freePort());
    const child = spawn(BINARY, [word, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, RUST_BACKTRACE: '1', PORT: String(chosen), ...environment },
    });
    const log = createWriteStream(join(artifacts(name), `${word}.log`), { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    const program = new Program(word, chosen, child, scheme);
    child.stdout?.on('data', (chunk) => (program.said += chunk));
    await eventually(`meeshy ${word} is ready`, () => program.#isReady(), { interval: 50 });
    return program;
  }

  get #ended() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #isReady() {
    if (this.#ended) throw new Error(`meeshy ${this.word} ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
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

  /** Ends the program at once. */
  async stop() {
    if (!this.#ended) this.#child.kill('SIGKILL');
    await this.exited;
  }
}
