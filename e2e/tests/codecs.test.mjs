// Every video codec that we offer besides VP8, from encoder to decoder.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';

for (const codec of ['H264', 'VP9', 'AV1']) {
  test(`two people in Chromium meet with ${codec}`, async (t) => {
    const stage = await Stage.set(t, `codec-${codec}`);
    const chromium = await stage.chromium();
    const ana = await stage.join(chromium, { room: codec, name: 'Ana', codec: codec.toLowerCase(), simulcast: false });
    const ben = await stage.join(chromium, { room: codec, name: 'Ben', codec: codec.toLowerCase(), simulcast: false });
    await assertEverybodyMeets([ana, ben]);
    for (const page of [ana, ben]) {
      const other = page === ana ? ben : ana;
      const camera = await page.received(other.entry.name, 'camera');
      assert.match(camera?.codec ?? '', new RegExp(`${codec}$`, 'i'));
      page.assertNoErrors();
    }
  });
}
