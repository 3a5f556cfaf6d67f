// Every video codec that we offer besides VP8, from encoder to decoder, on both ways.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';

for (const codec of ['H264', 'VP9', 'AV1']) {
  test(`two people in Chromium meet with ${codec}, directly and through the node`, async (t) => {
    const stage = await Stage.set(t, `codec-${codec}`);
    const chromium = await stage.chromium();
    const { room, pages } = await stage.call(chromium, ['Ana', 'Ben'], { codec: codec.toLowerCase() });
    for (const mode of ['p2p', 'sfu']) {
      if (mode === 'sfu') await stage.throughNode(room, pages);
      await assertEverybodyMeets(pages);
      for (const page of pages) {
        const other = page === pages[0] ? 'Ben' : 'Ana';
        const camera = await page.received(other, 'camera');
        assert.match(camera?.codec ?? '', new RegExp(`${codec}$`, 'i'), mode);
      }
    }
    for (const page of pages) page.assertNoErrors();
  });
}
