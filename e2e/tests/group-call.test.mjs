// The main job: people come and go, the way media takes changes, and nobody notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';
import { assertDirect } from '../harness/way.mjs';

const QUICK = { SFU_TO_P2P_HYSTERESIS_MS: '1000' };

test('a third person comes from another browser, and goes again', async (t) => {
  // Nothing is announced by configuration here: that is how a person starts the server.
  const stage = await Stage.set(t, 'group-call', { ANNOUNCED_IP: '', ...QUICK });
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const room = await stage.room(['Ana', 'Ben', 'Fox']);
  const ana = await stage.join(chromium, { room, name: 'Ana' });
  const ben = await stage.join(chromium, { room, name: 'Ben' });
  await assertEverybodyMeets([ana, ben]);
  await assertDirect(ana, ben);
  const fox = await stage.join(firefox, { room, name: 'Fox' });
  const pages = [ana, ben, fox];
  for (const page of pages) await page.goes('sfu');
  await assertEverybodyMeets(pages);

  for (const page of pages) {
    const { consumers } = await page.stats();
    const flowing = consumers.filter((consumer) => consumer.packetsReceived > 0);
    assert.equal(flowing.length, 4, `${page.entry.name} receives sound and picture of two others`);
    for (const consumer of flowing) {
      assert.match(consumer.codec, consumer.kind === 'video' ? /VP8$/i : /opus$/i);
      assert.equal(consumer.protocol, 'udp');
    }
    const tiles = await page.tiles();
    assert.deepEqual(tiles.map((tile) => tile.name).sort(), ['Ana', 'Ben', 'Fox']);
    assert.deepEqual(tiles.filter((tile) => tile.local).map((tile) => tile.name), [page.entry.name]);
  }
  const metrics = await stage.server.text('/metrics');
  assert.match(metrics, /^calls_mode_transitions_total\{[^}]*\} 1$/m);

  await ben.click('control-leave');
  for (const page of [ana, fox]) await page.goes('p2p', 30_000);
  await assertEverybodyMeets([ana, fox]);
  await assertDirect(ana, fox);
  for (const page of pages) page.assertNoErrors();
});

test('two, three, two, three: somebody who cannot decide disturbs nobody', async (t) => {
  const stage = await Stage.set(t, 'storm', { SFU_TO_P2P_HYSTERESIS_MS: '300' });
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2 });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await assertEverybodyMeets(pages);
  for (const page of pages) await page.proves();
  for (let round = 0; round < 3; round += 1) {
    const cleo = await stage.join(chromium, { room, name: 'Cleo' });
    // Sometimes she stays, sometimes she is gone before anything is settled.
    if (round % 2 === 0) await cleo.sees('Ana');
    await cleo.click('control-leave');
    await cleo.close();
  }
  for (const page of pages) {
    await page.noTile('Cleo');
    await page.goes('p2p', 30_000);
  }
  await assertEverybodyMeets(pages);
  await assertDirect(ana, ben);
  for (const page of pages) page.assertNoErrors();
});

test('who comes while the call is switching is taken in when it is done', async (t) => {
  const stage = await Stage.set(t, 'join-during-switch');
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo', 'Dan'], { seated: 2, cam: false });
  await Promise.all(pages.map((page) => page.proves()));
  // Both at once: whoever is second waits for the switch that the first one causes.
  const late = await Promise.all(['Cleo', 'Dan'].map((name) => stage.join(chromium, { room, name, cam: false })));
  const all = [...pages, ...late];
  for (const page of all) {
    await page.goes('sfu');
    for (const other of all.filter((each) => each !== page)) await page.hears(other.entry.name);
    page.assertNoErrors();
  }
});

test('a call of three goes on when its first person goes at the worst moment', async (t) => {
  const stage = await Stage.set(t, 'leave-during-switch', QUICK);
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2 });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await assertEverybodyMeets(pages);
  const coming = stage.join(chromium, { room, name: 'Cleo' });
  await ana.page.waitForFunction(() => /** @type {any} */ (window).meeshy.state().switching !== null, { timeout: 20_000, polling: 10 });
  await ana.click('control-leave');
  const cleo = await coming;
  await ben.noTile('Ana');
  await assertEverybodyMeets([ben, cleo]);
  for (const page of [ben, cleo]) await page.goes('p2p', 30_000);
  await assertEverybodyMeets([ben, cleo]);
  for (const page of [ben, cleo]) page.assertNoErrors();
});

test('with simulcast, both browsers receive pictures', async (t) => {
  const stage = await Stage.set(t, 'simulcast');
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const room = await stage.room(['Ana', 'Fox']);
  const ana = await stage.join(chromium, { room, name: 'Ana', simulcast: true });
  const fox = await stage.join(firefox, { room, name: 'Fox', simulcast: true });
  await assertEverybodyMeets([ana, fox]);
  await stage.throughNode(room, [ana, fox]);
  await assertEverybodyMeets([ana, fox]);
  ana.assertNoErrors();
  fox.assertNoErrors();
});
