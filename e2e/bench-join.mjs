// Measures how long joining takes in Chromium: from the moment a page is told to join a call to the first decoded
// frame of somebody who is already in it. Prints percentiles and the raw numbers.
import { cpus } from 'node:os';

import { launchChromium } from './harness/browsers.mjs';
import { CallPage, query } from './harness/call-page.mjs';
import { converse, given, login, service } from './harness/rest.mjs';
import { Server } from './harness/server.mjs';
import { eventually } from './harness/wait.mjs';

const JOINS = Number(process.argv[2] ?? 24);
/** The first joins fill caches of the browser and are not counted. */
const WARM_UP = 2;

const server = await Server.start('bench-join', { LOG_LEVEL: 'warn' });
const browser = await launchChromium();
try {
  // Ana and Ben are in a call that goes through the node already; Cleo is the one who comes, again and again.
  const people = [await login(server, 'Ana'), await login(server, 'Ben'), await login(server, 'Cleo')];
  const room = await converse(server, /** @type {any} */ (people[0]), people.slice(1));
  const ana = await CallPage.create(browser, { room, name: 'Ana' }, people[0]);
  await ana.join(server.url);
  const ben = await CallPage.create(browser, { room, name: 'Ben', cam: false }, people[1]);
  await ben.join(server.url);
  await ana.hears('Ben');
  const { callId } = await given(server, service(), `GET /api/conversations/${room}/active-call`);
  await given(server, service(), `PUT /api/calls/${callId}/mode`, { mode: 'sfu' });
  await ana.goes('sfu');
  await eventually('Ana’s camera is on', async () => (await ana.tiles()).some((tile) => tile.local && tile.video));
  /** @type {{ page: number, decoded: number, resumed: number }[]} */ const joins = [];
  for (let round = 0; round < JOINS + WARM_UP; round += 1) {
    const join = await measure(browser, server.url, room, /** @type {any} */ (people[2]));
    if (round >= WARM_UP) joins.push(join);
  }
  report('navigation to first decoded frame', joins.map((join) => join.decoded));
  report('page loaded to first decoded frame', joins.map((join) => join.decoded - join.page));
  report('consumer resumed to first frame', joins.map((join) => join.resumed));
  console.log(`${joins.length} joins, ${await browser.version()}, ${cpus().length} x ${cpus()[0]?.model ?? '?'}`);
} finally {
  await browser.close();
  await server.stop();
}

/**
 * One join, in milliseconds of the page's own clock since its navigation began.
 * @param {import('puppeteer-core').Browser} chromium @param {string} url @param {string} room @param {import('./harness/rest.mjs').Who} who
 */
async function measure(chromium, url, room, who) {
  const entry = { room, name: who.name };
  const call = await CallPage.create(chromium, entry, who);
  // Watched inside the page, so that no message to the browser and back is measured.
  await call.page.evaluateOnNewDocument(() => {
    /** @type {any} */ const target = window;
    const watch = () => {
      const remote = [...document.querySelectorAll('[data-testid="tile"][data-local="false"] video')];
      for (const video of /** @type {HTMLVideoElement[]} */ (remote)) {
        if (video.dataset.watched !== undefined) continue;
        video.dataset.watched = '';
        video.requestVideoFrameCallback((now) => (target.firstFrameAt ??= now));
      }
      if (target.firstFrameAt === undefined) requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  });
  await call.page.bringToFront();
  await call.page.goto(`${url}/c/${room}?autojoin=1&${query(entry)}`);
  const times = await eventually(`${who.name} has a picture`, () =>
    call.page.evaluate(() => {
      /** @type {any} */ const source = window;
      const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
      return source.firstFrameAt === undefined || navigation === undefined
        ? null
        : { decoded: source.firstFrameAt, page: navigation.domContentLoadedEventEnd };
    }),
  );
  const camera = await eventually('the time since resume is known', async () => {
    const received = await call.received('Ana', 'camera');
    return received !== undefined && received.firstFrameMs !== null && received;
  });
  await call.click('control-leave');
  await call.without('call-screen');
  await call.close();
  return { ...times, resumed: camera.firstFrameMs ?? 0 };
}

/** @param {string} what @param {number[]} values */
function report(what, values) {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (/** @type {number} */ share) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? NaN);
  console.log(`${what}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, all ${sorted.map(Math.round).join(' ')}`);
}
