// Two people: from browser to browser, past the server.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';
import { assertDirect, forwarded } from '../harness/way.mjs';

/** The media node, which counts what it forwards. @param {Stage} stage */
function nodeOf(stage) {
  const [node] = stage.server.nodes;
  assert(node !== undefined);
  return node;
}

test('two people talk directly, and the node forwards nothing', async (t) => {
  const stage = await Stage.set(t, 'direct', { apart: true });
  const chromium = await stage.chromium();
  const { pages } = await stage.call(chromium, ['Ana', 'Ben'], { type: 'direct' });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await assertEverybodyMeets(pages);
  await assertDirect(ana, ben);
  assert.equal((await ana.received('Ben', 'camera')).codec, 'vp8');
  assert.equal(await forwarded(nodeOf(stage)), 0);
  assert.match(await nodeOf(stage).text('/metrics'), /^mediasoup_routers_total 0$/m, 'there is not even a room');
  for (const page of pages) page.assertNoErrors();
});

test('a group of two talks directly, with the way through the node proven and idle', async (t) => {
  const stage = await Stage.set(t, 'direct-group', { apart: true });
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const room = await stage.room(['Ana', 'Fox']);
  const ana = await stage.join(chromium, { room, name: 'Ana' });
  const fox = await stage.join(firefox, { room, name: 'Fox' });
  await assertEverybodyMeets([ana, fox]);
  for (const page of [ana, fox]) await page.proves();
  await assertDirect(ana, fox);
  const before = await forwarded(nodeOf(stage));
  await sleep(2000);
  const packets = (await forwarded(nodeOf(stage))) - before;
  assert(packets < 20, `${packets} packets were forwarded in two seconds of a direct call`);
  for (const page of [ana, fox]) {
    assert.equal((await page.state()).mode, 'p2p');
    page.assertNoErrors();
  }
});

test('a call without pictures has none', async (t) => {
  const stage = await Stage.set(t, 'direct-sound');
  const chromium = await stage.chromium();
  const { pages } = await stage.call(chromium, ['Ana', 'Ben'], { type: 'direct', cam: false });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await ana.hears('Ben');
  await ben.hears('Ana');
  await ana.tile('Ben', { video: false, muted: false });
  // A camera can be turned on later, without anything being negotiated.
  const connections = (await ana.connections()).length;
  await ben.click('control-camera');
  await ana.tile('Ben', { video: true });
  await ana.sees('Ben');
  assert.equal((await ana.connections()).length, connections);
  for (const page of pages) page.assertNoErrors();
});
