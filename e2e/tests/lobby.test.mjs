// The way in: what a person types, and what is refused with a reason they can read.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PHONE } from '../harness/browsers.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

test('a person fills in the lobby, joins, and is alone in the call', async (t) => {
  const stage = await Stage.set(t, 'lobby');
  const ana = await stage.open(await stage.chromium(), '/', 'Ana');
  await ana.type('lobby-name', 'Ana');
  await ana.type('lobby-room', 'Daily stand-up');
  await ana.screenshot('lobby-desktop');
  await ana.page.setViewport(PHONE);
  await ana.screenshot('lobby-phone');
  await ana.click('lobby-join');
  await ana.untilInCall();
  await ana.tile('Ana', { local: true, video: true, muted: false });
  await ana.screenshot('alone-phone');
  await ana.click('control-leave');
  await ana.page.waitForSelector('[data-testid="left-screen"]', { timeout: 5000 });
  await ana.screenshot('left-phone');
  ana.assertNoErrors();
});

test('an invitation link leads to the lobby of its room', async (t) => {
  const stage = await Stage.set(t, 'invitation');
  const ana = await stage.open(await stage.chromium(), '/r/Board%20meeting', 'Ana');
  await ana.page.waitForSelector('[data-testid="lobby-room"]');
  const room = await ana.page.$eval('[data-testid="lobby-room"]', (field) => /** @type {HTMLInputElement} */ (field).value);
  assert.equal(room, 'Board meeting');
  ana.assertNoErrors();
});

test('names that cannot be are refused with a visible reason', async (t) => {
  const stage = await Stage.set(t, 'bad-names');
  const long = 'x'.repeat(65);
  for (const [name, room] of [['', 'daily'], ['Ana', ''], [long, 'daily'], ['Ana', long], ['   ', 'daily']]) {
    const response = await fetch(`${stage.server.url}/api/lobby/join`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ room, name }),
    });
    assert.equal(response.status, 400, `name ${JSON.stringify(name)}, room ${JSON.stringify(room)}`);
    const answer = await response.json();
    assert.equal(answer.success, false);
    assert.equal(answer.error.code, 'INVALID_REQUEST');
    assert(answer.error.message.length > 5, 'the reason is in words');
  }

  const page = await stage.open(await stage.chromium(), '/', 'nobody');
  await page.type('lobby-room', 'daily');
  await page.type('lobby-name', ' ');
  assert(await staysOut(page), 'without a name nobody gets in');
  await page.type('lobby-name', 'Ana');
  await page.type('lobby-room', ' ');
  assert(await staysOut(page), 'without a room nobody gets in');
  const link = `/?room=${long}&name=Ana&autojoin=1`;
  const strange = await stage.open(await stage.chromium(), link, 'strange-link');
  await eventually('the page says what is wrong', async () => {
    const reason = await strange.page.$('[data-testid="lobby-problem"]');
    return (await reason?.evaluate((element) => element.textContent ?? ''))?.trim();
  });
  assert.equal(await strange.page.$('[data-testid="call-screen"]'), null);
  await strange.screenshot('refused-desktop');
});

/**
 * Tries the join button; true if the lobby is still there, with the button disabled or a reason on the page.
 * @param {import('../harness/call-page.mjs').CallPage} page
 */
async function staysOut(page) {
  const disabled = await page.page.$eval('[data-testid="lobby-join"]', (button) => button.matches(':disabled, [aria-disabled="true"]'));
  if (disabled) return true;
  await page.click('lobby-join');
  await page.page.waitForSelector('[role="alert"], [aria-invalid="true"]', { timeout: 5000 });
  return (await page.page.$('[data-testid="call-screen"]')) === null;
}
