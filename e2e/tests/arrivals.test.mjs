// Coming late, and coming over TCP.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';

test('who comes late has a picture without waiting for the next key frame, each time', async (t) => {
  const stage = await Stage.set(t, 'late-join');
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2 });
  const [ana] = /** @type {[any]} */ (pages);
  await stage.throughNode(room, pages);
  await assertEverybodyMeets(pages);

  // A camera that nobody asks sends its next key frame after thousands of pictures: minutes, which no wait here lasts.
  // How long it takes when asked is measured by bench-join.mjs.
  for (let round = 0; round < 3; round += 1) {
    const cleo = await stage.join(chromium, { room, name: 'Cleo' });
    for (const camera of [await cleo.sees('Ana'), await cleo.sees('Ben')]) assert.notEqual(camera.firstFrameMs, null);
    await ana.sees('Cleo');
    cleo.assertNoErrors();
    await cleo.click('control-leave');
    await ana.noTile('Cleo');
    await cleo.close();
  }
});

test('where UDP is blocked a call through the node goes over TCP', async (t) => {
  const stage = await Stage.set(t, 'tcp');
  const chromium = await stage.chromium();
  const room = await stage.room(['Ana', 'Ben']);
  const ana = await stage.join(chromium, { room, name: 'Ana', forceTcp: true });
  const ben = await stage.join(chromium, { room, name: 'Ben' });
  await assertEverybodyMeets([ana, ben]);
  await stage.throughNode(room, [ana, ben]);
  await assertEverybodyMeets([ana, ben]);
  const overTcp = await ana.received('Ben', 'camera');
  const overUdp = await ben.received('Ana', 'camera');
  assert.equal(overTcp?.protocol, 'tcp');
  assert.equal(overUdp?.protocol, 'udp');
  ana.assertNoErrors();
});
