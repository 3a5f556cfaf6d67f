// Measures what changing between direct and group mode does to a call: how long it takes, and what is seen and heard
// meanwhile. Ana and Ben talk all the time; Cleo comes and goes, without a sound, so that all that is heard is a tone.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertEverybodyMeets } from './call-page.mjs';
import { cameraFile } from './camera.mjs';
import { changes, counted, nodeCounters, sampleCounters, WORTH_EXPLAINING } from './samples.mjs';
import { Stage } from './stage.mjs';
import { toneFile } from './tone.mjs';
import { eventually } from './wait.mjs';

/** A page whose pictures a processor alone can paint. */
const SMALL = { width: 720, height: 540 };

/** How long is looked at, milliseconds: before a switch, for the ordinary; and after it, for what it left behind. */
const BASELINE = 1000;
const AFTERMATH = 800;

/**
 * @typedef {{ to: 'sfu' | 'p2p', who: string, of: string, video: number, videoBaseline: number, audio: number, audioBaseline: number }} Gap
 *   Longest time without a new picture on the tile, and without sound from the loudspeaker, milliseconds.
 * @typedef {{ round: number, to: string, kind: 'video' | 'audio', who: string, of: string, ms: number, received: any, sent: any, node: any }} Hole
 *   A long one of these, and what changed meanwhile at who saw or heard it, at who sent it, and in the node's counters.
 * @typedef {{ from: string, to: string, duration: number, success: boolean, reason: string, gaps?: any[] }} Transition As the
 *   gateway stored it; seconds.
 * @typedef {{ gaps: Gap[], holes: Hole[], transitions: Transition[], dropped: number }} Measured
 */

/**
 * @param {{ after: (end: () => Promise<void>) => void }} t
 * @param {string} name @param {number} rounds Switches each way.
 * @returns {Promise<Measured>}
 */
export async function measureSwitches(t, name, rounds) {
  const stage = await Stage.set(/** @type {any} */ (t), name, { SFU_TO_P2P_HYSTERESIS_MS: '500', LOG_LEVEL: 'warn' });
  const chromium = await stage.chromium([
    `--use-file-for-fake-audio-capture=${toneFile()}`,
    `--use-file-for-fake-video-capture=${cameraFile()}`,
  ]);
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2, raw: true });
  await assertEverybodyMeets(pages);
  for (const page of pages) {
    // Three browsers paint without a graphics card here; a large page would measure nothing but that.
    await page.page.setViewport(SMALL);
    await page.proves();
    await page.listen();
    await page.page.evaluate(sampleCounters);
  }
  const { call } = await /** @type {import('./call-page.mjs').CallPage} */ (pages[0]).state();
  /** @type {Gap[]} */ const gaps = [];
  /** @type {Hole[]} */ const holes = [];
  let dropped = 0;

  /** @param {number} round @param {'sfu' | 'p2p'} to @param {() => Promise<unknown>} cause */
  const across = async (round, to, cause) => {
    const counters = nodeCounters(await stage.server.text('/metrics'));
    const began = Date.now();
    await look(pages);
    await sleep(BASELINE);
    const before = await look(pages);
    await cause();
    await Promise.all(pages.map((page) => page.goes(to, 30_000)));
    await sleep(AFTERMATH);
    const during = await look(pages);
    const ended = Date.now();
    const node = counted(counters, nodeCounters(await stage.server.text('/metrics')));
    for (const [index, page] of pages.entries()) {
      const [ordinary, switched] = [before[index], during[index]];
      const other = page === pages[0] ? 'Ben' : 'Ana';
      const video = switched?.tiles.find((tile) => tile.name === other);
      const videoBaseline = ordinary?.tiles.find((tile) => tile.name === other);
      if (video === undefined || switched === undefined || (await page.state()).phase !== 'in-call') {
        dropped += 1;
        continue;
      }
      gaps.push({
        to,
        who: page.entry.name,
        of: other,
        video: video.largest,
        videoBaseline: videoBaseline?.largest ?? NaN,
        audio: switched.sound.largest,
        audioBaseline: ordinary?.sound.largest ?? NaN,
      });
      const sender = /** @type {import('./call-page.mjs').CallPage} */ (pages.find((each) => each !== page));
      const seen = /** @type {const} */ ([
        ['video', video.largest, video.largestAt, video.largestAt + video.largest],
        // Of a silence only the length is known.
        ['audio', switched.sound.largest, began, ended],
      ]);
      for (const [kind, ms, from, until] of seen) {
        if (ms < WORTH_EXPLAINING[kind]) continue;
        const [received, sent] = await Promise.all([samplesOf(page), samplesOf(sender)]);
        holes.push({
          round,
          to,
          kind,
          who: page.entry.name,
          of: other,
          ms: Math.round(ms),
          received: changes(received, from, until, kind, 'in'),
          sent: changes(sent, from, until, kind, 'out'),
          node,
        });
      }
    }
  };

  const cleo = await stage.open(chromium, `/c/${room}`, 'Cleo', { mic: false });
  await cleo.page.setViewport(SMALL);
  for (let round = 0; round < rounds; round += 1) {
    await across(round, 'sfu', async () => {
      // At first it may still ring for her.
      const way = await cleo.page.waitForSelector('[data-testid="banner-join"], [data-testid="incoming-accept"]', { timeout: 20_000 });
      await way?.evaluate((button) => /** @type {HTMLElement} */ (button).click());
      await cleo.untilInCall();
      for (const page of pages) await cleo.sees(page.entry.name);
    });
    await across(round, 'p2p', async () => {
      await cleo.click('control-leave');
      await cleo.find('ongoing-banner');
      for (const page of pages) await page.noTile('Cleo');
    });
  }
  for (const page of pages) page.assertNoErrors();
  const transitions = await eventually('the switches are in the store', () => {
    const stored = storedTransitions(stage.server.data, call.callId);
    return stored.length >= 2 * rounds && stored;
  });
  return { gaps, holes, transitions, dropped };
}

/** @param {import('./call-page.mjs').CallPage} page @returns {Promise<import('./samples.mjs').Sample[]>} */
function samplesOf(page) {
  return page.page.evaluate(() => /** @type {any} */ (window).witness.samples());
}

/** @param {import('./call-page.mjs').CallPage[]} pages */
function look(pages) {
  return Promise.all(pages.map(async (page) => ({ tiles: await page.presented(true), sound: await page.heard() })));
}

/** The call's switches as the gateway keeps them. @param {string} data @param {string} callId @returns {Transition[]} */
function storedTransitions(data, callId) {
  const script = `import sqlite3, sys
rows = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute("SELECT mode_transitions FROM call_metrics WHERE call_session_id = ?", (sys.argv[2],)).fetchall()
print(rows[0][0] if rows and rows[0][0] else "[]")`;
  return JSON.parse(execFileSync('python3', ['-c', script, join(data, 'meeshy.db'), callId], { encoding: 'utf8' }));
}

/** @param {number[]} values */
export function distribution(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((left, right) => left - right);
  const at = (/** @type {number} */ share) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}

/** The figures as a table, and below it a line for each long hole. @param {Measured} measured */
export function table({ gaps, holes, transitions }) {
  const lines = ['| | switches | p50 | p95 | max |', '|---|---|---|---|---|'];
  const row = (/** @type {string} */ what, /** @type {number[]} */ values) => {
    const { count, p50, p95, max } = distribution(values);
    lines.push(`| ${what} | ${count} | ${p50} ms | ${p95} ms | ${max} ms |`);
  };
  for (const [to, way] of /** @type {const} */ ([['sfu', 'direct → node'], ['p2p', 'node → direct']])) {
    const those = gaps.filter((gap) => gap.to === to);
    row(`${way}: order to last acknowledgement`, transitions.filter((each) => each.to === to && each.success).map((each) => each.duration * 1000));
    row(`${way}: longest time without a new picture`, those.map((gap) => gap.video));
    row('the same in steady state before it', those.map((gap) => gap.videoBaseline));
    row(`${way}: longest silence in a steady tone`, those.map((gap) => gap.audio));
    row('the same in steady state before it', those.map((gap) => gap.audioBaseline));
  }
  for (const { round, to, kind, who, of, ms, ...seen } of holes)
    lines.push('', `${kind} hole of ${ms} ms at ${who} of ${of}, switch ${round} to ${to}: ${JSON.stringify(seen)}`);
  return lines.join('\n');
}
