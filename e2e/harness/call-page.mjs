// One participant: a browser page with our client in it, seen through its test ids and `window.meeshy`.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { artifacts } from './server.mjs';
import { CONNECT_MS, eventually } from './wait.mjs';

/**
 * @typedef {{ participantId: string, source: string, kind: 'audio' | 'video', codec: string, framesDecoded: number,
 *   totalAudioEnergy: number, packetsReceived: number, firstFrameMs: number | null, protocol: string }} Received
 * @typedef {{ participantId: string, name: string, source: string, muted: boolean, video: boolean, local: boolean }} Tile
 * @typedef {{ room: string, name: string, codec?: string, forceTcp?: boolean, simulcast?: boolean }} Entry
 */

/** Energy that a second of the fake devices' beeps exceeds many times over, and comfort noise never reaches. */
const AUDIBLE = 1e-5;
/** Decoded frames that show a stream rather than a lucky first picture. */
const MOVING = 8;

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
      if (message.type() === 'error') this.errors.push(`${message.text()} (${place})`);
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  /**
   * An empty page of its own (own storage, as another person's browser has).
   * @param {import('puppeteer-core').Browser} browser
   * @param {Entry} entry
   */
  static async create(browser, entry) {
    const context = await browser.createBrowserContext();
    const call = new CallPage(context, await context.newPage(), entry);
    // Three layers need a large picture; everything else is shown as well by a small one, which two cores can carry.
    if (entry.simulcast === false) await call.page.evaluateOnNewDocument(plugInSmallCamera);
    return call;
  }

  /** Joins without asking. @param {string} url */
  async join(url) {
    await this.page.goto(`${url}/?${query(this.entry)}`);
    await this.untilInCall();
  }

  async untilInCall() {
    await this.page.waitForSelector('[data-testid="call-screen"]', { timeout: CONNECT_MS });
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
   * What arrives here from somebody, or undefined.
   * @param {string} name @param {string} source
   */
  async received(name, source) {
    const tile = (await this.tiles()).find((candidate) => candidate.name === name);
    if (tile === undefined) return undefined;
    const { consumers } = await this.stats();
    return consumers.find((found) => found.participantId === tile.participantId && found.source === source);
  }

  /**
   * Waits until pictures of somebody move here: the decoder goes on producing frames.
   * @param {string} name @param {string} [source]
   */
  async sees(name, source = 'camera') {
    const first = await eventually(`${this.entry.name} decodes a frame of ${name}'s ${source}`, async () => {
      const received = await this.received(name, source);
      return received !== undefined && received.framesDecoded > 0 && received;
    });
    return eventually(`${this.entry.name} sees ${name}'s ${source} move`, async () => {
      const received = await this.received(name, source);
      return received !== undefined && received.framesDecoded >= first.framesDecoded + MOVING && received;
    });
  }

  /** Waits until sound of somebody is heard here: energy goes on growing. @param {string} name */
  async hears(name) {
    const energy = async () => (await this.received(name, 'microphone'))?.totalAudioEnergy ?? 0;
    const first = await eventually(`${this.entry.name} hears something of ${name}`, energy);
    await eventually(`${this.entry.name} goes on hearing ${name}`, async () => (await energy()) > first + AUDIBLE);
  }

  /** @param {string} file */
  async screenshot(file) {
    const path = /** @type {`${string}.png`} */ (join(artifacts('screenshots'), `${file}.png`));
    await this.page.screenshot({ path });
  }

  /** Nothing may have gone wrong visibly for a developer either. */
  assertNoErrors() {
    assert.deepEqual(this.errors, [], `${this.entry.name}'s console has errors`);
  }

  async close() {
    await this.context.close();
  }
}

/** Runs in the page: whatever camera is asked for, there is only one of 320x180 at 15 pictures a second. */
export function plugInSmallCamera() {
  const devices = navigator.mediaDevices;
  if (devices === undefined) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (constraints) => {
    if (constraints?.video === undefined || constraints.video === false) return original(constraints);
    const asked = constraints.video === true ? {} : constraints.video;
    const size = { width: { ideal: 320 }, height: { ideal: 180 }, frameRate: { ideal: 15 } };
    return original({ ...constraints, video: { ...asked, ...size } });
  };
}

/** @param {Entry} entry */
export function query({ room, name, codec, forceTcp, simulcast }) {
  const parameters = new URLSearchParams({ room, name, autojoin: '1' });
  if (codec !== undefined) parameters.set('codec', codec);
  if (forceTcp === true) parameters.set('forceTcp', '1');
  if (simulcast === false) parameters.set('simulcast', '0');
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
