// REST paths: what they answer when all is well, and the shapes of failures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, converse, given, invite, login, newcomer } from '../harness/rest.mjs';
import { gather, meet } from '../harness/scene.mjs';
import { Server } from '../harness/server.mjs';

/** @typedef {import('../harness/client.mjs').Client} Client */

const ID = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOBODY = 'f'.repeat(24);

/** @type {Server} */ let server;
before(async () => {
  server = await Server.start('api-rest', { TURN_SECRET: 'turn-secret', TURN_URLS: 'turn:turn.example:3478', STUN_URLS: 'stun:stun.example:3478' });
});
after(() => server.stop());

test('people log in, find each other, and make conversations', async () => {
  const ana = await login(server, 'Ana Lima');
  assert.match(ana.id, ID);
  assert.equal((await login(server, 'Ana Lima')).id, ana.id, 'the same name is the same person');
  const me = await given(server, ana, 'GET /api/users/me');
  assert.deepEqual([me.userId, me.username], [ana.id, 'Ana Lima']);
  const ben = await login(server, 'Ben');
  const found = await given(server, ana, 'GET /api/users?query=be');
  assert(found.some((/** @type {any} */ person) => person.userId === ben.id && person.online === false));

  const direct = await given(server, ana, 'POST /api/conversations', { type: 'direct', memberIds: [ben.id] });
  assert.equal(direct.title, 'Ben');
  const same = await given(server, ben, 'POST /api/conversations', { type: 'direct', memberIds: [ana.id] });
  assert.equal(same.conversationId, direct.conversationId, 'two people have one direct conversation');
  assert.equal(same.title, 'Ana Lima');
  const group = await given(server, ana, 'POST /api/conversations', { type: 'group', title: 'Stand-up', memberIds: [ben.id] });
  assert.deepEqual([group.role, group.title, group.members.length], ['admin', 'Stand-up', 2]);
  const list = await given(server, ben, 'GET /api/conversations');
  assert.deepEqual(list.map((/** @type {any} */ each) => each.conversationId).sort(), [direct.conversationId, group.conversationId].sort());
  assert.equal(list.find((/** @type {any} */ each) => each.type === 'group').role, 'member');
  assert.match(list[0].updatedAt, TIME);
});

test('a call is begun, read, joined, left and ended over REST', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 3);
  const [ana, ben, cleo] = /** @type {[any, any, any]} */ (people);
  const settings = { audioEnabled: true, videoEnabled: false };
  const begun = await ask(server, ana, 'POST /api/calls', { conversationId: conversation, type: 'video', settings });
  assert.equal(begun.status, 201);
  const { callId, participantId, iceServers, participants, ...call } = begun.data;
  assert.match(callId, ID);
  assert.match(call.createdAt, TIME);
  assert.equal(call.mediaServerConfig, null);
  assert.equal(call.endedAt, null);
  assert.deepEqual([call.mode, call.type, call.status, call.duration], ['p2p', 'video', 'ringing', 0]);
  assert.deepEqual(call.settings, settings);
  assert(Math.abs(Date.parse(call.expiresAt) - Date.now() - 3_600_000) < 60_000, 'credentials are good for an hour');
  assert.equal(iceServers.length > 0, true);
  assert.deepEqual(
    participants.map((/** @type {any} */ each) => [each.participantId, each.role, each.status, each.videoEnabled]),
    [[participantId, 'initiator', 'connected', false]],
  );
  await devices[1]?.told('call:incoming');

  const joined = await given(server, ben, `POST /api/calls/${callId}/participants`, { audioEnabled: true, videoEnabled: true });
  assert.deepEqual([joined.callId, joined.mode, joined.status, joined.participants.length], [callId, 'p2p', 'active', 2]);
  assert.match(joined.joinedAt, TIME);
  const again = await given(server, ben, `POST /api/calls/${callId}/participants`, {});
  assert.equal(again.participantId, joined.participantId);

  const active = await given(server, cleo, `GET /api/conversations/${conversation}/active-call`);
  assert.deepEqual([active.callId, active.participants.length], [callId, 2]);
  assert.match(active.startedAt, TIME);

  const left = await given(server, ben, `POST /api/calls/${callId}/leave`);
  assert.equal(left.participantId, joined.participantId);
  assert.match(left.leftAt, TIME);
  assert.equal(typeof left.message, 'string');
  await given(server, ben, `POST /api/calls/${callId}/participants`, {});
  const removed = await given(server, ben, `DELETE /api/calls/${callId}/participants/${joined.participantId}`);
  assert.equal(removed.participantId, joined.participantId);

  const ended = await given(server, ana, `DELETE /api/calls/${callId}`);
  assert.deepEqual([ended.callId, typeof ended.message, typeof ended.duration], [callId, 'string', 'number']);
  const after = await given(server, ana, `GET /api/calls/${callId}`);
  assert.equal(after.endReason, 'normal');
  assert.equal(after.endedBy, ana.id);
  assert.match(after.endedAt, TIME);
  const twice = await ask(server, ana, `DELETE /api/calls/${callId}`);
  assert([200, 400].includes(twice.status), 'ending twice is done or CALL_ENDED');
});

test('a history has pages, an order and a filter', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2);
  const [ana] = /** @type {[any]} */ (people);
  const [one] = /** @type {[Client]} */ (devices);
  /** @type {string[]} */ const ids = [];
  for (let round = 0; round < 3; round += 1) {
    const { callId } = await one.do('call:initiate', { conversationId: conversation, type: 'audio' });
    ids.unshift(callId);
    if (round < 2) await one.do('call:leave', { callId });
  }
  const page = (/** @type {string} */ query) => given(server, ana, `GET /api/conversations/${conversation}/calls?${query}`);
  const all = await page('');
  assert.deepEqual([all.total, all.limit, all.offset], [3, 20, 0]);
  assert.deepEqual(all.calls.map((/** @type {any} */ call) => call.callId), ids, 'newest first');
  const second = await page('limit=1&offset=1');
  assert.deepEqual([second.calls.length, second.calls[0].callId, second.total], [1, ids[1], 3]);
  assert.deepEqual((await page('status=active')).calls.map((/** @type {any} */ call) => call.callId), [ids[0]]);
  assert.deepEqual((await page('status=ended')).calls.map((/** @type {any} */ call) => call.outcome), ['cancelled', 'cancelled']);
  assert.deepEqual(await given(server, ana, `GET /api/calls?conversationId=${conversation}`), all);
  for (const bad of ['limit=101', 'limit=0', 'limit=x', 'offset=-1', 'status=pending']) {
    const answer = await ask(server, ana, `GET /api/conversations/${conversation}/calls?${bad}`);
    assert.deepEqual([answer.status, answer.error?.code], [400, 'INVALID_REQUEST'], bad);
  }
});

test('what is not there is 404, what is elsewhere 405, what is too much 413, and the shape is always the same', async () => {
  const ana = await newcomer(server);
  /** @type {[string, unknown, number, string][]} */
  const table = [
    [`GET /api/calls/${NOBODY}`, undefined, 404, 'CALL_NOT_FOUND'],
    [`DELETE /api/calls/${NOBODY}`, undefined, 404, 'CALL_NOT_FOUND'],
    [`POST /api/calls/${NOBODY}/participants`, {}, 404, 'CALL_NOT_FOUND'],
    [`POST /api/calls/${NOBODY}/leave`, undefined, 404, 'CALL_NOT_FOUND'],
    [`DELETE /api/calls/${NOBODY}/participants/${NOBODY}`, undefined, 404, 'CALL_NOT_FOUND'],
    [`PUT /api/calls/${NOBODY}/mode`, { mode: 'sfu' }, 404, 'CALL_NOT_FOUND'],
    ['GET /api/links/tracked/no-such-link', undefined, 404, 'NOT_FOUND'],
    ['GET /api/nothing', undefined, 404, 'NOT_FOUND'],
    ['PATCH /api/calls', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['GET /api/calls/nonsense', undefined, 400, 'INVALID_REQUEST'],
    ['POST /api/calls', { conversationId: NOBODY, type: 'video' }, 404, 'NOT_FOUND'],
    ['POST /api/calls', `{"conversationId": "${'x'.repeat(300_000)}"}`, 413, 'PAYLOAD_TOO_LARGE'],
  ];
  for (const [line, body, status, code] of table) {
    const answer = await ask(server, ana, line, body);
    const refused = status === 404 && answer.status === 403;
    if (!refused) assert.deepEqual([answer.status, answer.error?.code], [status, code], `${line}: ${JSON.stringify(answer.body).slice(0, 200)}`);
    assert.equal(answer.body.success, false);
    assert.equal(typeof answer.error.message, 'string');
    assert(!/panicked|src\/|sqlx|SELECT/.test(answer.error.message), answer.error.message);
  }
});

test('configuration, health, metrics and a bandwidth probe', async () => {
  const config = await given(server, null, 'GET /api/config');
  assert.deepEqual([config.maxParticipants, config.devLogin, config.hysteresisMs], [50, true, 10_000]);
  for (const flag of ['video_calls', 'sfu', 'screen_share', 'transcription_client']) assert.equal(config.flags[flag], true, flag);
  assert.equal(await server.status('/health'), 200);
  assert.equal(await server.status('/ready'), 200);
  const health = JSON.parse(await server.text('/health'));
  assert(['healthy', 'ok'].includes(health.status), JSON.stringify(health));
  /** @param {string} path @param {string[]} names */
  const shows = async (path, names) => {
    const metrics = await server.text(path);
    for (const name of names) assert.match(metrics, new RegExp(`^${name}(\\{|\\s)`, 'm'));
  };
  await shows('/metrics', ['calls_active_total', 'calls_mode_p2p_total', 'calls_mode_sfu_total', 'meeshy_socketio_connections']);
  // The node in the same process has figures of its own, under names that both have.
  await shows('/metrics/media-node', ['mediasoup_routers_total', 'rtp_packets_total']);
  const ana = await newcomer(server);
  const response = await fetch(`${server.url}/api/bandwidth-test?bytes=100000`, { headers: { authorization: `Bearer ${ana.token}` } });
  assert.match(response.headers.get('cache-control') ?? '', /no-store/);
  const bytes = new Uint8Array(await response.arrayBuffer());
  assert.equal(bytes.length, 100_000);
  assert(new Set(bytes).size > 200, 'they cannot be compressed');
  assert.equal((await ask(server, null, 'GET /api/bandwidth-test?bytes=10')).status, 401);
  for (const bad of ['10000001', '-1', 'x']) assert.equal((await ask(server, ana, `GET /api/bandwidth-test?bytes=${bad}`)).status, 400, bad);
});

test('ice servers come with credentials for an hour, of one’s own', async () => {
  const ana = await newcomer(server);
  const { iceServers, expiresAt } = await given(server, ana, 'GET /api/ice-servers');
  const turn = iceServers.find((/** @type {any} */ each) => each.urls.includes('turn:turn.example:3478'));
  const [expiry, user] = turn.username.split(':');
  assert.equal(user, ana.id);
  assert(Math.abs(Number(expiry) - Date.now() / 1000 - 3600) < 120);
  assert.equal(Math.floor(Date.parse(expiresAt) / 1000), Number(expiry));
  assert.match(turn.credential, /^[A-Za-z0-9+/]{27}=$/);
  assert(iceServers.some((/** @type {any} */ each) => each.urls.includes('stun:stun.example:3478')));
  assert.equal((await ask(server, null, 'GET /api/ice-servers')).status, 401);
  const guest = await invite(server, ana, await converse(server, ana, [await newcomer(server)]));
  assert.equal((await given(server, guest, 'GET /api/ice-servers')).iceServers.length, iceServers.length);
});

test('one’s data can be taken along, and erased', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2);
  const [ana, ben] = /** @type {[any, any]} */ (people);
  const { callId, seats } = await meet(conversation, devices);
  const caption = { text: 'Something private', language: 'en', timestamp: new Date().toISOString(), isFinal: true };
  await devices[0]?.do('call:transcription', { callId, participantId: seats[0], ...caption });
  await devices[0]?.do('call:end', { callId });
  const mine = JSON.stringify(await given(server, ana, 'GET /api/users/me/call-data'));
  for (const part of [callId, 'Something private', 'Stand-up']) assert(mine.includes(part), part);
  const theirs = JSON.stringify(await given(server, ben, 'GET /api/users/me/call-data'));
  assert(theirs.includes(callId) && !theirs.includes('Something private'), 'only what one said oneself');
  await given(server, ana, 'DELETE /api/users/me/call-data');
  const gone = JSON.stringify(await given(server, ana, 'GET /api/users/me/call-data'));
  assert(!gone.includes(callId) && !gone.includes('Something private'));
  assert(JSON.stringify(await given(server, ben, 'GET /api/users/me/call-data')).includes(callId), 'the other’s remain');
  for (const method of ['GET', 'DELETE']) assert.equal((await ask(server, null, `${method} /api/users/me/call-data`)).status, 401);
});
