// Screenshots to look at: artifacts/screenshots. What can be checked by machine is that nothing falls off the screen.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DESKTOP, PHONE } from '../harness/browsers.mjs';
import { Stage } from '../harness/stage.mjs';

test('a call fits on a desk and in a hand', async (t) => {
  const stage = await Stage.set(t, 'appearance');
  const chromium = await stage.chromium();
  const pages = [];
  for (const name of ['Ana', 'Benjamin Montgomery-Whitfield the Younger', 'Cleo']) {
    pages.push(await stage.join(chromium, { room: 'appearance', name, simulcast: false }));
  }
  const [ana] = pages;
  assert(ana !== undefined);
  for (const other of pages.slice(1)) await ana.sees(other.entry.name);

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await ana.page.setViewport(viewport);
    await ana.page.bringToFront();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await ana.screenshot(`call-${size}`);
    /** @type {(string | null)[]} */
    const outside = await ana.page.evaluate(() => {
      const parts = [...document.querySelectorAll('[data-testid="tile"], [data-testid^="control-"]')];
      // A phone has fewer controls; these it must have.
      const needed = ['tile', 'control-mic', 'control-camera', 'control-leave'];
      const fits = (/** @type {DOMRect} */ box) =>
        box.width > 0 && box.left >= -1 && box.right <= innerWidth + 1 && box.top >= -1 && box.bottom <= innerHeight + 1;
      const missing = parts.filter((part) => {
        const optional = !needed.includes(part.getAttribute('data-testid') ?? '');
        return !(optional && part.getClientRects().length === 0) && !fits(part.getBoundingClientRect());
      });
      return missing.map((part) => part.getAttribute('data-testid'));
    });
    assert.deepEqual(outside, [], `nothing lies outside the ${size} screen`);
    /** @type {boolean} */
    const wide = await ana.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `the ${size} page does not scroll sideways`);
  }
  ana.assertNoErrors();
});
