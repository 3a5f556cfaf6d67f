// An installation: everything in one process (`meeshy serve`), or a gateway and its media nodes apart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, Program } from './program.mjs';

export const MEDIA_ADDRESS = process.env.MEESHY_MEDIA_ADDRESS ?? '';
/** Signs login tokens; tests make tokens of their own with it. */
export const LOGIN_SECRET = 'for-browser-tests-only-0123456789abcdef';
/** Signs the nodes' tokens. */
export const MEDIA_SECRET = 'media-for-browser-tests-0123456789abcd';

const SECRETS = { JWT_SECRET: LOGIN_SECRET, MEDIA_JWT_SECRET: MEDIA_SECRET, APP_ENV: 'development', TRUSTED_PROXIES: '127.0.0.1' };
const MEDIA = {
  // The system chooses, so that runs beside each other do not meet.
  RTC_MIN_PORT: '0',
  RTC_MAX_PORT: '0',
  ANNOUNCED_IP: MEDIA_ADDRESS,
};

/**
 * A media node by itself.
 * @param {string} name Folder of artifacts.
 * @param {Record<string, string>} [environment] @param {number} [port]
 */
export function startNode(name, environment = {}, port = undefined) {
  return Program.start(name, 'media', { ...MEDIA, JWT_SECRET: MEDIA_SECRET, ...environment }, port);
}

/**
 * @typedef {{ environment?: Record<string, string>, apart?: boolean, nodes?: number, lan?: boolean }} Layout
 * `environment`: settings of the gateway (in one process: of everything). `apart`: processes of their own, this many
 * nodes. `lan`: HTTPS with a certificate of its own; the test must accept that.
 */

export class Server {
  /** @type {Program[]} */ nodes = [];

  /** @type {Program | undefined} */ #gateway;

  /** @param {string} name @param {Layout} layout @param {number} port */
  constructor(name, layout, port) {
    this.name = name;
    this.layout = layout;
    this.port = port;
    this.url = `${layout.lan === true ? 'https' : 'http'}://127.0.0.1:${port}`;
    this.data = mkdtempSync(join(tmpdir(), 'meeshy-e2e-'));
  }

  /** The process that people speak to. */
  get gateway() {
    if (this.#gateway === undefined) throw new Error('the gateway was not started');
    return this.#gateway;
  }

  /**
   * @param {string} name The test's name: its folder of artifacts.
   * @param {Layout | Record<string, string>} [layout] Or the settings alone.
   * @param {Record<string, string>} [defaults] Settings unless others are given.
   */
  static async start(name, layout = {}, defaults = {}) {
    const keys = ['environment', 'apart', 'nodes', 'lan'];
    const isLayout = Object.keys(layout).every((key) => keys.includes(key));
    const whole = /** @type {Layout} */ (isLayout ? layout : { environment: layout });
    const settled = { ...whole, environment: { ...defaults, ...whole.environment } };
    const server = new Server(name, settled, await freePort());
    try {
      if (whole.apart === true) {
        for (let index = 0; index < (whole.nodes ?? 1); index += 1) await server.startNode();
      }
      await server.startGateway();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Another media node; the gateway has to know its port already if it runs. @param {number} [port] */
  async startNode(port) {
    const level = this.layout.environment?.LOG_LEVEL;
    const own = { SERVER_ID: `node-${this.nodes.length}`, ...(level === undefined ? {} : { LOG_LEVEL: level }) };
    const node = await startNode(this.name, own, port);
    this.nodes.push(node);
    return node;
  }

  async startGateway() {
    const { apart, environment, lan } = this.layout;
    /** @type {Record<string, string>} */ const own = { ...SECRETS, DATA_DIR: this.data, ...(apart === true ? {} : MEDIA) };
    /** @type {Record<string, string>} */ const alone =
      apart === true
        ? {
            MEDIA_SERVER_URL: this.nodes.map((node) => node.url).join(','),
            DATABASE_URL: `sqlite://${join(this.data, 'meeshy.db')}`,
            TRANSCRIPTION_ENCRYPTION_KEY: '0123456789abcdef'.repeat(4),
          }
        : {};
    this.#gateway = await Program.start(
      this.name,
      apart === true ? 'gateway' : 'serve',
      { ...own, ...alone, ...environment },
      this.port,
      lan === true ? { flags: ['--lan'], scheme: 'https' } : {},
    );
  }

  /** Ends the gateway as a crash does. */
  async crashGateway() {
    await this.gateway.stop();
  }

  /** Status of a GET; 0 if nobody answers. @param {string} path */
  status(path) {
    return this.gateway.status(path);
  }

  /** @param {string} path */
  text(path) {
    return this.gateway.text(path);
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    this.gateway.kill(signal);
  }

  get exited() {
    return this.gateway.exited;
  }

  /** Ends everything at once, calls or not. */
  async stop() {
    await Promise.all([this.#gateway?.stop(), ...this.nodes.map((node) => node.stop())]);
    rmSync(this.data, { recursive: true, force: true });
  }
}
