// The Socket.IO side of a media node, spoken to by the stock client over each of its transports.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { io } from 'socket.io-client';

import { MEDIA_SECRET, startNode } from '../harness/server.mjs';

const BINARY = process.env.MEESHY_BINARY ?? '';
const PATIENCE = 10_000;

/** A token as an operator mints it. @param {string[]} words */
function token(...words) {
  const environment = { ...process.env, JWT_SECRET: MEDIA_SECRET };
  return execFileSync(BINARY, ['token', ...words], { env: environment, encoding: 'utf8' }).trim();
}

/** @param {string} call @param {string} participant */
function participantToken(call, participant) {
  return token('--call-id', call, '--participant-id', participant);
}

/**
 * @param {import('node:test').TestContext} t
 * @param {{ url: string }} server
 * @param {string | undefined} bearer
 * @param {string[]} transports
 */
function connect(t, server, bearer, transports = ['websocket']) {
  const auth = bearer === undefined ? {} : { token: bearer };
  const socket = io(server.url, { auth, transports, forceNew: true, reconnectionDelay: 100 });
  t.after(() => socket.disconnect());
  return socket;
}

/**
 * The payload of the next event of this name.
 * @param {import('socket.io-client').Socket} socket
 * @param {string} event
 * @returns {Promise<any>}
 */
function next(socket, event) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${event} came`)), PATIENCE);
    socket.once(event, (payload) => {
      clearTimeout(late);
      resolve(payload);
    });
  });
}

/**
 * @param {{ url: string }} server
 * @param {string} bearer
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 */
async function rest(server, bearer, method, path, body) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.data;
}

/** @param {{ url: string }} server @param {string} call @param {string} participant */
async function produceAudio(server, call, participant) {
  const bearer = participantToken(call, participant);
  const room = `/api/rooms/${call}`;
  const transport = await rest(server, bearer, 'POST', `${room}/transports`, {
    participantId: participant,
    direction: 'send',
  });
  const path = `${room}/transports/${transport.transportId}/produce`;
  const { producerId } = await rest(server, bearer, 'POST', path, {
    participantId: participant,
    kind: 'audio',
    appData: { source: 'microphone', displayName: participant },
    rtpParameters: {
      mid: '0',
      codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
      encodings: [{ ssrc: 1111 }],
      rtcp: { cname: 'x' },
    },
  });
  return { bearer, producerId };
}

test('a socket without a valid token gets connect_error UNAUTHORIZED', async (t) => {
  const server = await startNode('node-api-refused');
  t.after(() => server.stop());
  for (const transports of [['websocket'], ['polling']]) {
    for (const bearer of [undefined, '', 'nonsense', participantToken('room', 'ana').slice(0, -2)]) {
      const error = await next(connect(t, server, bearer, transports), 'connect_error');
      assert.equal(error.message, 'UNAUTHORIZED');
    }
  }
});

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  test(`events arrive over ${transports.join(' upgraded to ')}`, async (t) => {
    const server = await startNode(`node-api-${transports.join('-')}`);
    t.after(() => server.stop());
    const service = token('--role', 'service', '--ttl', '60');
    await rest(server, service, 'POST', '/api/rooms/call-1/create');
    const gateway = connect(t, server, service, transports);
    const listener = connect(t, server, participantToken('call-1', 'ben'), transports);
    await Promise.all([next(gateway, 'connect'), next(listener, 'connect')]);
    const early = await produceAudio(server, 'call-1', 'cleo');

    const replayed = next(listener, 'new-producer');
    const joined = await listener.timeout(PATIENCE).emitWithAck('join-room', { callId: 'call-1', participantId: 'ben' });
    assert.deepEqual(joined, { success: true });
    assert.equal((await replayed).producerId, early.producerId);
    const served = next(gateway, 'new-producer');
    assert.deepEqual(await gateway.timeout(PATIENCE).emitWithAck('join-room', { callId: 'call-1' }), { success: true });
    await served;

    const announced = [next(listener, 'new-producer'), next(gateway, 'new-producer')];
    const { bearer, producerId } = await produceAudio(server, 'call-1', 'ana');
    for (const event of await Promise.all(announced)) {
      assert.deepEqual(event, {
        callId: 'call-1',
        participantId: 'ana',
        producerId,
        kind: 'audio',
        paused: false,
        appData: { source: 'microphone', displayName: 'ana' },
      });
    }
    const closed = [next(listener, 'producer-closed'), next(gateway, 'producer-closed')];
    await rest(server, bearer, 'DELETE', `/api/rooms/call-1/producers/${producerId}`);
    for (const event of await Promise.all(closed)) {
      assert.deepEqual(event, { callId: 'call-1', participantId: 'ana', producerId, kind: 'audio' });
    }
    const destroyed = next(gateway, 'room-destroyed');
    await rest(server, service, 'DELETE', '/api/rooms/call-1');
    assert.deepEqual(await destroyed, { callId: 'call-1', reason: 'requested' });
    if (transports.length > 1) assert.equal(listener.io.engine.transport.name, 'websocket');
  });
}

test('a socket may join for itself only', async (t) => {
  const server = await startNode('node-api-forbidden');
  t.after(() => server.stop());
  await rest(server, token('--role', 'service'), 'POST', '/api/rooms/call-1/create');
  const socket = connect(t, server, participantToken('call-1', 'ana'));
  await next(socket, 'connect');
  const ask = (/** @type {unknown} */ payload) => socket.timeout(PATIENCE).emitWithAck('join-room', payload);
  const refused = await ask({ callId: 'call-1', participantId: 'ben' });
  assert.equal(refused.success, false);
  assert.equal(refused.error.code, 'FORBIDDEN');
  assert.equal((await ask({ callId: 'call-2', participantId: 'ana' })).error.code, 'FORBIDDEN');
  assert.equal((await ask('nonsense')).error.code, 'INVALID_REQUEST');
  assert.deepEqual(await ask({ callId: 'call-1', participantId: 'ana' }), { success: true });
});
