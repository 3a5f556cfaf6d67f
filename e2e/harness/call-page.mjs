// One participant: a browser page with our client in it, seen through its test ids and `window.meeshy`.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';
import { CONNECT_MS, eventually } from './wait.mjs';
import { installWitness, listen } from './witness.mjs';

/**
 * @typedef {{ participantId: string, source: string, kind: 'audio' | 'video', codec: string, framesDecoded: number,
 *   totalAudioEnergy: number, packetsReceived: number, firstFrameMs: number | null, protocol: string, way: string }} Received
 * @typedef {{ participantId: string, name: string, source: string, muted: boolean, video: boolean, local: boolean }} Tile
 * @typedef {{ room?: string, name: string, codec?: string, forceTcp?: boolean, relay?: boolean, simulcast?: boolean,
 *   mic?: boolean, cam?: boolean, raw?: boolean }} Entry
 *   `room`: a conversation's id. `relay`: by way of a TURN server only. `raw`: a microphone that nothing is filtered out of.
 */

/** Energy that a second of the fake devices' beeps exceeds many times over, and comfort noise never reaches. */
const AUDIBLE = 1e-5;
/** Decoded frames that show a stream rather than a lucky first picture. */
const MOVING = 8;

/**
 * A browser reports every answer of 404, also where that is the answer the client counts on: a stream may end while a
 * request about it is under way. A client that asks for what never was shows no picture, which is asserted.
 */
const OF_A_STREAM_THAT_ENDED = /status of 404 .*\/api\/rooms\/[^/]+\/(consume|consumers\/|producers\/)/;

/** Lines a browser writes about a network that was cut on purpose. */
const OF_A_CUT_NETWORK = /net::ERR_(CONNECTION|INTERNET|NETWORK|ADDRESS)|WebSocket connection|Failed to fetch|can.t establish a connection/i;

export class CallPage {
  /** @type {string[]} */ errors = [];

  /**
   * @param {import('puppeteer-core').BrowserContext} context
   * @param {import('puppeteer-core').Page} page
   * @param {Entry} entry
   */
  constructor(context, page, entry) {
    this.context = context;
    this.page = page;
    this.entry = entry;
    page.on('console', (message) => {
      const place = message.location()?.url ?? '';
      // A browser looks for this by itself when a page names no icon, as our own page does.
      if (place.endsWith('/favicon.ico')) return;
      const line = `${message.text()} (${place})`;
      if (message.type() === 'error' && !OF_A_STREAM_THAT_ENDED.test(line)) this.errors.push(line);
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  /**
   * An empty page of its own (own storage, as another person's browser has), with a witness in it.
   * @param {import('puppeteer-core').Browser} browser
   * @param {Entry} entry
   * @param {import('./rest.mjs').Who} [who] Logged in as.
   */
  static async create(browser, entry, who) {
    const context = await browser.createBrowserContext();
    const call = new CallPage(context, await context.newPage(), entry);
    await call.page.evaluateOnNewDocument(installWitness);
    if (who?.token !== undefined) await call.page.evaluateOnNewDocument(rememberLogin, who.token, who.id, who.name);
    // A meter for the loudspeaker comes from outside the page.
    if (entry.raw === true) await call.page.setBypassCSP(true);
    // Three layers need a large picture; everything else is shown as well by a small one, which two cores can carry.
    await call.page.evaluateOnNewDocument(plugInDevices, entry.simulcast !== true, entry.raw === true);
    return call;
  }

  /** Joins without asking, or begins the call: then it rings for the others. @param {string} url */
  async join(url) {
    await this.page.goto(`${url}/c/${this.entry.room}?autojoin=1&${query(this.entry)}`);
    await this.page.waitForSelector('[data-testid="call-screen"], [data-testid="outgoing-screen"][data-phase="calling"]', { timeout: CONNECT_MS });
  }

  async untilInCall() {
    await this.find('call-screen');
  }

  /** @param {string} id @param {number} [timeout] */
  async find(id, timeout = CONNECT_MS) {
    const element = await this.page.waitForSelector(`[data-testid="${id}"]`, { timeout });
    assert(element, id);
    return element;
  }

  /** Waits until nothing of this id is there. @param {string} id @param {number} [timeout] */
  async without(id, timeout = CONNECT_MS) {
    await this.page.waitForSelector(`[data-testid="${id}"]`, { hidden: true, timeout });
  }

  /** What the page knows about the call. @returns {Promise<any>} */
  state() {
    return this.page.evaluate(() => /** @type {any} */ (window).meeshy.state());
  }

  /** Waits until the call goes this way here. @param {'p2p' | 'sfu'} mode @param {number} [timeout] */
  async goes(mode, timeout = CONNECT_MS) {
    const settled = async () => {
      const state = await this.state();
      return state.mode === mode && state.switching === null;
    };
    try {
      await eventually(`${this.entry.name}'s call goes ${mode}`, settled, { timeout, interval: 100 });
    } catch (error) {
      const { mode: present, switching, sfuPath, phase, link } = await this.state();
      throw new Error(`${this.entry.name}: ${JSON.stringify({ present, switching, sfuPath, phase, link })}`, { cause: error });
    }
  }

  /** Waits until the way through the node is proven while the call is direct. */
  async proves() {
    const proven = async () => (await this.state()).sfuPath === 'proven';
    await eventually(`${this.entry.name} has proven the way through the node`, proven);
  }

  /** The browser's own connections, closed ones left out. @returns {Promise<import('./witness.mjs').Connection[]>} */
  connections() {
    return this.page.evaluate(() => /** @type {any} */ (window).witness.connections());
  }

  /** What the tiles of others presented since the last time this was asked for with `restart`. @param {boolean} [restart] @returns {Promise<import('./witness.mjs').Presented[]>} */
  presented(restart = false) {
    return this.page.evaluate((again) => /** @type {any} */ (window).witness.presented(again), restart);
  }

  /** What came out of the loudspeaker since the last time this was asked. @returns {Promise<import('./witness.mjs').Heard>} */
  heard() {
    return this.page.evaluate(() => /** @type {any} */ (window).witness.heard());
  }

  async listen() {
    await this.page.evaluate(listen);
  }

  /** @param {string} id */
  async click(id) {
    const button = await this.page.waitForSelector(`[data-testid="${id}"]`, { timeout: CONNECT_MS });
    assert(button, id);
    await button.evaluate((element) => /** @type {HTMLElement} */ (element).click());
  }

  /** @param {string} id @param {string} text */
  async type(id, text) {
    const field = await this.page.waitForSelector(`[data-testid="${id}"]`, { timeout: CONNECT_MS });
    assert(field, id);
    await field.click({ count: 3 });
    await field.press('Backspace');
    await field.type(text);
  }

  /** @returns {Promise<Tile[]>} */
  tiles() {
    return this.page.$$eval('[data-testid="tile"]', (elements) =>
      elements.map((element) => {
        const data = /** @type {HTMLElement} */ (element).dataset;
        return {
          participantId: data.participantId ?? '',
          name: data.name ?? '',
          source: data.source ?? '',
          muted: data.muted === 'true',
          video: data.video === 'on',
          local: data.local === 'true',
        };
      }),
    );
  }

  /**
   * Waits for somebody's tile to be as described.
   * @param {string} name
   * @param {Partial<Tile>} [wanted]
   * @param {number} [timeout]
   */
  async tile(name, wanted = {}, timeout = CONNECT_MS) {
    const fits = (/** @type {Tile} */ tile) =>
      tile.name === name && Object.entries(wanted).every(([key, value]) => tile[/** @type {keyof Tile} */ (key)] === value);
    const what = () => `${this.entry.name} sees a tile of ${name} with ${JSON.stringify(wanted)}`;
    try {
      return await eventually(what(), async () => (await this.tiles()).find(fits), { timeout });
    } catch (error) {
      throw new Error(`${what()}; tiles: ${JSON.stringify(await this.tiles())}`, { cause: error });
    }
  }

  /**
   * Waits until no tile is `name`'s (and of that source).
   * @param {string} name @param {string} [source] @param {number} [timeout]
   */
  async noTile(name, source, timeout = CONNECT_MS) {
    const gone = async () =>
      !(await this.tiles()).some((tile) => tile.name === name && (source === undefined || tile.source === source));
    await eventually(`${this.entry.name} sees no ${source ?? ''} tile of ${name}`, gone, { timeout });
  }

  /** @returns {Promise<{ consumers: Received[], producers: any[], transports: any[] }>} */
  stats() {
    return this.page.evaluate(() => /** @type {any} */ (window).meeshy.getStats());
  }

  /**
   * What arrives here from somebody, on the way the call takes now; or undefined.
   * @param {string} name @param {string} source @returns {Promise<Received | undefined>}
   */
  async received(name, source) {
    const tile = (await this.tiles()).find((candidate) => candidate.name === name);
    if (tile === undefined) return undefined;
    const { mode } = await this.state();
    if (mode === 'p2p') {
      /** @type {any[]} */ const direct = await this.page.evaluate(() => /** @type {any} */ (window).witness.direct());
      // Beside a connection that takes over there may be an older one; the latest counts.
      const found = direct.findLast((candidate) => candidate.source === source);
      return found === undefined ? undefined : { ...found, participantId: tile.participantId, way: mode };
    }
    const { consumers } = await this.stats();
    const found = consumers.find((candidate) => candidate.participantId === tile.participantId && candidate.source === source);
    return found === undefined ? undefined : { ...found, way: mode };
  }

  /**
   * Waits until a figure of what is received has grown by so much on one way.
   * @param {string} what @param {string} name @param {string} source @param {(received: Received) => number} figure @param {number} growth
   */
  async #grows(what, name, source, figure, growth) {
    /** @type {Map<string, number>} */ const first = new Map();
    return eventually(`${this.entry.name} ${what} ${name}'s ${source}`, async () => {
      const received = await this.received(name, source);
      if (received === undefined) return false;
      const count = figure(received);
      const known = first.get(received.way);
      if (known === undefined || count < known) first.set(received.way, count);
      return count > 0 && known !== undefined && count >= known + growth && received;
    });
  }

  /**
   * Waits until pictures of somebody move here: the decoder goes on producing frames.
   * @param {string} name @param {string} [source]
   */
  sees(name, source = 'camera') {
    return this.#grows('sees', name, source, (received) => received.framesDecoded, MOVING);
  }

  /** Waits until sound of somebody is heard here: energy goes on growing. @param {string} name */
  hears(name) {
    return this.#grows('hears', name, 'microphone', (received) => received.totalAudioEnergy, AUDIBLE);
  }

  /** @param {string} file */
  async screenshot(file) {
    const path = /** @type {`${string}.png`} */ (join(artifacts('screenshots'), `${file}.png`));
    await this.page.screenshot({ path });
  }

  /** Nothing may have gone wrong visibly for a developer either. @param {{ cut?: boolean }} [options] `cut`: the network was. */
  assertNoErrors({ cut = false } = {}) {
    const errors = cut ? this.errors.filter((error) => !OF_A_CUT_NETWORK.test(error)) : this.errors;
    assert.deepEqual(errors, [], `${this.entry.name}'s console has errors`);
  }

  async close() {
    await this.context.close();
  }
}

/** Runs in the page: who is logged in. @param {string} token @param {string} userId @param {string} username */
function rememberLogin(token, userId, username) {
  const tokenExpiresAt = new Date(Date.now() + 6 * 3_600_000).toISOString();
  try {
    sessionStorage.setItem('meeshy.session', JSON.stringify({ token, tokenExpiresAt, user: { userId, username, language: 'en' } }));
  } catch {
    // An empty page has no storage.
  }
}

/**
 * Runs in the page: whatever camera is asked for, a small one is plugged in, of 320x180 at 15 pictures a second; and a
 * microphone without filters, if wanted, which would take a steady tone for noise.
 * @param {boolean} small @param {boolean} raw
 */
function plugInDevices(small, raw) {
  const devices = navigator.mediaDevices;
  if (devices === undefined || (!small && !raw)) return;
  const original = devices.getUserMedia.bind(devices);
  const size = { width: { ideal: 320 }, height: { ideal: 180 }, frameRate: { ideal: 15 } };
  const unfiltered = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  /** @param {any} asked @param {object} change */
  const changed = (asked, change) => (asked === undefined || asked === false ? asked : { ...(asked === true ? {} : asked), ...change });
  devices.getUserMedia = (constraints) =>
    original({
      ...constraints,
      ...(small ? { video: changed(constraints?.video, size) } : {}),
      ...(raw ? { audio: changed(constraints?.audio, unfiltered) } : {}),
    });
}

/** @param {Entry} entry */
export function query({ codec, forceTcp, relay, simulcast, mic, cam }) {
  const parameters = new URLSearchParams();
  if (codec !== undefined) parameters.set('codec', codec);
  if (forceTcp === true) parameters.set('forceTcp', '1');
  if (relay === true) parameters.set('relay', '1');
  if (simulcast !== true) parameters.set('simulcast', '0');
  if (mic === false) parameters.set('mic', '0');
  if (cam === false) parameters.set('cam', '0');
  return parameters.toString();
}

/**
 * Everybody sees and hears everybody else.
 * @param {CallPage[]} pages
 */
export async function assertEverybodyMeets(pages) {
  for (const page of pages) {
    for (const other of pages.filter((candidate) => candidate !== page)) {
      await page.sees(other.entry.name);
      await page.hears(other.entry.name);
    }
  }
}
