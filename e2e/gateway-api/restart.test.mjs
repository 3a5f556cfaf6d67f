// The gateway dies at the worst moments, and everything that was true is true again.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ask, given } from '../harness/rest.mjs';
import { acknowledge, comeAndSwitch, gather, meet, read, roster } from '../harness/scene.mjs';
import { postgres } from '../harness/postgres.mjs';
import { Server } from '../harness/server.mjs';

/** @typedef {import('../harness/client.mjs').Client} Client */

/** @param {import('node:test').TestContext} t @param {string} name @param {import('../harness/server.mjs').Layout} [layout] */
async function start(t, name, layout = {}) {
  const server = await Server.start(name, { apart: true, ...layout });
  t.after(() => server.stop());
  return server;
}

/** A crash, and everybody back in their seats. @param {Server} server @param {Client[]} devices @param {import('../harness/scene.mjs').Call} call */
async function crashAndReturn(server, devices, call) {
  for (const device of devices) device.forget();
  await server.crashGateway();
  await server.startGateway();
  /** @type {any[]} */ const states = [];
  for (const [index, device] of devices.entries()) {
    await device.told('authenticated', (told) => told.success, 20_000);
    states.push(await device.do('call:rejoin', { callId: call.callId, participantId: call.seats[index] }));
  }
  return states;
}

for (const store of ['SQLite', 'PostgreSQL']) {
  test(`a group call survives the gateway’s death, on ${store}`, { timeout: 90_000 }, async (t) => {
    /** @type {Record<string, string>} */ const database = store === 'SQLite' ? {} : { DATABASE_URL: await postgres(t) };
    const server = await start(t, `api-restart-${store}`, { environment: database });
    const { conversation, people, devices } = await gather(t, server, 3);
    const call = await meet(conversation, devices);
    await comeAndSwitch(call, devices);
    const before = await read(server, /** @type {any} */ (people[0]), call.callId);
    const { mediaToken: room } = await /** @type {Client} */ (devices[0]).do('call:refresh-credentials', { callId: call.callId });
    const states = await crashAndReturn(server, devices, call);
    for (const [index, state] of states.entries()) {
      assert.deepEqual([state.mode, state.participantId, state.participants.length], ['sfu', call.seats[index], 3]);
      assert.equal(typeof state.mediaServerConfig.routerId, 'string');
    }
    assert.equal(new Set(states.map((state) => state.mediaServerConfig.routerId)).size, 1);
    const after = await read(server, /** @type {any} */ (people[0]), call.callId);
    assert.deepEqual(roster(after), roster(before));
    assert.deepEqual([after.status, after.mode, after.startedAt], ['active', 'sfu', before.startedAt]);
    const seen = await ask(server, { name: 'seat', id: '', token: room }, `GET /api/rooms/${call.callId}`);
    assert.equal(seen.status, 200, 'the same room, the same tokens');
    await devices[0]?.do('call:toggle-audio', { callId: call.callId, enabled: false });
    await devices[2]?.told('call:media-toggled');
    await devices[0]?.do('call:end', { callId: call.callId });
    assert.equal((await given(server, /** @type {any} */ (people[1]), `GET /api/calls/${call.callId}`)).endReason, 'normal');
  });
}

test('a switch that was under way is called off, and tried again', { timeout: 90_000 }, async (t) => {
  const server = await start(t, 'api-restart-switch', { environment: { TRANSITION_TIMEOUT_MS: '4000' } });
  const { conversation, people, devices } = await gather(t, server, 3);
  const call = await meet(conversation, devices);
  const third = /** @type {Client} */ (devices[2]);
  await devices[0]?.told('call:media-server');
  const joined = await third.do('call:join', { callId: call.callId });
  call.seats.push(joined.participantId);
  await acknowledge(call, devices.slice(0, 1), joined.transition.transitionId);
  for (const device of devices) device.forget();
  await server.crashGateway();
  await server.startGateway();
  for (const [index, device] of devices.entries()) {
    await device.told('authenticated', (told) => told.success, 20_000);
    const state = await device.do('call:rejoin', { callId: call.callId, participantId: call.seats[index] });
    assert.equal(state.callId, call.callId);
  }
  // Nobody is left in between: another try commits.
  const order = await third.told('call:mode-switch', undefined, 20_000);
  await acknowledge(call, devices, order.transitionId);
  await third.told('call:mode-switched', (told) => told.transitionId === order.transitionId && told.success);
  const dto = await read(server, /** @type {any} */ (people[0]), call.callId);
  assert.deepEqual([dto.mode, roster(dto).length], ['sfu', 3]);
});

test('a call nobody comes back to is over', { timeout: 60_000 }, async (t) => {
  const server = await start(t, 'api-restart-alone', { environment: { RECONNECT_GRACE_SECS: '2', RING_TIMEOUT_SECS: '2' } });
  const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
  const { callId } = await meet(conversation, devices);
  const ringing = await gather(t, server, 2, { type: 'direct' });
  const second = await ringing.devices[0]?.do('call:initiate', { conversationId: ringing.conversation, type: 'audio' });
  for (const device of [...devices, ...ringing.devices]) device.close();
  await server.crashGateway();
  await server.startGateway();
  const deadline = Date.now() + 40_000;
  for (const [who, id] of /** @type {const} */ ([[people[0], callId], [ringing.people[0], second.callId]])) {
    let dto = await read(server, /** @type {any} */ (who), id);
    while (!['ended', 'failed'].includes(dto.status) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      dto = await read(server, /** @type {any} */ (who), id);
    }
    assert.equal(dto.status, 'ended');
    assert(['timeout', 'missed', 'cancelled'].includes(dto.endReason), dto.endReason);
  }
});

test('accounts, conversations, sessions and links are still there', { timeout: 60_000 }, async (t) => {
  const server = await start(t, 'api-restart-directory');
  const { conversation, people } = await gather(t, server, 2);
  const [ana] = /** @type {[any]} */ (people);
  const link = await given(server, ana, `POST /api/conversations/${conversation}/links`, {});
  const guest = await given(server, null, `POST /api/conversations/${conversation}/join-anonymous`, { firstName: 'Gus', language: 'en', shareLinkId: link.linkId });
  await server.crashGateway();
  await server.startGateway();
  assert.equal((await given(server, ana, 'GET /api/users/me')).userId, ana.id);
  assert.equal((await given(server, ana, 'GET /api/conversations'))[0].conversationId, conversation);
  assert.equal((await given(server, null, `GET /api/links/tracked/${link.token}`)).linkId, link.linkId);
  assert.equal((await ask(server, { name: 'Gus', id: '', session: guest.sessionToken }, 'GET /api/ice-servers')).status, 200);
});
