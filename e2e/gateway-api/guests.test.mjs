// People without an account, who come by a link.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../harness/client.mjs';
import { ask, converse, enter, given, newcomer } from '../harness/rest.mjs';
import { Server } from '../harness/server.mjs';

/** @type {Server} */ let server;
before(async () => {
  server = await Server.start('api-guests');
});
after(() => server.stop());

/** A group with a link of these conditions. @param {Record<string, unknown>} [conditions] */
async function linked(conditions = {}) {
  const [host, other] = [await newcomer(server), await newcomer(server)];
  const conversation = await converse(server, host, [other]);
  const link = await given(server, host, `POST /api/conversations/${conversation}/links`, conditions);
  return { host, other, conversation, link };
}

/** @param {string} conversation @param {Record<string, unknown>} body */
const knock = (conversation, body) =>
  ask(server, null, `POST /api/conversations/${conversation}/join-anonymous`, { firstName: 'Gus', language: 'en', ...body });

test('a link tells where it leads, and lets a guest into the call', async (t) => {
  const { host, conversation, link } = await linked();
  assert.match(link.path, /^\/join\//);
  const tracked = await given(server, null, `GET /api/links/tracked/${link.token}`);
  assert.deepEqual(
    [tracked.conversationId, tracked.linkId, tracked.title, tracked.permissions, tracked.activeCall],
    [conversation, link.linkId, 'Stand-up', { joinCalls: true, shareScreen: false }, undefined],
  );
  const guest = await enter(server, conversation, link.linkId, 'Gus');
  assert.equal(guest.name, 'Guest_Gus');

  const [phone, visitor] = [await Client.connect(t, server, host), await Client.connect(t, server, guest)];
  const { callId } = await phone.do('call:initiate', { conversationId: conversation, type: 'video' });
  assert.equal((await given(server, null, `GET /api/links/tracked/${link.token}`)).activeCall, callId);
  const joined = await visitor.do('call:join', { callId });
  assert.equal(joined.mode, 'p2p');
  const { participant } = await phone.told('call:participant-joined');
  assert.deepEqual(
    [participant.isAnonymous, participant.anonymousUserId, participant.userId, participant.username],
    [true, guest.id, undefined, 'Guest_Gus'],
  );
  const caption = { text: 'Off the record', language: 'en', timestamp: new Date().toISOString(), isFinal: true };
  await visitor.do('call:transcription', { callId, participantId: joined.participantId, ...caption });
  assert.equal((await phone.told('call:transcription')).text, 'Off the record');
  await visitor.do('call:leave', { callId });
  await phone.told('call:participant-left');
});

test('two guests in one call are two people', async (t) => {
  const { host, conversation, link } = await linked();
  const [gus, gitta] = [await enter(server, conversation, link.linkId, 'Gus'), await enter(server, conversation, link.linkId, 'Gitta')];
  const phone = await Client.connect(t, server, host);
  const { callId, participantId } = await phone.do('call:initiate', { conversationId: conversation, type: 'audio' });
  const one = await (await Client.connect(t, server, gus)).do('call:join', { callId });
  const two = await (await Client.connect(t, server, gitta)).do('call:join', { callId });
  assert.equal(new Set([participantId, one.participantId, two.participantId]).size, 3);
  const { participants } = await given(server, host, `GET /api/calls/${callId}`);
  assert.deepEqual(participants.filter((/** @type {any} */ each) => each.isAnonymous).map((/** @type {any} */ each) => each.username).sort(), ['Guest_Gitta', 'Guest_Gus']);
});

test('a link ends: by time, by uses, or by being another conversation’s', async () => {
  const timed = await linked({ expiresAt: new Date(Date.now() + 700).toISOString() });
  await enter(server, timed.conversation, timed.link.linkId);
  await new Promise((resolve) => setTimeout(resolve, 800));
  const tracked = await ask(server, null, `GET /api/links/tracked/${timed.link.token}`);
  assert.deepEqual([tracked.status, tracked.error.code], [410, 'LINK_EXPIRED']);
  const late = await knock(timed.conversation, { shareLinkId: timed.link.linkId });
  assert([403, 410].includes(late.status), JSON.stringify(late.body));

  const single = await linked({ maxUses: 1 });
  const first = await enter(server, single.conversation, single.link.linkId);
  const second = await knock(single.conversation, { shareLinkId: single.link.linkId });
  assert([403, 410].includes(second.status), JSON.stringify(second.body));
  assert.equal((await ask(server, first, 'GET /api/ice-servers')).status, 200, 'who is in stays in');

  const other = await linked();
  const strayed = await knock(other.conversation, { shareLinkId: single.link.linkId });
  assert([403, 404].includes(strayed.status), JSON.stringify(strayed.body));
  assert.equal((await knock(other.conversation, { shareLinkId: '0'.repeat(24) })).status, 404);
});

test('a link holds so many guests in a call at a time, and its end shuts them out of the next', async (t) => {
  const { host, conversation, link } = await linked({ maxConcurrentUsers: 1, expiresAt: new Date(Date.now() + 6000).toISOString() });
  const [gus, gitta] = [await enter(server, conversation, link.linkId, 'Gus'), await enter(server, conversation, link.linkId, 'Gitta')];
  const phone = await Client.connect(t, server, host);
  const { callId } = await phone.do('call:initiate', { conversationId: conversation, type: 'audio' });
  const one = await Client.connect(t, server, gus);
  const two = await Client.connect(t, server, gitta);
  await one.do('call:join', { callId });
  await two.refused('call:join', { callId }, 'PERMISSION_DENIED', 'MAX_PARTICIPANTS_REACHED', 'FORBIDDEN');
  await one.do('call:leave', { callId });
  await two.do('call:join', { callId });
  await two.do('call:leave', { callId });
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(link.expiresAt) - Date.now() + 200)));
  // Who is in no call any more is disconnected, and does not come in again.
  await one.told('authenticated', ({ success }) => !success);
  const again = Client.open(t, server, gus);
  await again.told('authenticated', ({ success }) => !success);
});

test('a session is one’s own, and no name is markup', async (t) => {
  const { host, conversation, link } = await linked();
  const gus = await enter(server, conversation, link.linkId, '<img src=x>');
  assert.equal(gus.name, 'Guest_<img src=x>');
  assert((gus.session ?? '').length >= 43, 'as long as 256 bits');
  const stranger = await ask(server, { ...gus, session: `${gus.session}x` }, 'GET /api/ice-servers');
  assert.equal(stranger.status, 401);
  for (const line of ['GET /api/users/me', 'GET /api/users', 'GET /api/conversations', 'POST /api/conversations']) {
    const answer = await ask(server, gus, line, line.startsWith('POST') ? { type: 'group', title: 'x', memberIds: [] } : undefined);
    assert([401, 403].includes(answer.status), `${line}: ${answer.status}`);
  }
  assert.equal((await ask(server, host, 'GET /api/users')).status, 200);
  const visitor = await Client.connect(t, server, gus);
  await visitor.refused('call:join', { callId: '0'.repeat(24) }, 'CALL_NOT_FOUND', 'PERMISSION_DENIED');
});
