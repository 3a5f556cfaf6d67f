// The main job: people in different browsers see and hear each other through the server.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';

test('three people in Chromium and Firefox see and hear each other', async (t) => {
  // Nothing is announced by configuration here: that is how a person starts the server.
  const stage = await Stage.set(t, 'group-call', { ANNOUNCED_IP: '' });
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const ana = await stage.join(chromium, { room: 'three', name: 'Ana', simulcast: false });
  const ben = await stage.join(chromium, { room: 'three', name: 'Ben', simulcast: false });
  const cleo = await stage.join(firefox, { room: 'three', name: 'Cleo', simulcast: false });
  const pages = [ana, ben, cleo];
  await assertEverybodyMeets(pages);

  for (const page of pages) {
    const { consumers } = await page.stats();
    assert.equal(consumers.length, 4, `${page.entry.name} receives sound and picture of two others`);
    for (const consumer of consumers) {
      const codec = consumer.kind === 'video' ? /VP8$/i : /opus$/i;
      assert.match(consumer.codec, codec);
      assert.equal(consumer.protocol, 'udp');
    }
    const tiles = await page.tiles();
    assert.deepEqual(tiles.map((tile) => tile.name).sort(), ['Ana', 'Ben', 'Cleo']);
    assert.deepEqual(tiles.filter((tile) => tile.local).map((tile) => tile.name), [page.entry.name]);
    page.assertNoErrors();
  }

  const metrics = await stage.server.text('/metrics');
  assert.match(metrics, /^[a-z_]+(\{[^}]*\})? [0-9.e+]+$/m, 'metrics are Prometheus text');
});

test('with simulcast, both browsers receive pictures', async (t) => {
  const stage = await Stage.set(t, 'simulcast');
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const ana = await stage.join(chromium, { room: 'layers', name: 'Ana' });
  const cleo = await stage.join(firefox, { room: 'layers', name: 'Cleo' });
  await assertEverybodyMeets([ana, cleo]);
  ana.assertNoErrors();
  cleo.assertNoErrors();
});
