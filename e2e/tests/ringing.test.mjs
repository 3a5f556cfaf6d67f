// Calling somebody, as the two people see it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';
import { assertDirect } from '../harness/way.mjs';

/** Two people look at their conversation. @param {Stage} stage @param {import('puppeteer-core').Browser} browser @param {import('puppeteer-core').Browser} [other] */
async function twoLooking(stage, browser, other = browser) {
  const room = await stage.room(['Ana', 'Ben'], { type: 'direct' });
  const ana = await stage.open(browser, `/c/${room}`, 'Ana');
  const ben = await stage.open(other, `/c/${room}`, 'Ben');
  for (const page of [ana, ben]) await page.find('conversation-page');
  await ana.page.waitForSelector('[data-testid="call-video"]:not([disabled])');
  return { room, ana, ben };
}

/** @param {import('../harness/call-page.mjs').CallPage} page @param {string} outcome */
async function ends(page, outcome) {
  await page.page.waitForSelector(`[data-testid="outcome-screen"][data-outcome="${outcome}"]`, { timeout: 15_000 });
}

test('a call rings, is accepted, and ends with both hanging up', async (t) => {
  const stage = await Stage.set(t, 'ringing-accept');
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const { ana, ben } = await twoLooking(stage, chromium, firefox);
  await ana.click('call-video');
  await ana.find('outgoing-screen');
  await ben.find('incoming-call');
  const focused = await ben.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  assert.equal(focused, 'incoming-accept', 'Enter is enough');
  await ben.page.keyboard.press('Enter');
  for (const page of [ana, ben]) await page.untilInCall();
  await assertEverybodyMeets([ana, ben]);
  await assertDirect(ana, ben);
  await ana.click('control-leave');
  for (const page of [ana, ben]) {
    await page.without('call-screen');
    page.assertNoErrors();
  }
});

test('a call is declined', async (t) => {
  const stage = await Stage.set(t, 'ringing-decline');
  const { ana, ben } = await twoLooking(stage, await stage.chromium());
  await ana.click('call-audio');
  await ben.click('incoming-decline');
  await ends(ana, 'declined');
  await ana.click('outcome-back');
  await ana.find('conversation-page');
  await ben.without('incoming-call');
  for (const page of [ana, ben]) page.assertNoErrors();
});

test('a caller gives up, and the ringing stops', async (t) => {
  const stage = await Stage.set(t, 'ringing-cancel');
  const { ana, ben } = await twoLooking(stage, await stage.chromium());
  await ana.click('call-video');
  await ben.find('incoming-call');
  await ana.click('outgoing-cancel');
  await ben.without('incoming-call');
  await ana.without('outgoing-screen');
  for (const page of [ana, ben]) page.assertNoErrors();
});

test('nobody answers, and it can be tried again at once', async (t) => {
  const stage = await Stage.set(t, 'ringing-missed', { RING_TIMEOUT_SECS: '2' });
  const { ana, ben } = await twoLooking(stage, await stage.chromium());
  await ana.click('call-video');
  await ben.find('incoming-call');
  await ends(ana, 'missed');
  await ben.without('incoming-call');
  await ana.click('outcome-again');
  await ben.click('incoming-accept');
  for (const page of [ana, ben]) await page.untilInCall();
  await ana.sees('Ben');
  for (const page of [ana, ben]) page.assertNoErrors();
});

test('somebody who is not there cannot be reached, and is told later', async (t) => {
  const stage = await Stage.set(t, 'ringing-offline');
  const chromium = await stage.chromium();
  const room = await stage.room(['Ana', 'Ben'], { type: 'direct' });
  const ana = await stage.open(chromium, `/c/${room}?autojoin=1`, 'Ana');
  await ends(ana, 'offline');
  const ben = await stage.open(chromium, `/c/${room}`, 'Ben');
  await ben.find('past-call');
  for (const page of [ana, ben]) page.assertNoErrors();
});

test('two windows of one person: one is answered, the other stops ringing', async (t) => {
  const stage = await Stage.set(t, 'ringing-windows');
  const chromium = await stage.chromium();
  const { room, ana, ben } = await twoLooking(stage, chromium);
  const second = await stage.open(chromium, `/c/${room}`, 'Ben');
  await second.find('conversation-page');
  await ana.click('call-video');
  for (const page of [ben, second]) await page.find('incoming-call');
  await second.click('incoming-accept');
  await second.untilInCall();
  await ben.without('incoming-call');
  assert.equal((await ben.state()).phase, 'idle');
  await second.sees('Ana');
  for (const page of [ana, ben, second]) page.assertNoErrors();
});

test('a group’s call can be joined from the banner', async (t) => {
  // Whoever comes while it rings is rung, too; the banner is for those who come later.
  const stage = await Stage.set(t, 'banner', { RING_TIMEOUT_SECS: '12' });
  const chromium = await stage.chromium();
  const room = await stage.room(['Ana', 'Ben', 'Cleo']);
  const ana = await stage.join(chromium, { room, name: 'Ana' });
  const ben = await stage.join(chromium, { room, name: 'Ben' });
  await ana.sees('Ben');
  const cleo = await stage.open(chromium, `/c/${room}`, 'Cleo');
  await cleo.find('ongoing-banner');
  await cleo.screenshot('banner-desktop');
  await cleo.click('banner-join');
  await cleo.untilInCall();
  const pages = [ana, ben, cleo];
  for (const page of pages) await page.goes('sfu');
  await assertEverybodyMeets(pages);
  for (const page of pages) page.assertNoErrors();
});
