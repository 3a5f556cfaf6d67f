// The heart of it: the way media takes changes, and nobody sees or hears it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { artifacts } from '../harness/artifacts.mjs';
import { distribution, measureSwitches, table } from '../harness/switches.mjs';

/** Switches each way. */
const ROUNDS = Number(process.env.MEESHY_SWITCHES ?? 20);

test(`${ROUNDS} switches each way: no call dropped, no picture lost, none slow`, { timeout: 420_000 }, async (t) => {
  const measured = await measureSwitches(t, 'switching', ROUNDS);
  const folder = artifacts('switching');
  writeFileSync(join(folder, 'switches.json'), JSON.stringify(measured, null, 2));
  writeFileSync(join(folder, 'switches.md'), table(measured));
  t.diagnostic(`\n${table(measured)}`);
  assert.equal(measured.dropped, 0, 'no call was dropped');
  assert.equal(measured.gaps.length, 4 * ROUNDS, 'both measured every switch');
  for (const to of ['sfu', 'p2p']) {
    const committed = measured.transitions.filter((each) => each.to === to && each.success);
    assert(committed.length >= ROUNDS, `${committed.length} switches to ${to} were committed`);
    const { max } = distribution(committed.map((each) => each.duration * 1000));
    assert(max < 2000, `the slowest switch to ${to} took ${max} ms`);
  }
  const failed = measured.transitions.filter((each) => !each.success);
  assert.deepEqual(failed, [], 'none was called off');
  for (const gap of measured.gaps) {
    assert(gap.video < 500, `${gap.who} saw no new picture of ${gap.of} for ${Math.round(gap.video)} ms on the way to ${gap.to}`);
  }
  // What the clients measured themselves is stored with each switch.
  const reported = measured.transitions.flatMap((each) => each.gaps ?? []);
  assert(reported.length >= 2 * ROUNDS, `${reported.length} gaps were reported by clients`);
});
