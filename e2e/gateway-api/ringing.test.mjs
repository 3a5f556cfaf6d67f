// From the first ring to the end of a call, as devices see it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../harness/client.mjs';
import { converse, given } from '../harness/rest.mjs';
import { gather, meet, read, roster } from '../harness/scene.mjs';
import { Server } from '../harness/server.mjs';

/** @type {Server} */ let server;
/** A server whose phones ring for two seconds only. @type {Server} */ let hasty;
before(async () => {
  server = await Server.start('api-ringing');
  hasty = await Server.start('api-ringing-hasty', { RING_TIMEOUT_SECS: '2' });
});
after(() => Promise.all([server.stop(), hasty.stop()]));

/** @param {string} conversationId @param {string} [type] */
const call = (conversationId, type = 'video') => ({ conversationId, type });

test('a call rings everywhere, is taken, and ended by hanging up', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const started = await ana.do('call:initiate', call(conversation));
  assert.equal(started.mode, 'p2p');
  assert(Array.isArray(started.iceServers));
  assert.equal(started.call.status, 'ringing');
  assert.equal(started.call.initiator.userId, people[0]?.id);
  const { callId } = started;

  const incoming = await ben.told('call:incoming');
  assert.deepEqual(
    { ...incoming, expiresAt: '' },
    { callId, conversationId: conversation, type: 'video', caller: { userId: people[0]?.id, username: people[0]?.name }, expiresAt: '' },
  );
  const ringsFor = Date.parse(incoming.expiresAt) - Date.now();
  assert(ringsFor > 25_000 && ringsFor <= 30_000, `rings for ${ringsFor} ms`);
  for (const device of [ana, ben]) {
    const initiated = await device.told('call:initiated');
    assert.deepEqual([initiated.callId, initiated.mode, initiated.participants.length], [callId, 'p2p', 1]);
  }
  const joined = await ben.do('call:accept', { callId, audioEnabled: true, videoEnabled: false });
  assert.deepEqual([joined.callId, joined.mode, joined.status, joined.participants.length], [callId, 'p2p', 'active', 2]);
  assert.equal((await ben.told('call:joined')).participantId, joined.participantId);
  const arrival = await ana.told('call:participant-joined');
  assert.deepEqual([arrival.participant.participantId, arrival.totalParticipants], [joined.participantId, 2]);
  assert.equal(arrival.participant.videoEnabled, false);
  for (const device of [ana, ben]) assert.equal((await device.told('call:started')).participants.length, 2);

  const { leftAt } = await ana.do('call:leave', { callId });
  assert(Date.parse(leftAt) > 0);
  const ended = await ben.told('call:ended');
  assert.deepEqual([ended.callId, ended.reason], [callId, 'normal']);
  const kept = await read(server, /** @type {any} */ (people[1]), callId);
  assert.deepEqual([kept.status, kept.endReason, roster(kept).length], ['ended', 'normal', 0]);
  await ben.refused('call:join', { callId }, 'CALL_ENDED');
});

for (const reason of ['declined', 'busy', 'unavailable', undefined]) {
  test(`a call declined as ${reason ?? 'nothing in particular'} is over`, async (t) => {
    const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
    const [ana, ben] = /** @type {[Client, Client]} */ (devices);
    const { callId } = await ana.do('call:initiate', call(conversation));
    await ben.told('call:incoming');
    await ben.do('call:reject', { callId, ...(reason === undefined ? {} : { reason }) });
    assert.deepEqual(await ana.told('call:rejected'), {
      callId, userId: people[1]?.id, username: people[1]?.name, reason: reason ?? 'declined',
    });
    assert.equal((await ana.told('call:ended')).reason, 'rejected');
    const { calls } = await given(server, /** @type {any} */ (people[1]), `GET /api/calls?conversationId=${conversation}`);
    assert.deepEqual([calls[0].outcome, calls[0].duration], ['rejected', 0]);
  });
}

test('leaving a call that only rings declines it', async (t) => {
  const { conversation, devices } = await gather(t, server, 2, { type: 'direct' });
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const { callId } = await ana.do('call:initiate', call(conversation, 'audio'));
  assert.equal((await ben.told('call:incoming')).type, 'audio');
  await ben.do('call:leave', { callId });
  await ana.told('call:rejected');
  assert.equal((await ana.told('call:ended')).reason, 'rejected');
});

test('a caller who gives up stops the ringing', async (t) => {
  const { conversation, devices } = await gather(t, server, 3);
  const [ana, ben, cleo] = /** @type {[Client, Client, Client]} */ (devices);
  const { callId } = await ana.do('call:initiate', call(conversation));
  for (const device of [ben, cleo]) await device.told('call:incoming');
  await ana.do('call:leave', { callId });
  for (const device of [ben, cleo]) assert.equal((await device.told('call:ended')).reason, 'cancelled');
});

test('in a group a call goes on ringing until everybody has declined', async (t) => {
  const { conversation, devices } = await gather(t, server, 3);
  const [ana, ben, cleo] = /** @type {[Client, Client, Client]} */ (devices);
  const { callId } = await ana.do('call:initiate', call(conversation));
  await ben.do('call:reject', { callId });
  await ana.told('call:rejected');
  await ana.notTold('call:ended');
  await cleo.do('call:reject', { callId });
  assert.equal((await ana.told('call:ended')).reason, 'rejected');
});

test('what nobody answers is missed', async (t) => {
  const { conversation, people, devices } = await gather(t, hasty, 2, { type: 'direct' });
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const began = Date.now();
  const { callId } = await ana.do('call:initiate', call(conversation));
  await ben.told('call:incoming');
  for (const device of [ana, ben]) assert.equal((await device.told('call:ended')).reason, 'missed');
  assert(Date.now() - began > 1500 && Date.now() - began < 6000);
  const { calls } = await given(hasty, /** @type {any} */ (people[1]), `GET /api/conversations/${conversation}/calls`);
  assert.deepEqual([calls[0].callId, calls[0].outcome, calls[0].status], [callId, 'missed', 'ended']);
});

test('who has no device is told of as missed, and the caller at once', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  ben.close();
  await ana.told('directory:presence', (told) => told.userId === people[1]?.id && !told.online);
  await ana.refused('call:initiate', call(conversation), 'CALLEE_UNAVAILABLE');
  const { calls } = await given(server, /** @type {any} */ (people[1]), `GET /api/conversations/${conversation}/calls`);
  assert.deepEqual([calls.length, calls[0].outcome], [1, 'missed']);
});

test('a device that comes while it rings rings too', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 3);
  const [ana, , cleo] = /** @type {[Client, Client, Client]} */ (devices);
  cleo.close();
  const { callId } = await ana.do('call:initiate', call(conversation));
  const late = await Client.connect(t, server, /** @type {any} */ (people[2]));
  assert.equal((await late.told('call:incoming')).callId, callId);
});

test('one of two devices takes a call: the other stops ringing, and may not sit down too', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
  const [ana, phone] = /** @type {[Client, Client]} */ (devices);
  const laptop = await Client.connect(t, server, /** @type {any} */ (people[1]));
  const { callId } = await ana.do('call:initiate', call(conversation));
  for (const device of [phone, laptop]) await device.told('call:incoming');
  const joined = await phone.do('call:join', { callId });
  assert.deepEqual(await laptop.told('call:answered-elsewhere'), { callId });
  await phone.notTold('call:answered-elsewhere');
  await laptop.refused('call:join', { callId }, 'ALREADY_PARTICIPANT');
  const again = await phone.do('call:join', { callId });
  assert.equal(again.participantId, joined.participantId, 'the device that sits asks again and is told the state');
  // The seat's device goes without a word; its seat is then free for the other one.
  phone.cut();
  await ana.told('call:participant-media-state', (told) => told.status === 'disconnected', 15_000);
  const taken = await laptop.do('call:join', { callId });
  assert.equal(taken.participantId, joined.participantId);
  assert.deepEqual(roster(await read(server, /** @type {any} */ (people[0]), callId)).length, 2);
});

test('declining on one device stops the other', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
  const [ana, phone] = /** @type {[Client, Client]} */ (devices);
  const laptop = await Client.connect(t, server, /** @type {any} */ (people[1]));
  const { callId } = await ana.do('call:initiate', call(conversation));
  await laptop.told('call:incoming');
  await phone.do('call:reject', { callId });
  await Promise.race([laptop.told('call:answered-elsewhere'), laptop.told('call:ended')]);
});

test('of two who call each other at once one begins the call, and the other is told which it is', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
    const answers = await Promise.all(devices.map((device) => device.ask('call:initiate', call(conversation))));
    const begun = answers.filter((answer) => answer.success);
    const refused = answers.filter((answer) => !answer.success);
    assert.equal(begun.length, 1, JSON.stringify(answers));
    assert.equal(refused[0].error.code, 'CALL_ALREADY_ACTIVE');
    assert.equal(refused[0].error.details.callId, begun[0].data.callId);
    const { total } = await given(server, /** @type {any} */ (people[0]), `GET /api/conversations/${conversation}/calls`);
    assert.equal(total, 1, 'no second row');
    const late = devices[answers.indexOf(refused[0])];
    const joined = await late?.do('call:join', { callId: begun[0].data.callId });
    assert.equal(joined.status, 'active');
  }
});

test('nobody is in two calls', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 4);
  const [ana, ben, cleo, dan] = /** @type {[Client, Client, Client, Client]} */ (devices);
  const [one, , three, four] = /** @type {[any, any, any, any]} */ (people);
  const other = await converse(server, three, [one, four]);
  const alone = await converse(server, three, [one], { type: 'direct' });
  await meet(conversation, [ana, ben]);
  await ana.refused('call:initiate', call(other), 'ALREADY_IN_CALL');
  // Who is in a call is busy for others.
  await cleo.ask('call:initiate', call(alone));
  const busy = await cleo.told('call:rejected');
  assert.deepEqual([busy.userId, busy.reason], [one.id, 'busy']);
  const { callId } = await cleo.do('call:initiate', call(other));
  await dan.told('call:incoming', (told) => told.callId === callId);
  await ana.refused('call:join', { callId }, 'ALREADY_IN_CALL');
  await ben.refused('call:initiate', call(conversation), 'CALL_ALREADY_ACTIVE', 'ALREADY_IN_CALL');
});

test('a group is told that a call goes on, and that it is over', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 3);
  const [ana, ben, cleo] = /** @type {[Client, Client, Client]} */ (devices);
  const { callId } = await meet(conversation, [ana, ben]);
  const ongoing = await cleo.told('call:ongoing', (told) => told.participantCount === 2);
  assert.deepEqual([ongoing.callId, ongoing.conversationId, ongoing.active, ongoing.mode], [callId, conversation, true, 'p2p']);
  const active = await given(server, /** @type {any} */ (people[2]), `GET /api/conversations/${conversation}/active-call`);
  assert.deepEqual([active.callId, active.participantCount, active.status], [callId, 2, 'active']);
  await ana.do('call:end', { callId });
  await cleo.told('call:ongoing', (told) => told.callId === callId && !told.active);
  assert.equal((await ben.told('call:ended')).reason, 'normal');
  assert.equal(await given(server, /** @type {any} */ (people[2]), `GET /api/conversations/${conversation}/active-call`), null);
});

test('when the one who began a group call leaves, it goes on', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2);
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const { callId, seats } = await meet(conversation, [ana, ben]);
  await ana.do('call:leave', { callId, participantId: seats[0] });
  const left = await ben.told('call:participant-left');
  assert.deepEqual([left.participantId, left.reason, left.totalParticipants], [seats[0], 'left', 1]);
  await ben.notTold('call:ended');
  // Who comes again is who they were.
  const back = await ana.do('call:join', { callId });
  assert.equal(back.participantId, seats[0]);
  await ana.do('call:leave', { callId });
  await ben.do('call:leave', { callId });
  const over = await read(server, /** @type {any} */ (people[0]), callId);
  assert.deepEqual([over.status, over.endReason], ['ended', 'normal']);
});
