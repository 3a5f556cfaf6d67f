// Who may do what: every row of the contract's table, over REST, for everybody who could ask.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../harness/client.mjs';
import { ask, asPlatformAdmin, converse, given, invite, newcomer, service } from '../harness/rest.mjs';
import { Server } from '../harness/server.mjs';

/** @typedef {import('../harness/rest.mjs').Who} Who */

/** @type {Server} */ let server;
before(async () => {
  server = await Server.start('api-permissions');
});
after(() => server.stop());

/**
 * A group with a call between the one who began it and, if they can be, the one who is asked about.
 * @param {import('node:test').TestContext} t
 * @param {string} role
 */
async function cast(t, role) {
  const [admin, initiator, member, bystander, outsider] = await Promise.all(Array.from({ length: 5 }, () => newcomer(server)));
  assert(admin && initiator && member && bystander && outsider);
  const conversation = await converse(server, admin, [initiator, member, bystander]);
  const guest = await invite(server, admin, conversation);
  /** @type {Record<string, Who>} */
  const whos = { admin, initiator, member, bystander, outsider, guest, service: service(), platform: asPlatformAdmin(bystander) };
  const who = whos[role];
  const second = ['admin', 'guest'].includes(role) ? /** @type {Who} */ (who) : member;
  const one = await Client.connect(t, server, initiator);
  const two = await Client.connect(t, server, second);
  const { callId, participantId } = await one.do('call:initiate', { conversationId: conversation, type: 'video' });
  const joined = await two.do('call:join', { callId });
  const device = who === initiator ? one : who === second ? two : null;
  const target = who === initiator ? joined.participantId : participantId;
  return { who: /** @type {Who} */ (who), callId, conversation, target, own: joined.participantId, device, member };
}

const ROLES = ['member', 'initiator', 'admin', 'guest', 'service', 'bystander', 'outsider'];
const YES = 'yes';
const NO = 403;

/**
 * Rows: what is asked, how, and what each role is answered; who is not named is refused with 403.
 * @type {[string, (scene: Awaited<ReturnType<typeof cast>>) => [string, unknown?], Record<string, string | number>][]}
 */
const TABLE = [
  ['read the whole call', ({ callId }) => [`GET /api/calls/${callId}`], { member: YES, initiator: YES, admin: YES, guest: YES, service: YES }],
  ['read whether there is a call', ({ conversation }) => [`GET /api/conversations/${conversation}/active-call`],
    { member: YES, initiator: YES, admin: YES, guest: YES, service: YES, bystander: YES }],
  ['read the history', ({ conversation }) => [`GET /api/conversations/${conversation}/calls`],
    { member: YES, initiator: YES, admin: YES, service: YES, bystander: YES }],
  ['read the history by query', ({ conversation }) => [`GET /api/calls?conversationId=${conversation}`],
    { member: YES, initiator: YES, admin: YES, service: YES, bystander: YES }],
  ['end it for everybody', ({ callId }) => [`DELETE /api/calls/${callId}`], { initiator: YES, admin: YES, service: YES }],
  ['remove somebody', ({ callId, target }) => [`DELETE /api/calls/${callId}/participants/${target}`],
    { initiator: YES, admin: YES, service: YES }],
  ['switch the mode by hand', ({ callId }) => [`PUT /api/calls/${callId}/mode`, { mode: 'sfu' }], { service: YES, platform: YES }],
  ['hand in a transcription',
    ({ callId, target }) => [`POST /api/calls/${callId}/transcriptions`,
      { participantId: target, text: 'Hello', language: 'en', timestamp: new Date().toISOString() }],
    { service: YES }],
  ['start another call there', ({ conversation }) => ['POST /api/calls', { conversationId: conversation, type: 'audio' }],
    { member: 409, initiator: 409, admin: 409, bystander: 409 }],
  ['make a link', ({ conversation }) => [`POST /api/conversations/${conversation}/links`, {}],
    { member: YES, initiator: YES, admin: YES, bystander: YES }],
];

for (const [what, request, allowed] of TABLE) {
  // An administrator of the installation is a member like others, but for the mode.
  for (const role of allowed.platform === undefined ? ROLES : [...ROLES, 'platform']) {
    const expected = allowed[role] ?? NO;
    test(`${role}: ${what}: ${expected}`, async (t) => {
      const scene = await cast(t, role);
      const [line, body] = request(scene);
      const answer = await ask(server, scene.who, line, body);
      const told = `${answer.status} ${JSON.stringify(answer.body)}`;
      if (expected === YES) assert(answer.status < 300, told);
      else assert.equal(answer.status, expected, told);
      if (expected === NO) assert(['FORBIDDEN', 'PERMISSION_DENIED'].includes(answer.error.code), told);
    });
  }
}

test('nobody: everything is 401', async (t) => {
  const scene = await cast(t, 'member');
  for (const [, request] of TABLE) {
    const [line, body] = request(scene);
    const answer = await ask(server, null, line, body);
    assert.deepEqual([answer.status, answer.error.code], [401, 'UNAUTHORIZED'], line);
  }
});

test('the same over sockets: removing, ending, sharing the screen', async (t) => {
  for (const [role, event, codes] of /** @type {const} */ ([
    ['member', 'call:kick', ['PERMISSION_DENIED', 'FORBIDDEN']],
    ['guest', 'call:kick', ['PERMISSION_DENIED', 'FORBIDDEN']],
    ['member', 'call:end', ['PERMISSION_DENIED', 'FORBIDDEN']],
    ['guest', 'call:end', ['PERMISSION_DENIED', 'FORBIDDEN']],
    ['guest', 'call:toggle-screen-share', ['PERMISSION_DENIED', 'FORBIDDEN']],
    ['member', 'call:toggle-screen-share', []],
    ['initiator', 'call:kick', []],
    ['admin', 'call:kick', []],
    ['initiator', 'call:end', []],
    ['admin', 'call:end', []],
  ])) {
    const { device, callId, target } = await cast(t, role);
    const payload = { callId, ...(event === 'call:kick' ? { participantId: target } : {}), ...(event === 'call:toggle-screen-share' ? { enabled: true } : {}) };
    if (codes.length > 0) await device?.refused(event, payload, ...codes);
    else await device?.do(event, payload);
  }
});

test('a guest cannot begin a call, nor see one of another conversation', async (t) => {
  const { who, callId } = await cast(t, 'guest');
  const other = await cast(t, 'member');
  const guest = await Client.connect(t, server, await invite(server, other.member, other.conversation));
  await guest.refused('call:initiate', { conversationId: other.conversation, type: 'video' }, 'PERMISSION_DENIED', 'FORBIDDEN');
  await guest.refused('call:join', { callId }, 'PERMISSION_DENIED', 'FORBIDDEN', 'CALL_NOT_FOUND');
  const answer = await ask(server, who, `GET /api/calls/${other.callId}`);
  assert([403, 404].includes(answer.status), String(answer.status));
});

test('in a direct call either of the two ends it by leaving, and there is no room for a third', async (t) => {
  const [ana, ben] = [await newcomer(server), await newcomer(server)];
  const conversation = await converse(server, ana, [ben], { type: 'direct' });
  const [one, two] = [await Client.connect(t, server, ana), await Client.connect(t, server, ben)];
  const { callId } = await one.do('call:initiate', { conversationId: conversation, type: 'audio' });
  await two.do('call:join', { callId });
  assert.equal((await given(server, ben, `POST /api/calls/${callId}/leave`)).participantId.length, 24);
  assert.equal((await one.told('call:ended')).reason, 'normal');
});

for (const type of ['public', 'global']) {
  test(`there are no calls in ${type} conversations`, async (t) => {
    const [ana, ben] = [await newcomer(server), await newcomer(server)];
    const made = await ask(server, ana, 'POST /api/conversations', { type, title: 'Everybody', memberIds: [ben.id] });
    if (made.status >= 300) {
      // Such conversations are not made by people; then there is nothing to call in.
      assert([400, 403, 422].includes(made.status), JSON.stringify(made.body));
      return;
    }
    const device = await Client.connect(t, server, ana);
    const body = { conversationId: made.data.conversationId, type: 'video' };
    await device.refused('call:initiate', body, 'INVALID_CONVERSATION_TYPE');
    const answer = await ask(server, ana, 'POST /api/calls', body);
    assert.deepEqual([answer.status, answer.error.code], [422, 'INVALID_CONVERSATION_TYPE']);
  });
}
