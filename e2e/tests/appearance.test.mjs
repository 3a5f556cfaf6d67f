// Screenshots of every state to look at: artifacts/screenshots. What can be checked by machine is that nothing falls off
// the screen, that everything has a name, and that a page never scrolls sideways.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { DESKTOP, PHONE } from '../harness/browsers.mjs';
import { Stage } from '../harness/stage.mjs';

const LOOKS = /** @type {const} */ ({
  desktop: { viewport: DESKTOP, scheme: 'dark' },
  'desktop-light': { viewport: DESKTOP, scheme: 'light' },
  phone: { viewport: PHONE, scheme: 'dark' },
  'phone-light': { viewport: PHONE, scheme: 'light' },
});

/**
 * Pictures of a page in every look, with the checks that a machine can make.
 * @param {import('../harness/call-page.mjs').CallPage} call @param {string} state
 */
async function portray(call, state) {
  const { page } = call;
  for (const [look, { viewport, scheme }] of Object.entries(LOOKS)) {
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.bringToFront();
    await sleep(400);
    await call.screenshot(`${state}-${look}`);
    const problems = await page.evaluate(inspect);
    assert.deepEqual(problems, [], `${state}, ${look}`);
  }
  await page.setViewport(DESKTOP);
  await page.emulateMediaFeatures([]);
}

/** Runs in the page: what is wrong with it. */
function inspect() {
  /** @type {string[]} */ const problems = [];
  if (document.documentElement.scrollWidth > innerWidth) problems.push('the page scrolls sideways');
  const fits = (/** @type {DOMRect} */ box) =>
    box.width > 0 && box.left >= -1 && box.right <= innerWidth + 1 && box.top >= -1 && box.bottom <= innerHeight + 1;
  // A phone has fewer controls; these a call must have.
  const needed = ['tile', 'control-mic', 'control-camera', 'control-leave'];
  for (const part of document.querySelectorAll('[data-testid="tile"], [data-testid^="control-"]')) {
    const id = part.getAttribute('data-testid') ?? '';
    const shown = part.getClientRects().length > 0;
    if ((shown || needed.includes(id)) && !fits(part.getBoundingClientRect())) problems.push(`${id} lies outside`);
  }
  for (const button of document.querySelectorAll('button')) {
    if (button.getClientRects().length === 0) continue;
    const name = button.getAttribute('aria-label') ?? button.getAttribute('aria-labelledby') ?? button.textContent?.trim();
    if (!name) problems.push(`a button without a name: ${button.outerHTML.slice(0, 80)}`);
  }
  for (const image of document.querySelectorAll('img:not([alt])')) problems.push(`a picture without a text: ${image.outerHTML.slice(0, 80)}`);
  return problems;
}

test('before a call: logging in, the list, a conversation, ringing, being rung, outcomes', async (t) => {
  const stage = await Stage.set(t, 'appearance-before');
  const chromium = await stage.chromium();
  const nobody = await stage.open(chromium, '/', 'nobody', { loggedIn: false });
  await nobody.find('login-screen');
  await portray(nobody, 'login');
  await nobody.close();

  const room = await stage.room(['Ana', 'Benjamin Montgomery-Whitfield the Younger'], { type: 'direct' });
  await stage.room(['Ana', 'Cleo', 'Benjamin Montgomery-Whitfield the Younger'], { title: 'Garden party of the extended family' });
  const ana = await stage.open(chromium, '/', 'Ana');
  await ana.find('conversation-item');
  await portray(ana, 'home');
  const ben = await stage.open(chromium, '/', 'Benjamin Montgomery-Whitfield the Younger');
  await ben.find('home-screen');
  await ana.page.goto(`${stage.server.url}/c/${room}`);
  await ana.find('conversation-page');
  await portray(ana, 'conversation');
  await ana.page.waitForSelector('[data-testid="call-video"]:not([disabled])');
  await ana.click('call-video');
  await ben.find('incoming-call');
  await portray(ben, 'incoming');
  await portray(ana, 'outgoing');
  await ben.click('incoming-decline');
  await ana.find('outcome-screen');
  await portray(ana, 'declined');
  for (const page of [ana, ben]) page.assertNoErrors();
});

test('in a call: two, three, a screen, people, captions, outcomes', async (t) => {
  const stage = await Stage.set(t, 'appearance-call');
  const chromium = await stage.chromium();
  const names = ['Ana', 'Benjamin Montgomery-Whitfield the Younger', 'Cleo'];
  const { room, pages } = await stage.call(chromium, names, { seated: 2 });
  const [ana, ben] = /** @type {[any, any]} */ (pages);
  await ana.sees(ben.entry.name);
  await portray(ana, 'call-two');
  await ben.click('control-camera');
  await ben.click('control-mic');
  await ana.tile(ben.entry.name, { video: false, muted: true });
  await portray(ana, 'call-two-without-camera');
  await ben.click('control-camera');
  const cleo = await stage.join(chromium, { room, name: 'Cleo' });
  for (const page of [ana, ben, cleo]) await page.goes('sfu');
  for (const other of [ben, cleo]) await ana.sees(other.entry.name);
  await portray(ana, 'call-three');
  await ana.click('control-people');
  await ana.find('people-panel');
  await portray(ana, 'people');
  await ana.page.keyboard.press('Escape');
  await ana.click('control-devices');
  await portray(ana, 'devices');
  await ana.page.keyboard.press('Escape');
  await cleo.click('control-screen');
  await ana.tile('Cleo', { source: 'screen' });
  await ana.sees('Cleo', 'screen');
  await portray(ana, 'call-screen-share');
  for (const page of [ana, ben, cleo]) page.assertNoErrors();
});
