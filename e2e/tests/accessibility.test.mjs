// Every screen as people reach it, light and dark, on a laptop and on a phone: no finding of axe, nothing that moves
// for somebody who asked for less motion. And by keyboard: what opens keeps the focus, closes with Escape and gives it back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axe } from '../harness/axe.mjs';
import { given, sign } from '../harness/rest.mjs';
import { Stage } from '../harness/stage.mjs';

const SIZES = { laptop: { width: 1366, height: 768 }, phone: { width: 375, height: 812 } };
/** A scheme changes nothing but colours: what has no name in the light has none in the dark. */
const SCHEMES = /** @type {const} */ ({ light: 'all', dark: 'colours' });
/** Of those who are not looked at: small, because every picture on a page is painted by the processor. */
const ASIDE = { width: 320, height: 240 };
const LONG = 'Benjamin Montgomery-Whitfield the Younger';

/** By screen and look; asserted at the end of a test, so that the screens that follow are looked at as well. @type {Record<string, string[]>} */
const findings = {};

/** Looks at a page in every size and scheme. @param {import('../harness/call-page.mjs').CallPage} call @param {string} screen */
async function examine(call, screen) {
  const { page } = call;
  const axe = await Axe.beside(page);
  await page.bringToFront();
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewport(viewport);
    for (const [scheme, rules] of Object.entries(SCHEMES)) {
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
      await page.evaluate(settled);
      const problems = [...(await axe.violations(rules)), ...(await page.evaluate(restless))];
      if (problems.length === 0) continue;
      findings[`${screen}, ${size}, ${scheme}`] = problems;
      await call.screenshot(`accessibility-${screen}-${size}-${scheme}`);
    }
  }
  await axe.session.detach();
  await page.setViewport(SIZES.laptop);
  await page.emulateMediaFeatures([]);
}

/** Nothing was found on the screens since this was asked last. */
function assertNothingFound() {
  const found = { ...findings };
  for (const screen of Object.keys(findings)) delete findings[screen];
  assert.deepEqual(found, {});
}

/** Runs in the page: until what was changed is drawn. */
async function settled() {
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
  // Short fades of what has just come; what never ends is looked for afterwards.
  const ending = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
  await Promise.race([Promise.allSettled(ending.map((each) => each.finished)), new Promise((resolve) => setTimeout(resolve, 1000))]);
}

/** Runs in the page: what moves for ever. A spinner may, slowly: it says that something goes on. */
function restless() {
  return document.getAnimations().flatMap(({ effect }) => {
    if (!(effect instanceof KeyframeEffect) || effect.getComputedTiming().iterations !== Infinity) return [];
    const moving = effect.target;
    return moving?.matches('.spinner') === true ? [] : [`moves although less motion is wanted: ${moving?.className}`];
  });
}

/** Runs in the page: where the focus is. */
function focused() {
  const element = document.activeElement;
  if (element === null) return null;
  const { outlineStyle, outlineWidth, opacity } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const dialog = element.closest('[role="dialog"]');
  return {
    id: element.getAttribute('data-testid'),
    name: element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '',
    dialog: dialog?.getAttribute('data-testid') ?? null,
    place: [...(dialog?.querySelectorAll('button, input, select') ?? [])].findIndex((stop) => stop === element),
    ring: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && Number(opacity) > 0,
    shown: box.width > 0 && box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight,
    page: element === document.body,
  };
}

/**
 * Opens a dialog by keyboard, goes round it in both directions, and closes it with Escape.
 * @param {import('../harness/call-page.mjs').CallPage} call @param {string} opener @param {string} dialog
 */
async function goRound(call, opener, dialog) {
  const { page } = call;
  await page.bringToFront();
  await (await call.find(opener)).focus();
  await page.keyboard.press('Enter');
  const element = await call.find(dialog);
  const reachable = () => element.$$eval('button, input, select', (all) => all.filter((each) => each.checkVisibility() && !each.matches(':disabled')).length);
  const stops = await reachable();
  /** @type {Set<number>} */ const seen = new Set();
  for (const key of /** @type {const} */ (['Tab', 'Shift+Tab'])) {
    for (let press = 0; press < stops + 2; press += 1) {
      if (key === 'Tab') await page.keyboard.press('Tab');
      else {
        await page.keyboard.down('Shift');
        await page.keyboard.press('Tab');
        await page.keyboard.up('Shift');
      }
      const at = await page.evaluate(focused);
      assert.equal(at?.dialog, dialog, `${key} stays in ${dialog}: ${JSON.stringify(at)}`);
      assert(at?.ring && at.shown, `the focus is seen: ${JSON.stringify(at)}`);
      seen.add(at.place);
    }
  }
  // Asked again: devices may have become known on the way.
  assert.equal(seen.size, await reachable(), `Tab reaches all of ${dialog}`);
  await page.keyboard.press('Escape');
  await call.without(dialog);
  assert.equal((await page.evaluate(focused))?.id, opener, 'the focus is where it was');
}

describe('accessibility', () => {
  /** @type {Stage} */ let stage;
  /** @type {import('puppeteer-core').Browser} */ let chromium;
  /** @type {(() => unknown)[]} */ const ends = [];
  before(async () => {
    stage = await Stage.set(/** @type {any} */ ({ after: (/** @type {() => unknown} */ end) => ends.push(end) }), 'accessibility');
    chromium = await stage.chromium();
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('outside a call', async () => {
    const nobody = await stage.open(chromium, '/', 'nobody', { loggedIn: false });
    await nobody.find('login-screen');
    await examine(nobody, 'login');
    await nobody.click('login-submit');
    await nobody.page.waitForSelector('[aria-invalid="true"]');
    await examine(nobody, 'login-without-a-name');
    await nobody.page.goto(`${stage.server.url}/join/no-such-link`);
    await nobody.page.waitForSelector('[data-testid="guest-screen"][data-step="closed"]');
    await examine(nobody, 'dead-link');
    await nobody.close();

    await stage.room(['Ana', LONG], { type: 'direct' });
    const room = await stage.room(['Ana', 'Cleo', LONG], { title: 'Garden party of the extended family' });
    const ana = await stage.open(chromium, '/', 'Ana');
    await ana.find('conversation-item');
    await examine(ana, 'home');
    await goRound(ana, 'new-conversation', 'draft-dialog');
    await ana.click('new-conversation');
    await ana.click('found-person');
    await examine(ana, 'new-conversation');
    await ana.page.goto(`${stage.server.url}/c/${room}`);
    await ana.find('conversation-page');
    await examine(ana, 'conversation');
    await goRound(ana, 'check-devices', 'check-dialog');
    await ana.click('check-devices');
    await ana.find('check-dialog');
    await examine(ana, 'before-a-call');
    await ana.close();

    const { path } = await given(stage.server, await stage.person('Ana'), `POST /api/conversations/${room}/links`, {});
    const guest = await stage.open(chromium, path, 'Gus', { loggedIn: false });
    await guest.find('guest-first-name');
    await examine(guest, 'guest');
    await guest.type('guest-first-name', 'Gus');
    await guest.click('guest-continue');
    await guest.page.waitForSelector('[data-testid="guest-screen"][data-step="waiting"]');
    await examine(guest, 'guest-waiting');
    await guest.close();
    assertNothingFound();
  });

  test('ringing and declining', async () => {
    const room = await stage.room(['Dora', LONG], { type: 'direct' });
    const ben = await stage.open(chromium, '/', LONG);
    await ben.find('conversation-item');
    const dora = await stage.open(chromium, `/c/${room}`, 'Dora');
    await dora.page.waitForSelector('[data-testid="call-video"]:not([disabled])');
    await dora.click('call-video');
    await ben.find('incoming-call');
    await examine(ben, 'incoming');
    await examine(dora, 'outgoing');
    await ben.click('incoming-decline');
    await dora.find('outcome-screen');
    await examine(dora, 'declined');
    for (const page of [ben, dora]) await page.close();
    assertNothingFound();
  });

  test('in a call of two and of three, and for the operator', async () => {
    const { room, pages } = await stage.call(chromium, ['Eve', LONG, 'Fay'], { seated: 2 });
    const [eve, ben] = /** @type {[any, any]} */ (pages);
    await eve.sees(LONG);
    await ben.page.setViewport(ASIDE);
    await examine(eve, 'call-of-two');
    await eve.page.bringToFront();
    await tabThrough(eve);
    await goRound(eve, 'control-devices', 'device-panel');
    await eve.page.setViewport(SIZES.phone);
    await goRound(eve, 'control-devices', 'device-panel');
    await eve.page.setViewport(SIZES.laptop);
    await goRound(eve, 'control-people', 'people-panel');
    await eve.click('control-devices');
    await eve.find('device-panel');
    await examine(eve, 'settings');
    await eve.page.keyboard.press('Escape');
    await ben.click('control-camera');
    await ben.click('control-mic');
    await eve.tile(LONG, { video: false, muted: true });
    await examine(eve, 'without-camera');

    const fay = await stage.join(chromium, { room, name: 'Fay' });
    for (const page of [eve, ben, fay]) await page.goes('sfu');
    await eve.sees('Fay');
    await fay.page.setViewport(ASIDE);
    await examine(eve, 'call-of-three');
    await eve.click('control-people');
    await eve.find('people-panel');
    await examine(eve, 'people');
    await eve.page.keyboard.press('Escape');
    await eve.click('tile-maximise');
    await eve.find('tile-restore');
    await examine(eve, 'one-large');

    await operate(await stage.open(chromium, '/operator', 'Operator', { loggedIn: false }));
    await fay.click('control-leave');
    await fay.without('call-screen');
    await examine(fay, 'after-a-call');
    for (const page of [eve, ben, fay]) page.assertNoErrors();
    assertNothingFound();
  });

  /** @param {import('../harness/call-page.mjs').CallPage} operator */
  async function operate(operator) {
    await operator.find('operator-token');
    await examine(operator, 'operator-sign-in');
    await operator.type('operator-token', sign({ sub: (await stage.person('Ana')).id, role: 'admin' }));
    await operator.click('operator-submit');
    await operator.find('operator-screen');
    await operator.page.waitForFunction(() => Number(/** @type {HTMLElement | null} */ (document.querySelector('[data-testid="plot-packets"]'))?.dataset.samples) > 2);
    await operator.page.$$eval('details', (all) => all.forEach((each) => (each.open = true)));
    await examine(operator, 'operator');
    await goRound(operator, 'node-drain', 'drain-dialog');
    await operator.click('node-drain');
    await operator.find('drain-dialog');
    await examine(operator, 'operator-drain');
    operator.assertNoErrors();
    await operator.close();
  }
});

/** Every control of a call, in the order in which they are seen. @param {import('../harness/call-page.mjs').CallPage} call */
async function tabThrough({ page }) {
  const wanted = await page.$$eval('.controls button', (all) => all.filter((each) => each.checkVisibility()).map((each) => each.getAttribute('data-testid')));
  assert(wanted.length >= 6 && wanted.includes('control-leave'), wanted.join());
  await page.evaluate(() => document.querySelector('main')?.focus());
  /** @type {(string | null)[]} */ const met = [];
  while (met.at(-1) !== 'control-leave' && met.length < 30) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(focused);
    assert(at !== null && !at.page && at.name !== '', `a stop with a name: ${JSON.stringify(at)}`);
    assert(at.ring && at.shown, `the focus is seen: ${JSON.stringify(at)}`);
    met.push(at.id);
  }
  assert.deepEqual(met.filter((id) => id?.startsWith('control-')), wanted, 'left to right');
}
