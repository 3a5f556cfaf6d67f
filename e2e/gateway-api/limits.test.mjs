// Limits, each with its headers and with what is told to whoever meets it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../harness/client.mjs';
import { ask, newcomer } from '../harness/rest.mjs';
import { gather, meet } from '../harness/scene.mjs';
import { Server } from '../harness/server.mjs';

/** @type {Server} */ let server;
before(async () => {
  server = await Server.start('api-limits');
});
after(() => server.stop());

/** @param {import('../harness/rest.mjs').Answer} answer @param {number} limit */
function assertRefused(answer, limit) {
  assert.equal(answer.status, 429);
  assert.equal(answer.error.code, 'RATE_LIMIT_EXCEEDED');
  assert(Number.isInteger(answer.error.retryAfter) && answer.error.retryAfter > 0);
  assert.equal(answer.headers.get('retry-after'), String(answer.error.retryAfter));
  assert.equal(answer.headers.get('x-ratelimit-limit'), String(limit));
  assert.equal(answer.headers.get('x-ratelimit-remaining'), '0');
  assert(Number(answer.headers.get('x-ratelimit-reset')) >= Date.now() / 1000 - 1);
}

test('a hundred REST requests about calls in a quarter of an hour', async () => {
  const [ana, ben] = [await newcomer(server), await newcomer(server)];
  const line = `GET /api/calls/${'0'.repeat(24)}`;
  for (let index = 0; index < 100; index += 1) {
    const answer = await ask(server, ana, line);
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.get('x-ratelimit-limit'), '100');
    assert.equal(answer.headers.get('x-ratelimit-remaining'), String(99 - index));
  }
  assertRefused(await ask(server, ana, line), 100);
  assert.equal((await ask(server, ben, line)).status, 404, 'it is counted by person');
  assert.equal((await ask(server, ana, 'GET /api/users/me')).status, 200, 'other paths are not touched');
});

test('five calls begun in a minute, over REST and sockets together', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2);
  const [one] = /** @type {[Client]} */ (devices);
  const body = { conversationId: conversation, type: 'audio' };
  for (let index = 0; index < 5; index += 1) {
    const { callId } = await one.do('call:initiate', body);
    await one.do('call:leave', { callId });
  }
  const error = await one.refused('call:initiate', body, 'RATE_LIMIT_EXCEEDED');
  assert(error.retryAfter > 0 && error.retryAfter <= 60);
  const refused = await ask(server, /** @type {any} */ (people[0]), 'POST /api/calls', body);
  assert.deepEqual([refused.status, refused.error.code], [429, 'RATE_LIMIT_EXCEEDED']);
  assert(refused.error.retryAfter > 0 && refused.error.retryAfter <= 60);
});

/** @type {[string, number, (call: { callId: string, seats: string[] }) => Record<string, unknown>][]} */
const EVENTS = [
  ['call:signal', 100, ({ seats }) => ({ targetParticipantId: seats[1], signal: { type: 'ice-candidate', candidate: null } })],
  ['call:toggle-audio', 120, () => ({ enabled: true })],
  ['call:quality-report', 12, ({ seats }) => ({ participantId: seats[0], packetLoss: 0, jitter: 1, rtt: 1, bitrate: 1 })],
  ['call:transcription', 10, () => ({ text: 'x', language: 'en', timestamp: new Date().toISOString(), isFinal: false })],
];
for (const [event, limit, payload] of EVENTS) {
  test(`${event}: ${limit}, and what is more is dropped`, async (t) => {
    const { conversation, devices } = await gather(t, server, 2, { type: 'direct' });
    const [ana] = /** @type {[Client, Client]} */ (devices);
    const call = await meet(conversation, devices);
    const answers = await Promise.all(Array.from({ length: limit + 5 }, () => ana.ask(event, { callId: call.callId, ...payload(call) })));
    const done = answers.filter((answer) => answer.success).length;
    const codes = new Set(answers.filter((answer) => !answer.success).map((answer) => answer.error.code));
    assert.deepEqual([...codes], ['RATE_LIMIT_EXCEEDED']);
    assert(done >= limit - 1 && done <= limit, `${done} were taken`);
    ana.tell(event, { callId: call.callId, ...payload(call) });
    if (event !== 'call:transcription') assert((await ana.told('call:error')).retryAfter > 0);
  });
}

test('twenty joins in a minute', async (t) => {
  const { conversation, devices } = await gather(t, server, 2);
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const { callId } = await ana.do('call:initiate', { conversationId: conversation, type: 'audio' });
  for (let index = 0; index < 20; index += 1) await ben.do('call:join', { callId });
  await ben.refused('call:join', { callId }, 'RATE_LIMIT_EXCEEDED');
});

test('twenty looks at links in a minute, from one address', async () => {
  const here = { 'x-forwarded-for': '203.0.113.9' };
  for (let index = 0; index < 20; index += 1) {
    assert.equal((await ask(server, null, `GET /api/links/tracked/guess-${index}`, undefined, here)).status, 404);
  }
  assertRefused(await ask(server, null, 'GET /api/links/tracked/guess', undefined, here), 20);
});

test('ten devices a person', async (t) => {
  const ana = await newcomer(server);
  for (let index = 0; index < 10; index += 1) await Client.connect(t, server, ana);
  const eleventh = Client.open(t, server, ana, { reconnection: false });
  const ending = await Promise.race([
    eleventh.told('connect_error').then((error) => error.message),
    eleventh.told('authenticated', (told) => !told.success).then((told) => told.error.code),
  ]);
  assert.equal(ending, 'RATE_LIMIT_EXCEEDED');
});
