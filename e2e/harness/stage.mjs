// Everything a test needs, ended again whatever happens, with the last pictures and figures kept.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { launchChromium, launchFirefox } from './browsers.mjs';
import { CallPage } from './call-page.mjs';
import { artifacts, Server } from './server.mjs';

/** What a page may take to say its last words. */
const LAST_WORDS_MS = 5000;

export class Stage {
  /** @type {import('puppeteer-core').Browser[]} */ #browsers = [];
  /** @type {CallPage[]} */ #pages = [];

  /** @param {string} name @param {Server} server */
  constructor(name, server) {
    this.name = name;
    this.server = server;
  }

  /**
   * @param {import('node:test').TestContext} test
   * @param {string} name Folder of artifacts.
   * @param {Record<string, string>} [environment] Settings of the server.
   */
  static async set(test, name, environment = {}) {
    const stage = new Stage(name, await Server.start(name, environment));
    test.after(() => stage.clear());
    return stage;
  }

  async chromium() {
    return this.#keep(await launchChromium());
  }

  async firefox() {
    return this.#keep(await launchFirefox());
  }

  /** @param {import('puppeteer-core').Browser} browser */
  #keep(browser) {
    this.#browsers.push(browser);
    return browser;
  }

  /**
   * A participant who joins without asking.
   * @param {import('puppeteer-core').Browser} browser
   * @param {import('./call-page.mjs').Entry} entry
   */
  async join(browser, entry) {
    const call = await CallPage.create(browser, entry);
    this.#pages.push(call);
    await call.join(this.server.url);
    return call;
  }

  /**
   * A page of our client at an address.
   * @param {import('puppeteer-core').Browser} browser
   * @param {string} path
   * @param {string} name
   */
  async open(browser, path, name) {
    const call = await CallPage.create(browser, { room: '', name });
    this.#pages.push(call);
    await call.page.goto(this.server.url + path);
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
    const words = { errors: call.errors, tiles: await withDeadline(call.tiles()), stats: await withDeadline(call.stats()) };
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
