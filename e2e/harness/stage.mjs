// Everything a test needs, ended again whatever happens, with the last pictures and figures kept.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { launchChromium, launchFirefox } from './browsers.mjs';
import { CallPage, query } from './call-page.mjs';
import { artifacts } from './artifacts.mjs';
import { converse, given, login, service } from './rest.mjs';
import { Server } from './server.mjs';
import { eventually } from './wait.mjs';

/** On a machine that is busy with something else, browsers take their time; nobody is to be sent away for that. */
const PATIENT = { TRANSITION_TIMEOUT_MS: '25000', CONNECTING_TIMEOUT_SECS: '60' };
/** What a page may take to say its last words. */
const LAST_WORDS_MS = 5000;

export class Stage {
  /** @type {import('puppeteer-core').Browser[]} */ #browsers = [];
  /** @type {CallPage[]} */ #pages = [];
  /** @type {Map<string, import('./rest.mjs').Who>} */ #people = new Map();

  /** @param {string} name @param {Server} server */
  constructor(name, server) {
    this.name = name;
    this.server = server;
  }

  /**
   * @param {import('node:test').TestContext} test
   * @param {string} name Folder of artifacts.
   * @param {import('./server.mjs').Layout | Record<string, string>} [layout]
   */
  static async set(test, name, layout = {}) {
    const stage = new Stage(name, await Server.start(name, layout, PATIENT));
    test.after(() => stage.clear());
    return stage;
  }

  /** @param {string[]} [flags] @param {string} [executable] */
  async chromium(flags, executable) {
    return this.#keep(await launchChromium(flags, executable));
  }

  async firefox() {
    return this.#keep(await launchFirefox());
  }

  /** @param {import('puppeteer-core').Browser} browser */
  #keep(browser) {
    this.#browsers.push(browser);
    return browser;
  }

  /** The account of somebody of this name. @param {string} name */
  async person(name) {
    const known = this.#people.get(name) ?? (await login(this.server, name));
    this.#people.set(name, known);
    return known;
  }

  /**
   * A conversation of these people; its id.
   * @param {string[]} names @param {{ type?: string, title?: string }} [options]
   */
  async room(names, options = {}) {
    const people = [];
    for (const name of names) people.push(await this.person(name));
    const [owner, ...others] = people;
    if (owner === undefined) throw new Error('a conversation needs somebody');
    return converse(this.server, owner, others, options);
  }

  /**
   * A participant who joins without asking.
   * @param {import('puppeteer-core').Browser} browser
   * @param {import('./call-page.mjs').Entry} entry
   */
  join(browser, entry) {
    return this.joinFrom(this.server.url, browser, entry);
  }

  /**
   * The same, by another address of the server.
   * @param {string} url
   * @param {import('puppeteer-core').Browser} browser
   * @param {import('./call-page.mjs').Entry} entry
   */
  async joinFrom(url, browser, entry) {
    const call = await CallPage.create(browser, entry, await this.person(entry.name));
    this.#pages.push(call);
    await call.join(url);
    return call;
  }

  /**
   * People of one conversation in one call: the first begins it, the others come one after the other. In a direct
   * conversation the second one is called and accepts.
   * @param {import('puppeteer-core').Browser} browser
   * @param {string[]} names
   * @param {Partial<import('./call-page.mjs').Entry> & { type?: string, seated?: number }} [options] `seated`: so many come; all if absent.
   */
  async call(browser, names, { type = 'group', seated = names.length, ...entry } = {}) {
    const room = await this.room(names, { type });
    if (type === 'direct') {
      const [caller = '', called = ''] = names;
      const there = await this.open(browser, `/c/${room}`, called, entry);
      await there.find('conversation-page');
      await this.#online(called);
      const here = await this.join(browser, { ...entry, room, name: caller });
      await there.click('incoming-accept');
      await Promise.all([here, there].map((page) => page.untilInCall()));
      return { room, pages: [here, there] };
    }
    /** @type {CallPage[]} */ const pages = [];
    for (const name of names.slice(0, seated)) pages.push(await this.join(browser, { ...entry, room, name }));
    await Promise.all(pages.map((page) => page.untilInCall()));
    return { room, pages };
  }

  /** Waits until somebody can be called. @param {string} name */
  async #online(name) {
    await eventually(`${name} is online`, async () => {
      /** @type {any[]} */ const found = await given(this.server, await this.person(name), `GET /api/users?query=${encodeURIComponent(name)}`);
      const own = await given(this.server, await this.person(name), 'GET /api/conversations');
      const members = own.flatMap((/** @type {any} */ each) => each.members);
      return [...found, ...members].some((person) => person.username === name && person.online);
    });
  }

  /**
   * Has a call of two go through the node, as somebody may who runs the installation.
   * @param {string} room @param {CallPage[]} pages
   */
  async throughNode(room, pages) {
    const active = await given(this.server, service(), `GET /api/conversations/${room}/active-call`);
    if (active.mode !== 'sfu') await given(this.server, service(), `PUT /api/calls/${active.callId}/mode`, { mode: 'sfu' });
    await Promise.all(pages.map((page) => page.goes('sfu')));
    return active.callId;
  }

  /**
   * A page of our client at an address, seen by somebody who is logged in, or by nobody.
   * @param {import('puppeteer-core').Browser} browser
   * @param {string} path
   * @param {string} name
   * @param {{ loggedIn?: boolean } & Partial<import('./call-page.mjs').Entry>} [options]
   */
  async open(browser, path, name, { loggedIn = true, ...entry } = {}) {
    const call = await CallPage.create(browser, { ...entry, name }, loggedIn ? await this.person(name) : undefined);
    this.#pages.push(call);
    const flags = query(call.entry);
    await call.page.goto(`${this.server.url}${path}${path.includes('?') ? '&' : '?'}${flags}`);
    return call;
  }

  async clear() {
    await Promise.allSettled(this.#pages.map((page) => this.#lastWords(page)));
    for (const path of ['/metrics', '/api/stats']) {
      const text = await withDeadline(this.server.text(path));
      if (text !== undefined) writeFileSync(join(artifacts(this.name), `${path.split('/').at(-1)}.txt`), text);
    }
    await Promise.allSettled(this.#browsers.map((browser) => withDeadline(browser.close())));
    for (const browser of this.#browsers) browser.process()?.kill('SIGKILL');
    await this.server.stop();
  }

  /** @param {CallPage} call */
  async #lastWords(call) {
    if (call.page.isClosed() || !call.page.browser().connected) return;
    const file = join(artifacts(this.name), call.entry.name.replaceAll(/\W+/g, '-'));
    const words = { errors: call.errors, tiles: await withDeadline(call.tiles()), state: await withDeadline(call.state()), stats: await withDeadline(call.stats()), connections: await withDeadline(call.connections()) };
    writeFileSync(`${file}.json`, JSON.stringify(words, null, 2));
    await withDeadline(call.page.screenshot({ path: `${file}.png` }));
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T | undefined>}
 */
function withDeadline(promise) {
  return Promise.race([
    promise.catch(() => undefined),
    new Promise((resolve) => setTimeout(() => resolve(undefined), LAST_WORDS_MS).unref()),
  ]);
}
