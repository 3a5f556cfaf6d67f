// What breaks: nodes, gateways, networks, browsers. What does not: the call.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { away, canLayCables } from '../harness/away.mjs';
import { CHROMIUM } from '../harness/browsers.mjs';
import { given, service } from '../harness/rest.mjs';
import { roster } from '../harness/scene.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';
import { assertDirect } from '../harness/way.mjs';

/** Longest time without a new picture that nobody calls a break, milliseconds. */
const UNBROKEN = 500;

/**
 * The tiles of others went on presenting pictures since they were last asked.
 * @param {import('../harness/call-page.mjs').CallPage} page @param {number} longest
 */
async function assertUnbroken(page, longest = UNBROKEN) {
  for (const tile of await page.presented()) {
    assert(tile.frames > 10, `${page.entry.name} saw ${tile.name} move`);
    assert(tile.largest < longest, `${page.entry.name} saw no new picture of ${tile.name} for ${Math.round(tile.largest)} ms`);
  }
}

for (const mode of /** @type {const} */ (['p2p', 'sfu'])) {
  test(`the gateway is killed and started again in a ${mode} call: pictures go on, and everybody is there`, async (t) => {
    const stage = await Stage.set(t, `gateway-killed-${mode}`, { apart: true });
    const chromium = await stage.chromium();
    const { room, pages } = await stage.call(chromium, ['Ana', 'Ben']);
    await assertEverybodyMeets(pages);
    const callId = mode === 'sfu' ? await stage.throughNode(room, pages) : await activeCall(stage.server, room);
    await sleep(1000);
    const connections = await Promise.all(pages.map(async (page) => (await page.connections()).length));
    for (const page of pages) await page.presented(true);
    await stage.server.crashGateway();
    await sleep(2500);
    await stage.server.startGateway();
    const back = async () => {
      const dto = await given(stage.server, service(), `GET /api/calls/${callId}`);
      return roster(dto).length === 2 && dto.participants.every((/** @type {any} */ each) => each.status === 'connected') && dto;
    };
    const dto = await eventually('both are back in their seats', back);
    assert.deepEqual([dto.status, dto.mode], ['active', mode]);
    await sleep(500);
    for (const [index, page] of pages.entries()) {
      await assertUnbroken(page);
      assert.equal((await page.connections()).length, connections[index], 'nothing was built anew');
      assert.equal((await page.state()).link, 'connected');
    }
    await assertEverybodyMeets(pages);
    // And it can still be led: a person leaves, and the other hears of it.
    await pages[1]?.click('control-leave');
    await pages[0]?.noTile('Ben');
    for (const page of pages) page.assertNoErrors({ cut: true });
  });
}

test('the node dies while the call is switching to it: the two talk on', async (t) => {
  const stage = await Stage.set(t, 'node-killed-switching', { apart: true, environment: { TRANSITION_TIMEOUT_MS: '5000' } });
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2 });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await assertEverybodyMeets(pages);
  await Promise.all(pages.map((page) => page.proves()));
  for (const page of pages) await page.presented(true);
  const cleo = await stage.open(chromium, `/c/${room}?autojoin=1`, 'Cleo');
  await ana.page.waitForFunction(() => /** @type {any} */ (window).meeshy.state().switching !== null, { timeout: 20_000, polling: 5 });
  await stage.server.nodes[0]?.stop();
  await eventually('the call is direct and settled', async () => {
    const states = await Promise.all(pages.map((page) => page.state()));
    return states.every((state) => state.mode === 'p2p');
  });
  await sleep(1500);
  // A tile that had changed over already waits until the gateway misses the node and calls the switch off.
  for (const page of pages) await assertUnbroken(page, 4000);
  await assertEverybodyMeets(pages);
  await assertDirect(ana, ben);
  cleo.page.removeAllListeners();
});

test('the node dies in a call of three: all meet again on another', async (t) => {
  const stage = await Stage.set(t, 'node-killed', { apart: true, nodes: 2 });
  const chromium = await stage.chromium();
  const { pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo']);
  for (const page of pages) await page.goes('sfu');
  await assertEverybodyMeets(pages);
  const rooms = await Promise.all(stage.server.nodes.map(async (node) => JSON.parse(await node.text('/api/stats')).data.rooms));
  await stage.server.nodes[rooms.findIndex((count) => count > 0)]?.stop();
  const holder = stage.server.nodes[rooms.findIndex((count) => count === 0)];
  assert(holder !== undefined);
  await eventually('the other node has the room', async () => JSON.parse(await holder.text('/api/stats')).data.rooms > 0);
  for (const page of pages) await page.goes('sfu', 30_000);
  await assertEverybodyMeets(pages);
});

test('a cable is pulled out and put back: the call goes on without a click', { skip: canLayCables ? false : 'needs a network namespace' }, async (t) => {
  const stage = await Stage.set(t, 'cable', { ANNOUNCED_IP: '' });
  const network = await away(t, 'cable', CHROMIUM);
  const url = `http://${network.address}:${stage.server.port}`;
  const here = await stage.chromium();
  const there = await stage.chromium([`--unsafely-treat-insecure-origin-as-secure=${url}`], network.run);
  const room = await stage.room(['Ana', 'Ben']);
  const ana = await stage.join(here, { room, name: 'Ana' });
  const ben = await stage.joinFrom(url, there, { room, name: 'Ben' });
  await assertEverybodyMeets([ana, ben]);
  for (const mode of /** @type {const} */ (['p2p', 'sfu'])) {
    if (mode === 'sfu') await stage.throughNode(room, [ana, ben]);
    network.pullOut();
    await eventually('Ana is told that Ben is away', async () => (await ana.state()).participants[0]?.presence === 'away');
    await ben.screenshot(`reconnecting-${mode}`);
    await ana.screenshot(`away-${mode}`);
    assert.equal((await ben.state()).link, 'reconnecting');
    network.plugIn();
    await eventually('Ben is back', async () => (await ana.state()).participants[0]?.presence === 'here');
    await assertEverybodyMeets([ana, ben]);
    await eventually('Ben is connected', async () => (await ben.state()).link === 'connected');
  }
  ana.assertNoErrors();
  ben.assertNoErrors({ cut: true });
});

test('a browser that dies is missed at once and gone when its time is over', async (t) => {
  const stage = await Stage.set(t, 'killed-browser', { RECONNECT_GRACE_SECS: '3' });
  const [one, other] = await Promise.all([stage.chromium(), stage.chromium()]);
  const room = await stage.room(['Ana', 'Ben']);
  const ana = await stage.join(one, { room, name: 'Ana' });
  await stage.join(other, { room, name: 'Ben' });
  await ana.sees('Ben');
  other.process()?.kill('SIGKILL');
  await eventually('he is away', async () => ['away', 'left'].includes((await ana.state()).participants[0]?.presence ?? 'left'));
  await ana.noTile('Ben', undefined, 25_000);
  ana.assertNoErrors();
});

/** @param {import('../harness/server.mjs').Server} server @param {string} room @returns {Promise<string>} */
async function activeCall(server, room) {
  return (await given(server, service(), `GET /api/conversations/${room}/active-call`)).callId;
}
