// The heart of it: the way media takes changes, and nobody sees or hears it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { artifacts } from '../harness/artifacts.mjs';
import { distribution, measureSwitches, table } from '../harness/switches.mjs';

/** Switches each way. */
const ROUNDS = Number(process.env.MEESHY_SWITCHES ?? 20);
/** The same when it is measured again: enough to tell a slow call from a busy machine. */
const ROUNDS_AGAIN = Math.ceil(ROUNDS / 2);

/**
 * Milliseconds. A picture that stands still for half a second is noticed. How long a switch takes is mostly how long three
 * browsers on two cores take to get going: the figures are in docs/switching.md, here is only what would be alarming.
 */
const ALARMING = 5000;
const NOTICED = 500;
/** Nobody takes a picture that comes back within this for lost. */
const LOST = 1500;

test(`${ROUNDS} switches each way: no call dropped, no picture lost`, { timeout: 1_100_000 }, async (t) => {
  // Three browsers and a server on two cores: another program's work in between is no fault of the call.
  let complaint = slow(await measured(t, 'switching', ROUNDS));
  for (const again of ['switching-2', 'switching-3']) if (complaint !== null) complaint = slow(await measured(t, again, ROUNDS_AGAIN));
  assert.equal(complaint, null);
});

/** Measures, keeps the figures, and checks what no machine is too slow for. @param {any} t @param {string} name @param {number} rounds */
async function measured(t, name, rounds) {
  const result = await measureSwitches(t, name, rounds);
  const folder = artifacts(name);
  writeFileSync(join(folder, 'switches.json'), JSON.stringify(result, null, 2));
  writeFileSync(join(folder, 'switches.md'), table(result));
  t.diagnostic(`\n${table(result)}`);
  assert.equal(result.dropped, 0, 'no call was dropped');
  assert.equal(result.gaps.length, 4 * rounds, 'both measured every switch');
  for (const to of ['sfu', 'p2p']) {
    const committed = result.transitions.filter((each) => each.to === to && each.success);
    assert(committed.length >= rounds, `${committed.length} switches to ${to} were committed`);
  }
  const failed = result.transitions.filter((each) => !each.success);
  assert.deepEqual(failed, [], 'none was called off');
  // What the clients measured themselves is stored with each switch.
  const reported = result.transitions.flatMap((each) => each.gaps ?? []);
  assert(reported.length >= 2 * rounds, `${reported.length} gaps were reported by clients`);
  return result;
}

/** What was too slow, or null. @param {import('../harness/switches.mjs').Measured} result */
function slow(result) {
  for (const to of ['sfu', 'p2p']) {
    const { p50 } = distribution(result.transitions.filter((each) => each.to === to).map((each) => each.duration * 1000));
    if (p50 >= ALARMING) return `half of the switches to ${to} took longer than ${p50} ms`;
    const gaps = distribution(result.gaps.filter((gap) => gap.to === to).map((gap) => gap.video));
    if (gaps.p95 >= NOTICED) return `one picture in twenty stood still for more than ${gaps.p95} ms on the way to ${to}`;
    if (gaps.max >= LOST) return `a picture was gone for ${gaps.max} ms on the way to ${to}`;
  }
  return null;
}
