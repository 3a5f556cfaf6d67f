// What one person switches, the others notice; by hand and by keyboard, directly and through the node.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

for (const mode of ['p2p', 'sfu']) {
  test(`mute, camera, screen share and leave are seen by the others (${mode})`, async (t) => {
    const stage = await Stage.set(t, `controls-${mode}`);
    const chromium = await stage.chromium();
    const { room, pages } = await stage.call(chromium, ['Ana', 'Ben']);
    const [ana, ben] = /** @type {[any, any]} */ (pages);
    await ana.hears('Ben');
    if (mode === 'sfu') await stage.throughNode(room, pages);
    await ana.sees('Ben');
    await ana.hears('Ben');
    await ana.tile('Ben', { muted: false, video: true });

    await t.test('mute and unmute', async () => {
      await ben.click('control-mic');
      await ana.tile('Ben', { muted: true });
      await ben.tile('Ben', { muted: true });
      assert((await ana.received('Ben', 'microphone')) !== undefined, 'muting pauses the sound and does not end it');
      await ben.click('control-mic');
      await ana.tile('Ben', { muted: false });
      await ana.hears('Ben');
    });

    await t.test('camera off and on', async () => {
      await ben.click('control-camera');
      await ana.tile('Ben', { video: false });
      await ana.hears('Ben');
      const first = (await ana.received('Ben', 'camera'))?.framesDecoded ?? 0;
      await ana.hears('Ben');
      assert.equal((await ana.received('Ben', 'camera'))?.framesDecoded ?? 0, first, 'a camera that is off sends nothing');
      await ben.click('control-camera');
      await ana.tile('Ben', { video: true });
      await ana.sees('Ben');
    });

    await t.test('screen share beside the camera', async () => {
      await ben.click('control-screen');
      await ana.tile('Ben', { source: 'screen' });
      await ana.sees('Ben', 'screen');
      await ana.sees('Ben', 'camera');
      if (mode === 'sfu') await ana.screenshot('screen-share-desktop');
      await ben.click('control-screen');
      await ana.noTile('Ben', 'screen');
      await ana.sees('Ben', 'camera');
    });

    await t.test('ten quick presses end where the last one left it', async () => {
      for (let press = 0; press < 11; press += 1) await ben.click('control-mic');
      await ben.tile('Ben', { muted: true });
      await ana.tile('Ben', { muted: true });
      await ben.click('control-mic');
      await ana.hears('Ben');
    });

    await t.test('leave', async () => {
      await ben.click('control-leave');
      await ben.without('call-screen');
      await ana.noTile('Ben');
      const flowing = await eventually('nothing comes from Ben any more', async () => (await ana.received('Ben', 'camera')) === undefined);
      assert(flowing);
    });

    ana.assertNoErrors();
    ben.assertNoErrors();
  });
}

test('a call is led by keyboard alone', async (t) => {
  const stage = await Stage.set(t, 'keyboard');
  const chromium = await stage.chromium();
  const { pages } = await stage.call(chromium, ['Ana', 'Ben'], { type: 'direct' });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await ana.sees('Ben');
  const { page } = ben;
  await page.bringToFront();
  /** Presses Tab until a control has the focus, and shows that it has it. @param {string} id */
  const tabTo = async (id) => {
    for (let press = 0; press < 40; press += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === null) return null;
        const style = getComputedStyle(element);
        const visible = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
        return { id: element.getAttribute('data-testid'), label: element.getAttribute('aria-label') ?? element.textContent?.trim(), visible };
      });
      if (focused?.id !== id) continue;
      assert(focused.visible, `${id} shows that it has the focus`);
      assert(focused.label, `${id} has a name for a screen reader`);
      return;
    }
    assert.fail(`${id} is not reached by the Tab key`);
  };
  await tabTo('control-mic');
  await page.keyboard.press('Space');
  await ana.tile('Ben', { muted: true });
  await page.keyboard.press('Enter');
  await ana.tile('Ben', { muted: false });
  await tabTo('control-camera');
  await page.keyboard.press('Enter');
  await ana.tile('Ben', { video: false });
  await page.keyboard.press('Escape');
  assert.equal((await ben.state()).phase, 'in-call', 'Escape never hangs up');
  await tabTo('control-leave');
  await page.keyboard.press('Enter');
  await ben.without('call-screen');
  for (const each of pages) each.assertNoErrors();
});
