// What one person switches, the others notice.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage } from '../harness/stage.mjs';

test('mute, camera, screen share and leave are seen by the others', async (t) => {
  const stage = await Stage.set(t, 'controls');
  const chromium = await stage.chromium();
  const ana = await stage.join(chromium, { room: 'controls', name: 'Ana', simulcast: false });
  const ben = await stage.join(chromium, { room: 'controls', name: 'Ben', simulcast: false });
  await ana.sees('Ben');
  await ana.hears('Ben');
  await ana.tile('Ben', { muted: false, video: true });

  await t.test('mute and unmute', async () => {
    await ben.click('control-mic');
    await ana.tile('Ben', { muted: true });
    await ben.tile('Ben', { muted: true });
    const quiet = await ana.received('Ben', 'microphone');
    assert(quiet !== undefined, 'muting pauses the sound and does not end it');
    await ben.click('control-mic');
    await ana.tile('Ben', { muted: false });
    await ana.hears('Ben');
  });

  await t.test('camera off and on', async () => {
    await ben.click('control-camera');
    await ana.tile('Ben', { video: false });
    await ana.hears('Ben');
    assert.equal(await ana.received('Ben', 'camera'), undefined, 'a camera that is off sends nothing');
    await ben.click('control-camera');
    await ana.tile('Ben', { video: true });
    await ana.sees('Ben');
  });

  await t.test('screen share beside the camera', async () => {
    await ben.click('control-screen');
    await ana.tile('Ben', { source: 'screen' });
    await ana.sees('Ben', 'screen');
    await ana.sees('Ben', 'camera');
    await ana.screenshot('screen-share-desktop');
    await ben.click('control-screen');
    await ana.noTile('Ben', 'screen');
    await ana.sees('Ben', 'camera');
  });

  await t.test('leave', async () => {
    await ben.click('control-leave');
    await ben.page.waitForSelector('[data-testid="left-screen"]', { timeout: 5000 });
    await ana.noTile('Ben');
    assert.deepEqual((await ana.stats()).consumers, []);
  });

  ana.assertNoErrors();
  ben.assertNoErrors();
});
