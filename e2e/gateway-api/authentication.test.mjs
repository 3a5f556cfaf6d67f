// Who may speak: by token in the handshake, by event, and who is shown the door.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../harness/client.mjs';
import { ask, asPlatformAdmin, converse, elsewhere, given, invite, login, newcomer, service, sign } from '../harness/rest.mjs';
import { MEDIA_SECRET, Server } from '../harness/server.mjs';

/** @type {Server} */ let server;
before(async () => {
  server = await Server.start('api-authentication');
});
after(() => server.stop());

test('a token in the handshake or in the event authenticate lets a person in', async (t) => {
  const ana = await login(server, 'Ana');
  const owner = await newcomer(server);
  const guest = await invite(server, owner, await converse(server, owner, [ana]), 'Gustav');
  assert.equal(guest.name, 'Guest_Gustav');
  for (const [who, auth, isAnonymous] of /** @type {const} */ ([[ana, { token: ana.token }, false], [guest, { sessionToken: guest.session }, true]])) {
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      const shaken = Client.open(t, server, null, { auth, transports });
      const told = await shaken.told('authenticated');
      assert.deepEqual(told, { success: true, user: { id: who.id, username: who.name, isAnonymous } });
      const later = Client.open(t, server, null, { transports });
      await later.told('connect');
      later.tell('authenticate', { ...auth, language: 'de' });
      assert.deepEqual(await later.told('authenticated'), told);
      shaken.close();
      later.close();
    }
  }
});

test('every token that is not a login token is refused, and the socket closed', async (t) => {
  const ana = await login(server, 'Ana');
  const past = Math.floor(Date.now() / 1000) - 7200;
  const [head = '', claims = '', signature = ''] = (ana.token ?? '').split('.');
  const none = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
  /** @type {Record<string, unknown>} */
  const bad = {
    'a user id in place of a token': { userId: ana.id },
    nonsense: { token: 'nonsense' },
    empty: { token: '' },
    number: { token: 42 },
    'cut short': { token: `${head}.${claims}.${signature.slice(0, -4)}` },
    'of no algorithm': { token: none },
    'signed by somebody else': { token: sign({ sub: ana.id }, 'another-secret-0123456789abcdef-0123') },
    'for a media node': { token: sign({ sub: ana.id, aud: 'media' }) },
    'signed with the media secret': { token: sign({ sub: ana.id, aud: 'gateway' }, MEDIA_SECRET) },
    expired: { token: sign({ sub: ana.id, iat: past, exp: past + 3600 }) },
    'a guest session nobody has': { sessionToken: 'a'.repeat(43) },
    'a login token as a session': { sessionToken: ana.token },
  };
  // Each from an address of its own, so that none is shut out for the others' sake.
  const tries = Object.entries(bad).map(async ([what, auth]) => {
    const shaken = Client.open(t, server, null, { auth: /** @type {any} */ (auth), extraHeaders: elsewhere(), reconnection: false });
    // What is no token at all counts as having said nothing, for which there are ten seconds.
    const handshake = await shaken.told('authenticated', undefined, 14_000);
    assert.deepEqual([handshake.success, handshake.error?.code], [false, 'UNAUTHORIZED'], `${what}, in the handshake`);
    await shaken.told('disconnect');

    const later = Client.open(t, server, null, { extraHeaders: elsewhere(), reconnection: false });
    await later.told('connect');
    later.tell('authenticate', auth);
    const told = await later.told('authenticated');
    assert.deepEqual([told.success, told.error?.code], [false, 'UNAUTHORIZED'], `${what}, by event`);
    await later.told('disconnect');

    const { token, sessionToken } = /** @type {any} */ (auth);
    if (typeof token !== 'string') return;
    const answer = await ask(server, { name: what, id: '', token, session: sessionToken }, 'GET /api/users/me', undefined, elsewhere());
    assert.deepEqual([answer.status, answer.error?.code], [401, 'UNAUTHORIZED'], what);
  });
  await Promise.all(tries);
});

test('a silent socket may do nothing and is dropped after ten seconds', async (t) => {
  const silent = Client.open(t, server, null, { reconnection: false });
  await silent.told('connect');
  const began = Date.now();
  await silent.refused('call:leave', { callId: 'a'.repeat(24) }, 'UNAUTHORIZED');
  silent.tell('call:end', { callId: 'a'.repeat(24) });
  const error = await silent.told('call:error');
  assert.equal(error.code, 'UNAUTHORIZED');
  await silent.told('disconnect', () => true, 15_000);
  const seconds = (Date.now() - began) / 1000;
  assert(seconds > 8 && seconds < 14, `dropped after ${seconds} s`);
});

test('identity is fixed for a socket’s life', async (t) => {
  const [ana, ben] = [await newcomer(server), await newcomer(server)];
  const socket = await Client.connect(t, server, ana);
  socket.tell('authenticate', { token: ben.token });
  const second = await Promise.race([socket.told('authenticated'), socket.told('call:error'), socket.told('disconnect')]);
  if (typeof second === 'object' && second.success === true) assert.equal(second.user.id, ana.id, 'it did not become somebody else');
  const conversation = await converse(server, ben, [await newcomer(server)]);
  if (socket.socket.connected) {
    await socket.refused('call:initiate', { conversationId: conversation, type: 'video' }, 'PERMISSION_DENIED', 'FORBIDDEN');
  }
});

test('one way to say who one is: a token or a session, not both', async () => {
  const ana = await newcomer(server);
  const conversation = await converse(server, ana, [await newcomer(server)]);
  const guest = await invite(server, ana, conversation);
  const answer = await ask(server, { ...ana, session: guest.session }, 'GET /api/users/me', undefined, elsewhere());
  // Either refused or answered as the person; never as the guest.
  if (answer.status === 200) assert.equal(answer.data.userId, ana.id);
  else assert([400, 401].includes(answer.status));
});

test('a cookie is no way in, and only known pages may ask', async () => {
  const ana = await newcomer(server);
  const cookie = await ask(server, null, 'GET /api/users/me', undefined, { cookie: `token=${ana.token}`, ...elsewhere() });
  assert.equal(cookie.status, 401);
  const foreign = await ask(server, ana, 'GET /api/users/me', undefined, { origin: 'https://evil.example' });
  assert.notEqual(foreign.headers.get('access-control-allow-origin'), '*');
  assert.notEqual(foreign.headers.get('access-control-allow-origin'), 'https://evil.example');
});

test('a service and an administrator of the installation are known by their role', async () => {
  const ana = await newcomer(server);
  assert.equal((await given(server, asPlatformAdmin(ana), 'GET /api/users/me')).userId, ana.id);
  const missing = await ask(server, service(), `GET /api/calls/${'0'.repeat(24)}`);
  assert.deepEqual([missing.status, missing.error.code], [404, 'CALL_NOT_FOUND']);
});

test('who fails to log in ten times a minute is shut out', async () => {
  const here = { 'x-forwarded-for': '203.0.113.250' };
  /** @type {number[]} */ const statuses = [];
  for (let index = 0; index < 12; index += 1) {
    const answer = await ask(server, { name: 'bad', id: '', token: 'bad' }, 'GET /api/users/me', undefined, here);
    statuses.push(answer.status);
    if (answer.status === 429) {
      assert.equal(answer.error.code, 'RATE_LIMIT_EXCEEDED');
      assert(answer.error.retryAfter > 600, 'for a quarter of an hour');
    }
  }
  assert.deepEqual(statuses.slice(0, 10), Array.from({ length: 10 }, () => 401));
  assert(statuses.slice(10).every((status) => status === 429), statuses.join(' '));
  const ana = await newcomer(server);
  assert.equal((await ask(server, ana, 'GET /api/users/me', undefined, here)).status, 429, 'with a good token too');
  assert.equal((await ask(server, ana, 'GET /api/users/me', undefined, elsewhere())).status, 200, 'others are not touched');
});

test('in production nobody logs in by a name', async (t) => {
  const production = await Server.start('api-production', { APP_ENV: 'production' });
  t.after(() => production.stop());
  const answer = await ask(production, null, 'POST /api/auth/dev-login', { username: 'Ana' });
  assert([403, 404].includes(answer.status), String(answer.status));
  assert.equal((await given(production, null, 'GET /api/config')).devLogin, false);
});
