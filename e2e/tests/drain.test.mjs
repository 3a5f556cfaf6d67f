// Being ended politely: calls go on, new ones are refused, and with the last call the server goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { ask } from '../harness/rest.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

/** @param {import('../harness/server.mjs').Server} server */
function ended(server) {
  const late = new Promise((resolve) => setTimeout(() => resolve('still running'), 15_000).unref());
  return Promise.race([server.exited, late]);
}

test('on SIGTERM a server refuses new calls, keeps the old one, and ends with it', async (t) => {
  const stage = await Stage.set(t, 'drain');
  const chromium = await stage.chromium();
  const { pages } = await stage.call(chromium, ['Ana', 'Ben']);
  await assertEverybodyMeets(pages);
  const other = await stage.room(['Cleo', 'Dan']);

  stage.server.kill('SIGTERM');
  await eventually('the server is not ready for more', async () => (await stage.server.status('/ready')) === 503);
  assert.equal(await stage.server.status('/health'), 200);
  const refused = await ask(stage.server, await stage.person('Cleo'), 'POST /api/calls', { conversationId: other, type: 'video' });
  assert.equal(refused.status, 503, JSON.stringify(refused.body));
  await assertEverybodyMeets(pages);

  for (const page of pages) await page.click('control-leave');
  assert.equal(await ended(stage.server), 0, 'the server ends by itself, with success');
});

test('a server whose grace period is over ends in spite of a call', async (t) => {
  const stage = await Stage.set(t, 'drain-deadline', { DRAIN_TIMEOUT_SECS: '2' });
  await stage.call(await stage.chromium(), ['Ana', 'Ben'], { cam: false });
  const before = Date.now();
  stage.server.kill('SIGTERM');
  assert.equal(await ended(stage.server), 0);
  assert(Date.now() - before >= 1900, 'the grace period was granted');
});
