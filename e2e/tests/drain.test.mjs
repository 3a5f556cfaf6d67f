// Being ended politely: calls go on, new ones are refused, and with the last call the server goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

test('on SIGTERM a server refuses new calls, keeps the old one, and ends with it', async (t) => {
  const stage = await Stage.set(t, 'drain');
  const chromium = await stage.chromium();
  const ana = await stage.join(chromium, { room: 'last', name: 'Ana', simulcast: false });
  const ben = await stage.join(chromium, { room: 'last', name: 'Ben', simulcast: false });
  await ana.sees('Ben');

  stage.server.kill('SIGTERM');
  await eventually('the server is not ready for more', async () => (await stage.server.status('/ready')) === 503);
  assert.equal(await stage.server.status('/health'), 200);
  const refused = await fetch(`${stage.server.url}/api/lobby/join`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ room: 'another', name: 'Cleo' }),
  });
  assert.equal(refused.status, 503);
  assert.equal((await refused.json()).error.code, 'SERVER_AT_CAPACITY');
  await ana.sees('Ben');
  await ben.hears('Ana');

  await ana.click('control-leave');
  await ben.click('control-leave');
  const late = new Promise((resolve) => setTimeout(() => resolve('still running'), 15_000).unref());
  assert.equal(await Promise.race([stage.server.exited, late]), 0, 'the server ends by itself, with success');
});

test('a server whose grace period is over ends in spite of a call', async (t) => {
  const stage = await Stage.set(t, 'drain-deadline', { DRAIN_TIMEOUT_SECS: '2' });
  await stage.join(await stage.chromium(), { room: 'cut', name: 'Ana', simulcast: false });
  const before = Date.now();
  stage.server.kill('SIGTERM');
  const late = new Promise((resolve) => setTimeout(() => resolve('still running'), 15_000).unref());
  assert.equal(await Promise.race([stage.server.exited, late]), 0);
  assert(Date.now() - before >= 1900, 'the grace period was granted');
});
