// A device without a screen: the stock Socket.IO client with a memory for what it was told.
import assert from 'node:assert/strict';

import { io } from 'socket.io-client';

/** How long an acknowledgement or an event may take. */
const PATIENCE = 8000;

/**
 * @typedef {import('./rest.mjs').Who} Who
 * @typedef {{ name: string, payload: any, at: number }} Told
 */

export class Client {
  /** @type {Told[]} */ #inbox = [];
  /** @type {Set<() => void>} */ #waiting = new Set();
  /** @type {Told[]} Everything ever told, in order. */ history = [];

  /** @param {string} name @param {import('socket.io-client').Socket} socket */
  constructor(name, socket) {
    this.name = name;
    this.socket = socket;
    const keep = (/** @type {string} */ event, /** @type {any} */ payload) => {
      const told = { name: event, payload, at: Date.now() };
      this.#inbox.push(told);
      this.history.push(told);
      for (const wake of [...this.#waiting]) wake();
    };
    socket.onAny(keep);
    for (const event of /** @type {const} */ (['connect', 'disconnect', 'connect_error'])) {
      socket.on(event, (/** @type {any} */ detail) => keep(event, detail));
    }
  }

  /**
   * A device that is not connected yet; ended with the test.
   * @param {import('node:test').TestContext} test
   * @param {{ url: string }} server
   * @param {Who | null} who
   * @param {Partial<import('socket.io-client').ManagerOptions & import('socket.io-client').SocketOptions>} [options]
   */
  static open(test, server, who, options = {}) {
    const auth = who === null ? {} : who.session === undefined ? { token: who.token } : { sessionToken: who.session };
    const settings = { transports: ['websocket'], forceNew: true, reconnectionDelay: 200, reconnectionDelayMax: 500 };
    const client = new Client(who?.name ?? 'nobody', io(server.url, { ...settings, auth, ...options }));
    test.after(() => client.close());
    return client;
  }

  /**
   * A device that may speak.
   * @param {import('node:test').TestContext} test @param {{ url: string }} server @param {Who} who
   */
  static async connect(test, server, who) {
    const client = Client.open(test, server, who);
    const { success } = await client.told('authenticated');
    assert.equal(success, true);
    return client;
  }

  /** Sends, and waits for the whole acknowledgement. @param {string} event @param {unknown} payload @returns {Promise<any>} */
  async ask(event, payload) {
    try {
      return await this.socket.timeout(PATIENCE).emitWithAck(event, payload);
    } catch (error) {
      throw new Error(`${this.name} got no answer to ${event} ${JSON.stringify(payload)?.slice(0, 200)}`, { cause: error });
    }
  }

  /** Sends, and expects it to be done. @param {string} event @param {unknown} payload */
  async do(event, payload) {
    const answer = await this.ask(event, payload);
    assert.equal(answer.success, true, `${event} by ${this.name}: ${JSON.stringify(answer.error)}`);
    return answer.data;
  }

  /** Sends, and expects to be refused with one of these codes. @param {string} event @param {unknown} payload @param {string[]} codes */
  async refused(event, payload, ...codes) {
    const answer = await this.ask(event, payload);
    const what = `${event} ${JSON.stringify(payload)?.slice(0, 200)} by ${this.name}: ${JSON.stringify(answer)}`;
    assert.equal(answer.success, false, what);
    assert(codes.includes(answer.error.code), `${what} is not ${codes.join(' or ')}`);
    assert.equal(typeof answer.error.message, 'string');
    return answer.error;
  }

  /** Sends without asking for an answer. @param {string} event @param {unknown} payload */
  tell(event, payload) {
    this.socket.emit(event, payload);
  }

  /**
   * The next event of this name that fits and was not taken yet; it may have come already.
   * @param {string} event
   * @param {(payload: any) => boolean} [fits]
   * @param {number} [patience]
   * @returns {Promise<any>}
   */
  told(event, fits = () => true, patience = PATIENCE) {
    const take = () => {
      const index = this.#inbox.findIndex((told) => told.name === event && fits(told.payload));
      return index < 0 ? undefined : this.#inbox.splice(index, 1)[0];
    };
    const known = take();
    if (known !== undefined) return Promise.resolve(known.payload);
    return new Promise((resolve, reject) => {
      const wake = () => {
        const found = take();
        if (found === undefined) return;
        this.#waiting.delete(wake);
        clearTimeout(late);
        resolve(found.payload);
      };
      const late = setTimeout(() => {
        this.#waiting.delete(wake);
        const heard = this.history.map((told) => told.name).join(', ');
        reject(new Error(`${this.name} was not told ${event} within ${patience} ms; only: ${heard}`));
      }, patience);
      this.#waiting.add(wake);
    });
  }

  /** Whether an event that fits lies in the inbox. @param {string} event @param {(payload: any) => boolean} [fits] */
  has(event, fits = () => true) {
    return this.#inbox.some((told) => told.name === event && fits(told.payload));
  }

  /** Forgets what lies in the inbox. */
  forget() {
    this.#inbox = [];
  }

  /** After everybody's last event was answered, nothing of this name was told. @param {string} event */
  async notTold(event) {
    // Events of a connection keep their order: what was sent to us before this answer has come by then.
    await this.ask('call:refresh-credentials', { callId: '0'.repeat(24) });
    assert(!this.has(event), `${this.name} was told ${event}: ${JSON.stringify(this.#inbox.find((told) => told.name === event))}`);
  }

  close() {
    this.socket.disconnect();
  }

  /** Goes as a broken cable does: no goodbye, and no new try. */
  cut() {
    this.socket.io.reconnection(false);
    this.socket.io.engine.close();
  }
}
