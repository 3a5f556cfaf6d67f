// Everything that can be wrong with what a client sends. Nothing of it may do anything, or end the server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, newcomer } from '../harness/rest.mjs';
import { gather, meet } from '../harness/scene.mjs';
import { Server } from '../harness/server.mjs';

/** @typedef {import('../harness/client.mjs').Client} Client */

/** @type {Server} */ let server;
before(async () => {
  // What is wrong is counted too; here it may be wrong very often.
  server = await Server.start('api-bad-input', { RATE_LIMIT_FACTOR: '1000' });
});
after(async () => {
  assert.equal(await server.status('/health'), 200, 'the server lives');
  await server.stop();
});

const A_CALL = 'a'.repeat(24);
/** Values that no member may have. */
const WRONG = [null, 7, true, '', 'nonsense', [], {}, { $ne: null }, { $gt: '' }, ['a'.repeat(24)], `${'a'.repeat(24)}\0`, '../../etc'];
const now = () => new Date().toISOString();

/** Every event, with a payload that is right; each member is spoilt in turn. @param {string} callId @param {string} seat @returns {Record<string, Record<string, unknown>>} */
const good = (callId, seat) => ({
  'call:initiate': { conversationId: A_CALL, type: 'video' },
  'call:join': { callId },
  'call:accept': { callId },
  'call:reject': { callId },
  'call:leave': { callId },
  'call:end': { callId },
  'call:signal': { callId, targetParticipantId: seat, signal: { type: 'ice-candidate', candidate: null } },
  'call:toggle-audio': { callId, enabled: true },
  'call:toggle-video': { callId, enabled: true },
  'call:toggle-screen-share': { callId, enabled: true },
  'call:media-state-change': { callId, audioEnabled: true, videoEnabled: true, screenShareEnabled: false },
  'call:connected': { callId, participantId: seat },
  'call:mode-switch-ack': { callId, success: true },
  'call:mode-switched': { callId, success: true },
  'call:retry-switch': { callId },
  'call:sfu-proof': { callId, proven: true },
  'call:switch-gap': { callId, transitionId: A_CALL, remoteParticipantId: seat },
  'call:rejoin': { callId, participantId: seat },
  'call:transcription': { callId, text: 'Hello', language: 'en', timestamp: now(), isFinal: true },
  'call:refresh-credentials': { callId },
  'call:kick': { callId, participantId: seat },
  'call:mute': { callId, muted: true },
  'call:video-toggle': { callId, enabled: true },
});

test('a member of a wrong type is INVALID_INPUT in every event', async (t) => {
  const { conversation, devices } = await gather(t, server, 2);
  const { callId, seats } = await meet(conversation, devices);
  for (const [event, payload] of Object.entries(good(callId, String(seats[1])))) {
    // Its own device, so that no limit of toggles or signals is reached.
    const [one] = (await gather(t, server, 1)).devices;
    assert(one !== undefined);
    for (const whole of [undefined, null, 'text', 7, [], [payload]]) await one.refused(event, whole, 'INVALID_INPUT');
    for (const member of Object.keys(payload)) {
      const without = Object.fromEntries(Object.entries(payload).filter(([key]) => key !== member));
      const wrong = WRONG.filter((value) => !(typeof value === typeof payload[member] && typeof value === 'boolean'));
      const texts = ['text', 'language'].includes(member);
      for (const value of wrong.filter((each) => !texts || typeof each !== 'string')) {
        // A text may be an id, of something that does not exist.
        const codes = value === 'nonsense' ? ['INVALID_INPUT', 'CALL_NOT_FOUND', 'PERMISSION_DENIED'] : ['INVALID_INPUT'];
        await one.refused(event, { ...payload, [member]: value }, ...codes);
      }
      await one.refused(event, without, 'INVALID_INPUT');
    }
    one.close();
  }
});

test('a signal that is no signal goes nowhere', async (t) => {
  const { conversation, devices } = await gather(t, server, 2, { type: 'direct' });
  const { callId, seats } = await meet(conversation, devices);
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const body = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
  const signals = [
    { type: 'offer' },
    { type: 'offer', sdp: '' },
    { type: 'offer', sdp: 'hello' },
    { type: 'offer', sdp: 7 },
    { type: 'offer', sdp: body + 'a=x:'.padEnd(70_000, 'x') },
    { type: 'answer', candidate: { candidate: '' } },
    { type: 'pranswer', sdp: body },
    { type: 'ice-candidate', candidate: 'candidate:1' },
    { type: 'ice-candidate', candidate: { candidate: 7 } },
    { type: 'ice-candidate', candidate: { candidate: 'x'.repeat(70_000) } },
    { type: 'ice-candidate', candidate: { candidate: 'nonsense' } },
    {},
  ];
  for (const signal of signals) {
    await ana.refused('call:signal', { callId, targetParticipantId: seats[1], signal }, 'INVALID_INPUT', 'SIGNALING_ERROR');
  }
  await ben.notTold('call:signal');
});

test('what is larger than 128 KiB ends the connection, and only that one', async (t) => {
  const { devices } = await gather(t, server, 2);
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  ana.tell('call:join', { callId: A_CALL, padding: 'x'.repeat(200_000) });
  await ana.told('disconnect');
  await ben.refused('call:join', { callId: A_CALL }, 'CALL_NOT_FOUND');
});

test('an event nobody knows changes nothing', async (t) => {
  const { devices } = await gather(t, server, 1);
  const [ana] = /** @type {[Client]} */ (devices);
  ana.tell('call:explode', { callId: A_CALL });
  ana.tell('__proto__', {});
  await ana.refused('call:join', { callId: A_CALL }, 'CALL_NOT_FOUND');
});

test('bodies of a wrong shape are INVALID_REQUEST on every path', async () => {
  const ana = await newcomer(server);
  const some = 'b'.repeat(24);
  const start = { conversationId: some, type: 'video' };
  /** @type {[string, unknown[]][]} */
  const table = [
    ['POST /api/auth/dev-login', [{}, { username: '' }, { username: 7 }, { username: 'x'.repeat(65) }, { username: '  ' }, { username: 'a\nb' }, '{', '[]', 'null']],
    ['POST /api/calls', [{}, { ...start, conversationId: 'x' }, { ...start, conversationId: { $ne: null } }, { ...start, type: 'hologram' }, { ...start, settings: 'loud' },
      { ...start, settings: { audioEnabled: 'yes' } }, '{"conversationId":', '7']],
    ['POST /api/calls/nonsense/participants', [{}]],
    [`PUT /api/calls/${some}/mode`, [{}, { mode: 'mesh' }, { mode: 7 }]],
    ['POST /api/conversations', [{}, { type: 'group', title: 'x', memberIds: 'all' }, { type: 'group', title: 'x', memberIds: [7] }, { type: 'club', title: 'x', memberIds: [] },
      { type: 'direct', memberIds: [] }, { type: 'direct', memberIds: [some, 'c'.repeat(24)] }, { type: 'group', title: 'x'.repeat(65), memberIds: [] }]],
    [`POST /api/conversations/${some}/links`, [{ maxUses: -1 }, { maxUses: 'many' }, { expiresAt: 'soon' }]],
    [`POST /api/conversations/${some}/join-anonymous`, [{}, { firstName: '', language: 'en', shareLinkId: some }, { firstName: 'Gus', language: 'en', shareLinkId: 7 },
      { firstName: 'Gus', shareLinkId: some }]],
  ];
  for (const [line, bodies] of table) {
    for (const body of bodies) {
      const answer = await ask(server, ana, line, body);
      assert.deepEqual([answer.status, answer.error?.code], [400, 'INVALID_REQUEST'], `${line} ${JSON.stringify(body).slice(0, 100)}: ${JSON.stringify(answer.body)}`);
    }
  }
});

test('members nobody knows are ignored', async (t) => {
  const { conversation, people } = await gather(t, server, 2);
  const body = { conversationId: conversation, type: 'audio', later: { invention: true }, initiatorId: people[1]?.id };
  const answer = await ask(server, /** @type {any} */ (people[0]), 'POST /api/calls', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.data.initiator.userId, people[0]?.id);
});
