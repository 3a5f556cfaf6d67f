// The protocol of switching, played by devices without media: commit, rollback, and everything that comes between.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, asPlatformAdmin, given, service } from '../harness/rest.mjs';
import { acknowledge, comeAndSwitch, gather, meet, read, roster } from '../harness/scene.mjs';
import { Server } from '../harness/server.mjs';
import { eventually } from '../harness/wait.mjs';

/** @typedef {import('../harness/client.mjs').Client} Client */

/** Two seconds for a switch, half a second of being two before the way back. */
const SHORT = { TRANSITION_TIMEOUT_MS: '2000', SFU_TO_P2P_HYSTERESIS_MS: '500', RECONNECT_GRACE_SECS: '3' };

/** @type {Server} */ let server;
before(async () => {
  server = await Server.start('api-mode-switch', SHORT);
});
after(() => server.stop());

/** @param {import('node:test').TestContext} t @param {number} count @param {Server} [where] */
async function group(t, count, where = server) {
  const gathering = await gather(t, where, count);
  const call = await meet(gathering.conversation, gathering.devices);
  const two = gathering.devices.slice(0, 2);
  for (const device of two) await device.told('call:media-server');
  return { ...gathering, call, two, third: /** @type {Client} */ (gathering.devices[2]) };
}

test('in a group the way through the node is handed out while the call is direct, to each their own', async (t) => {
  const { conversation, devices } = await gather(t, server, 2);
  const { callId } = await meet(conversation, devices);
  const configs = await Promise.all(devices.map(async (device) => (await device.told('call:media-server')).mediaServerConfig));
  const [one, two] = configs;
  assert.equal(one.routerId, two.routerId);
  assert.notEqual(one.token, two.token);
  assert.equal(one.url, '', 'by way of the gateway');
  assert(one.rtpCapabilities.codecs.length > 4);
  for (const config of configs) {
    const room = await ask(server, { name: 'seat', id: '', token: config.token }, `GET /api/rooms/${callId}`);
    assert.deepEqual([room.status, room.data?.routerId], [200, one.routerId], JSON.stringify(room.body));
    assert(Date.parse(config.tokenExpiresAt) > Date.now());
    const login = await ask(server, { name: 'seat', id: '', token: config.token }, 'GET /api/users/me');
    assert.equal(login.status, 401, 'a node’s token opens nothing else');
  }
  await devices[0]?.do('call:sfu-proof', { callId, proven: true, protocol: 'udp' });
  await devices[1]?.do('call:sfu-proof', { callId, proven: false, error: 'no route' });
  await devices[0]?.notTold('call:mode-switch');
});

test('a direct conversation has no such way, and no third seat', async (t) => {
  const { conversation, people, devices } = await gather(t, server, 2, { type: 'direct' });
  const { callId } = await meet(conversation, devices);
  await devices[0]?.notTold('call:media-server');
  for (const mode of ['sfu', 'p2p']) {
    const answer = await ask(server, service(), `PUT /api/calls/${callId}/mode`, { mode });
    if (mode === 'sfu') assert.deepEqual([answer.status, answer.error?.code], [400, 'INVALID_MODE'], JSON.stringify(answer.body));
    else assert(answer.status === 200 || answer.error.code === 'INVALID_MODE');
  }
  assert.equal((await read(server, /** @type {any} */ (people[0]), callId)).mode, 'p2p');
});

test('a third person: all build the new way, acknowledge, and it is committed', async (t) => {
  const { call, devices, two, third, people } = await group(t, 3);
  const { callId } = call;
  const joined = await third.do('call:join', { callId });
  call.seats.push(joined.participantId);
  assert.deepEqual([joined.mode, joined.participants.length, joined.transition.newMode], ['sfu', 3, 'sfu']);
  assert.equal(joined.mediaServerConfig.url, '');
  for (const device of two) {
    const order = await device.told('call:mode-switch');
    assert.deepEqual(
      [order.oldMode, order.newMode, order.mode, order.reason, order.transitionId],
      ['p2p', 'sfu', 'sfu', 'participant-count-changed', joined.transition.transitionId],
    );
    assert(Date.parse(order.switchDeadline) > Date.now());
    assert(order.mediaServerConfig.token.length > 20);
  }
  const during = await read(server, /** @type {any} */ (people[0]), callId);
  assert.equal(during.mode, 'p2p', 'the mode changes on commit only');
  await acknowledge(call, two, 'd'.repeat(24)).catch(() => undefined);
  await acknowledge(call, two, joined.transition.transitionId);
  for (const device of devices) await device.notTold('call:mode-switched');
  // The last one acknowledges under the older name.
  await third.do('call:mode-switched', { callId, participantId: joined.participantId, success: true });
  for (const device of devices) {
    const { success, mode } = await device.told('call:mode-switched');
    assert.deepEqual([success, mode], [true, 'sfu']);
  }
  const after = await read(server, /** @type {any} */ (people[0]), callId);
  assert.deepEqual([after.mode, roster(after).length], ['sfu', 3]);
  const metrics = await server.text('/metrics');
  assert.match(metrics, /^calls_mode_transitions_total\{[^}]*to="sfu"[^}]*\} [1-9]/m);
  assert.match(metrics, /^call_mode_transition_duration_seconds_count\{[^}]*\} [1-9]/m);
});

test('when two remain for long enough the call goes back, the earlier one offering', async (t) => {
  const { call, devices, two, third } = await group(t, 3);
  await comeAndSwitch(call, devices);
  await third.do('call:leave', { callId: call.callId });
  const orders = await Promise.all(two.map((device) => device.told('call:mode-switch', (order) => order.newMode === 'p2p')));
  assert.deepEqual(orders.map((order) => [order.role, order.initiator, order.peerParticipantId]), [
    ['initiator', true, call.seats[1]],
    ['receiver', false, call.seats[0]],
  ]);
  assert(orders.every((order) => Array.isArray(order.iceServers)));
  await acknowledge(call, two, orders[0].transitionId);
  for (const device of two) {
    const switched = await device.told('call:mode-switched', (told) => told.transitionId === orders[0].transitionId);
    assert.deepEqual([switched.success, switched.mode], [true, 'p2p']);
  }
});

test('who comes back within the hysteresis keeps the call where it is', async (t) => {
  const slow = await Server.start('api-hysteresis', { SFU_TO_P2P_HYSTERESIS_MS: '2500' });
  t.after(() => slow.stop());
  const { call, devices, two, third } = await group(t, 3, slow);
  await comeAndSwitch(call, devices);
  await third.do('call:leave', { callId: call.callId });
  const again = await third.do('call:join', { callId: call.callId });
  assert.deepEqual([again.mode, again.transition], ['sfu', undefined]);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  for (const device of two) assert(!device.has('call:mode-switch', (order) => order.newMode === 'p2p'));
});

test('a third person during the way back calls it off', async (t) => {
  const { call, devices, two, third } = await group(t, 3);
  await comeAndSwitch(call, devices);
  await third.do('call:leave', { callId: call.callId });
  const order = await two[0]?.told('call:mode-switch', (told) => told.newMode === 'p2p');
  const joined = await third.do('call:join', { callId: call.callId });
  assert.deepEqual([joined.mode, joined.transition], ['sfu', undefined]);
  for (const device of two) {
    const told = await device.told('call:mode-switched', (switched) => switched.transitionId === order.transitionId);
    assert.deepEqual([told.success, told.mode, told.error], [false, 'sfu', 'participant-joined']);
  }
});

test('a newcomer who never acknowledges is sent away, and the two go on as they were', async (t) => {
  const { call, two, third, people } = await group(t, 3);
  const { callId } = call;
  const joined = await third.do('call:join', { callId });
  await acknowledge(call, two, joined.transition.transitionId);
  for (const device of two) {
    const told = await device.told('call:mode-switched');
    assert.deepEqual([told.success, told.mode], [false, 'p2p']);
    assert.equal((await device.told('call:participant-left')).participantId, joined.participantId);
  }
  assert.equal((await third.told('call:error')).code, 'MODE_SWITCH_FAILED');
  const dto = await read(server, /** @type {any} */ (people[0]), callId);
  assert.deepEqual([dto.mode, dto.status, roster(dto).length], ['p2p', 'active', 2]);
});

test('if one of the two never acknowledges: back to direct, and tried again', async (t) => {
  const { call, two, third } = await group(t, 3);
  const [ana, ben] = /** @type {[Client, Client]} */ (two);
  const { callId } = call;
  const joined = await third.do('call:join', { callId });
  call.seats.push(joined.participantId);
  const { transitionId } = joined.transition;
  await acknowledge(call, [ana], transitionId);
  await third.do('call:mode-switch-ack', { callId, participantId: joined.participantId, transitionId, success: true });
  for (const device of [ana, ben, third]) {
    const told = await device.told('call:mode-switched', (switched) => switched.transitionId === transitionId);
    assert.deepEqual([told.success, told.mode], [false, 'p2p']);
    assert(Date.parse(told.retryAt) > Date.now() - 500);
  }
  // A person need not wait for the next try.
  await ana.do('call:retry-switch', { callId });
  const again = await ben.told('call:mode-switch', (order) => order.transitionId !== transitionId);
  await acknowledge(call, [ana, ben, third], again.transitionId);
  const committed = await third.told('call:mode-switched', (switched) => switched.transitionId === again.transitionId);
  assert.deepEqual([committed.success, committed.mode], [true, 'sfu']);
});

test('a client that says it does not work is heard', async (t) => {
  const { call, two, third } = await group(t, 3);
  const { callId } = call;
  const joined = await third.do('call:join', { callId });
  const { transitionId } = joined.transition;
  await acknowledge(call, two, transitionId);
  await third.do('call:mode-switch-ack', { callId, transitionId, success: false, error: 'ice failed' });
  const told = await two[0]?.told('call:mode-switched');
  assert.deepEqual([told.success, told.mode], [false, 'p2p']);
});

test('a fourth who comes during a switch waits for its end', async (t) => {
  const { call, devices, two, third } = await group(t, 4);
  const fourth = /** @type {Client} */ (devices[3]);
  const { callId } = call;
  const joined = await third.do('call:join', { callId });
  call.seats.push(joined.participantId);
  const waiting = fourth.do('call:join', { callId });
  let answered = false;
  void waiting.then(() => (answered = true));
  await acknowledge(call, two, joined.transition.transitionId);
  assert.equal(answered, false, 'held while the switch is under way');
  await third.do('call:mode-switch-ack', { callId, transitionId: joined.transition.transitionId, success: true });
  const late = await waiting;
  assert.deepEqual([late.mode, late.transition, late.participants.length], ['sfu', undefined, 4]);
});

test('two who come at once end up in one group call', async (t) => {
  const { call, devices, two, people } = await group(t, 4);
  const { callId } = call;
  const joins = devices.slice(2).map((device) => device.do('call:join', { callId }));
  const first = await Promise.race(joins);
  const firstDevice = /** @type {Client} */ (devices[2 + (await Promise.race(joins.map((join, index) => join.then(() => index))))]);
  await acknowledge(call, two, first.transition.transitionId);
  await firstDevice.do('call:mode-switch-ack', { callId, transitionId: first.transition.transitionId, success: true });
  await Promise.all(joins);
  const dto = await read(server, /** @type {any} */ (people[0]), callId);
  assert.deepEqual([dto.mode, roster(dto).length], ['sfu', 4]);
});

for (const [who, when] of /** @type {const} */ ([['newcomer', 'before'], ['newcomer', 'after'], ['first', 'before'], ['first', 'after']])) {
  test(`the ${who} leaves during a switch, ${when} acknowledging`, async (t) => {
    const { call, devices, two, third, people } = await group(t, 3);
    const { callId } = call;
    const joined = await third.do('call:join', { callId });
    call.seats.push(joined.participantId);
    const { transitionId } = joined.transition;
    const leaver = who === 'newcomer' ? third : /** @type {Client} */ (two[0]);
    const index = devices.indexOf(leaver);
    const ack = (/** @type {Client} */ device, /** @type {number} */ seat) =>
      device.do('call:mode-switch-ack', { callId, participantId: call.seats[seat], transitionId, success: true });
    if (when === 'after') await ack(leaver, index);
    await leaver.do('call:leave', { callId });
    const rest = devices.map((device, seat) => /** @type {const} */ ([device, seat])).filter(([device]) => device !== leaver);
    for (const [device] of rest) await device.told('call:participant-left');
    for (const [device, seat] of rest) await ack(device, seat);
    // Wherever the mode went for the moment, it ends direct, with the two who are left, and nobody was thrown out.
    const reader = /** @type {any} */ (people[rest[0]?.[1] ?? 0]);
    for (const [device, seat] of rest) {
      void device.told('call:mode-switch', (order) => order.newMode === 'p2p', 6000).then(
        (order) => device.do('call:mode-switch-ack', { callId, participantId: call.seats[seat], transitionId: order.transitionId, success: true }),
        () => undefined,
      );
    }
    const dto = await eventually('it is direct again', async () => {
      const now = await read(server, reader, callId);
      const settled = now.mode === 'p2p' && (await given(server, service(), `GET /api/calls/${callId}`)).status === 'active';
      return settled && roster(now).length === 2 && now;
    });
    assert.equal(dto.status, 'active');
  });
}

test('by hand: what suits the count, by whoever may, one at a time', async (t) => {
  const { call, devices, two, third, people } = await group(t, 3);
  const { callId } = call;
  const put = (/** @type {import('../harness/rest.mjs').Who} */ who, /** @type {string} */ mode) => ask(server, who, `PUT /api/calls/${callId}/mode`, { mode });
  const begun = await put(asPlatformAdmin(/** @type {any} */ (people[2])), 'sfu');
  assert.deepEqual([begun.status, begun.data.mode], [200, 'sfu']);
  assert.equal((await put(service(), 'sfu')).status, 200, 'it is on its way there');
  assert.equal((await put(service(), 'p2p')).error.code, 'TRANSITION_IN_PROGRESS');
  const order = await two[0]?.told('call:mode-switch');
  assert.equal(order.reason, 'manual');
  await acknowledge(call, two, order.transitionId);
  await two[0]?.told('call:mode-switched', (told) => told.success && told.mode === 'sfu');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(two[0]?.has('call:mode-switch'), false, 'two by hand stay two through the node');
  await third.do('call:join', { callId });
  assert.equal((await put(service(), 'p2p')).error.code, 'INVALID_MODE');
  assert.equal((await put(service(), 'mesh')).error.code, 'INVALID_REQUEST');
  for (const device of devices) await device.notTold('call:error');
});

test('where group calls are turned off the third is told so', async (t) => {
  const off = await Server.start('api-no-sfu', { FEATURE_SFU: 'false' });
  t.after(() => off.stop());
  const { conversation, devices } = await gather(t, off, 3);
  const { callId } = await meet(conversation, devices);
  await devices[2]?.refused('call:join', { callId }, 'SFU_DISABLED');
  await devices[0]?.notTold('call:media-server');
  assert.equal((await given(off, null, 'GET /api/config')).flags.sfu, false);
});

test('a browser that cannot use a node is not let in as the third', async (t) => {
  const { call, third } = await group(t, 3);
  await third.refused('call:join', { callId: call.callId, sfuSupported: false }, 'SFU_DISABLED', 'SERVICE_UNAVAILABLE', 'INVALID_MODE');
});

test('without a node the third is sent away, and the two talk on', async (t) => {
  const apart = await Server.start('api-no-node', { apart: true, environment: SHORT });
  t.after(() => apart.stop());
  const { call, two, third } = await group(t, 3, apart);
  await apart.nodes[0]?.stop();
  for (const device of two) await device.told('call:media-server', (told) => told.mediaServerConfig === null, 12_000);
  await third.refused('call:join', { callId: call.callId }, 'SERVICE_UNAVAILABLE', 'MEDIA_SERVER_ERROR', 'MODE_SWITCH_FAILED');
  await two[0]?.notTold('call:ended');
});

test('a node that dies during a switch: the call goes on directly', async (t) => {
  const apart = await Server.start('api-node-dies', { apart: true, environment: { ...SHORT, TRANSITION_TIMEOUT_MS: '6000' } });
  t.after(() => apart.stop());
  const { call, two, third, people } = await group(t, 3, apart);
  const joined = await third.do('call:join', { callId: call.callId });
  await acknowledge(call, two, joined.transition.transitionId);
  await apart.nodes[0]?.stop();
  for (const device of two) {
    const told = await device.told('call:mode-switched', undefined, 12_000);
    assert.deepEqual([told.success, told.mode], [false, 'p2p']);
  }
  const dto = await read(apart, /** @type {any} */ (people[0]), call.callId);
  assert.deepEqual([dto.mode, dto.status], ['p2p', 'active']);
});

test('a node that dies in a group call: the room is made anew on another', async (t) => {
  const apart = await Server.start('api-failover', { apart: true, nodes: 2, environment: { ...SHORT, TRANSITION_TIMEOUT_MS: '6000' } });
  t.after(() => apart.stop());
  const { call, devices, third, people } = await group(t, 3, apart);
  await comeAndSwitch(call, devices);
  const rooms = await Promise.all(apart.nodes.map(async (node) => JSON.parse(await node.text('/api/stats')).data?.rooms ?? 0));
  const holder = apart.nodes[rooms.findIndex((count) => count > 0)];
  assert(holder !== undefined, `one of the nodes has the room: ${rooms.join(' ')}`);
  await holder.stop();
  const order = await third.told('call:mode-switch', (told) => told.reason === 'media-server-failover', 12_000);
  assert.deepEqual([order.oldMode, order.newMode], ['sfu', 'sfu']);
  await acknowledge(call, devices, order.transitionId);
  for (const device of devices) await device.told('call:mode-switched', (told) => told.transitionId === order.transitionId && told.success);
  const dto = await read(apart, /** @type {any} */ (people[0]), call.callId);
  assert.deepEqual([dto.mode, dto.status, roster(dto).length], ['sfu', 'active', 3]);
});
