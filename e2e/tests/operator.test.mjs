// The operator's page before a real installation: a call comes, grows and switches; a node is drained and taken back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { Stage } from '../harness/stage.mjs';
import { LOGIN_SECRET } from '../harness/server.mjs';
import { eventually } from '../harness/wait.mjs';

/** A token as operators make them. @param {string[]} words */
function mint(...words) {
  const environment = { PATH: process.env.PATH, JWT_SECRET: LOGIN_SECRET };
  return execFileSync(process.env.MEESHY_BINARY ?? '', ['token', ...words], { env: environment, encoding: 'utf8' }).trim();
}

/**
 * What elements of this id carry, and their text.
 * @param {import('../harness/call-page.mjs').CallPage} page @param {string} id
 * @returns {Promise<Record<string, string | undefined>[]>}
 */
function marks(page, id) {
  return page.page.$$eval(`[data-testid="${id}"]`, (elements) => elements.map((element) => ({ .../** @type {HTMLElement} */ (element).dataset, text: element.textContent ?? '' })));
}

test('an operator sees a call come, grow and switch, and drains a node', async (t) => {
  const stage = await Stage.set(t, 'operator');
  const chromium = await stage.chromium();
  const ana = await stage.person('Ana');
  const operator = await stage.open(chromium, '/operator', 'Operator', { loggedIn: false });

  await operator.type('operator-token', mint('--role', 'user', '--user-id', ana.id));
  await operator.click('operator-submit');
  await operator.page.waitForSelector('[data-refusal="forbidden"]');
  await operator.page.waitForFunction(() => document.body.textContent?.includes('meeshy token --role admin'));
  // The browser reports the refusal too; it is what was asked for.
  operator.errors.length = 0;

  await operator.type('operator-token', mint('--role', 'admin', '--user-id', ana.id));
  await operator.click('operator-submit');
  await operator.find('operator-screen');
  await operator.page.waitForSelector('[data-connection="live"]');

  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2 });
  await eventually('the direct call is listed', async () => (await marks(operator, 'call')).some(({ mode }) => mode === 'p2p'));
  pages.push(await stage.join(chromium, { room, name: 'Cleo' }));
  await Promise.all(pages.map((page) => page.goes('sfu')));
  await eventually('the group call is listed', async () => (await marks(operator, 'call')).some(({ mode }) => mode === 'sfu'));
  const took = await eventually('the switch is listed', async () =>
    (await marks(operator, 'switch')).find(({ to, success }) => to === 'sfu' && success === 'true'),
  );
  assert.match(took.text ?? '', /\d+ ms|\d+\.\d+ s/);
  await eventually('packets flow', async () => (await marks(operator, 'node-packets')).some(({ text }) => /[1-9]/.test(text ?? '')));
  await eventually('the plot has a line', async () => Number((await marks(operator, 'plot-packets'))[0]?.samples) > 2);

  await operator.click('node-drain');
  await operator.find('drain-dialog');
  assert.equal((await marks(operator, 'drain-call')).length, 1);
  await operator.click('drain-sure');
  await eventually('the node drains', async () => (await marks(operator, 'node')).some(({ state }) => state === 'draining'));
  await operator.click('node-undrain');
  await eventually('the node takes rooms again', async () => (await marks(operator, 'node')).some(({ state }) => state === 'ready'));
  for (const page of pages) assert.equal((await page.state()).mode, 'sfu', 'the call went on');
  operator.assertNoErrors();
});
