// The way in: logging in by a name, making a conversation, inviting a guest; and what is refused with a reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

test('a person logs in, finds another, and has a conversation with them', async (t) => {
  const stage = await Stage.set(t, 'start');
  const chromium = await stage.chromium();
  await stage.person('Ben');
  const ana = await stage.open(chromium, '/', 'Ana', { loggedIn: false });
  await ana.find('login-screen');
  await ana.screenshot('login-desktop');
  await ana.type('login-name', ' ');
  await ana.click('login-submit');
  await ana.page.waitForSelector('[role="alert"], [aria-invalid="true"]', { timeout: 5000 });
  await ana.type('login-name', 'Ana');
  await ana.click('login-submit');
  await ana.find('home-screen');
  await ana.screenshot('home-empty-desktop');
  await ana.click('new-conversation');
  await ana.type('draft-search', 'Be');
  await ana.click('found-person');
  await ana.screenshot('new-conversation-desktop');
  await ana.click('draft-create');
  await ana.find('conversation-page');
  assert.match(new URL(ana.page.url()).pathname, /^\/c\/[0-9a-f]{24}$/);
  // A login outlives a reload.
  await ana.page.reload();
  await ana.find('conversation-page');
  await ana.screenshot('conversation-desktop');
  ana.assertNoErrors();
});

test('a guest comes by a link, waits, and joins the call', async (t) => {
  const stage = await Stage.set(t, 'guest');
  const [chromium, firefox] = await Promise.all([stage.chromium(), stage.firefox()]);
  const room = await stage.room(['Ana', 'Ben']);
  const ana = await stage.open(chromium, `/c/${room}`, 'Ana');
  await ana.find('conversation-page');
  await ana.page.evaluate(() => {
    Object.defineProperty(navigator.clipboard, 'writeText', { value: (/** @type {string} */ text) => Promise.resolve(Object.assign(window, { copied: text })) });
  });
  await ana.click('copy-invite');
  const link = await eventually('the link is copied', () => ana.page.evaluate(() => /** @type {any} */ (window).copied));
  const { pathname } = new URL(link, stage.server.url);
  const gus = await stage.open(firefox, pathname, 'Gus', { loggedIn: false });
  await gus.type('guest-first-name', 'Gus');
  await gus.click('guest-continue');
  await gus.page.waitForSelector('[data-testid="guest-screen"][data-step="waiting"]');
  await gus.screenshot('guest-waiting-desktop');
  await ana.click('call-video');
  await gus.click('guest-join');
  await gus.untilInCall();
  gus.entry.name = 'Guest_Gus';
  await ana.tile('Guest_Gus');
  await assertEverybodyMeets([ana, gus]);
  assert.equal(await gus.page.$('[data-testid="control-screen"]'), null, 'guests do not share their screen');
  await gus.screenshot('guest-call-desktop');
  // Another guest makes it a group call.
  const gitta = await stage.open(chromium, pathname, 'Gitta', { loggedIn: false });
  await gitta.type('guest-first-name', 'Gitta');
  await gitta.click('guest-continue');
  await gitta.click('guest-join');
  await gitta.untilInCall();
  gitta.entry.name = 'Guest_Gitta';
  const pages = [ana, gus, gitta];
  for (const page of pages) await page.goes('sfu');
  await assertEverybodyMeets(pages);
  for (const page of pages) page.assertNoErrors();
});

test('a link that leads nowhere says so', async (t) => {
  const stage = await Stage.set(t, 'dead-link');
  const page = await stage.open(await stage.chromium(), '/join/no-such-link', 'Gus', { loggedIn: false });
  await page.page.waitForSelector('[data-testid="guest-screen"][data-step="closed"]');
  await page.screenshot('guest-closed-desktop');
});
