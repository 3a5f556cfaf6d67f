// What a whole run writes into its logs at `debug`: whose call it was, and nothing that opens, locates or repeats anything.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { artifacts } from '../harness/artifacts.mjs';
import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Client } from '../harness/client.mjs';
import { ask, given, service } from '../harness/rest.mjs';
import { LOGIN_SECRET, MEDIA_ADDRESS, MEDIA_SECRET } from '../harness/server.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

const TURN_SECRET = 'turn-secret-that-nobody-may-read-0123456';
const WORDS = 'The treasure lies under the third oak';

/** What must stand in no line. @type {[string, RegExp][]} */
const NEVER = [
  ['a token', /eyJ[\w-]{8,}\.[\w-]{8,}/],
  ['a session description', /v=0\\?[rn]|\bm=(audio|video|application) \d/],
  ['a candidate', /candidate:\S+ \d+ (udp|tcp)/i],
  ['a fingerprint', /([0-9a-f]{2}:){15}/i],
  ['the words of ICE', /ice-(ufrag|pwd)|usernameFragment/i],
  ['a header with a secret', /\b(authorization|bearer|x-session-token|cookie)\b\s*[:=]/i],
];

/** The lines of a process. @param {string} name @param {string} word */
function lines(name, word) {
  const text = readFileSync(join(artifacts(name), `${word}.log`), 'utf8');
  const written = text.split('\n').filter((line) => line !== '');
  const log = written.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  // The one line for people says where the server is.
  const rest = written.filter((line) => !line.startsWith('{'));
  assert.deepEqual(rest.filter((line) => !line.startsWith('Meeshy Calls')), [], 'everything else is JSON');
  return { text, log };
}

test('a call of three with captions and a guest leaves ids in the logs and nothing else', async (t) => {
  const name = `logs-${Date.now()}`;
  const environment = {
    LOG_LEVEL: 'debug',
    TURN_URLS: 'turn:turn.example.test:3478',
    TURN_SECRET,
    IP_HASH_KEY: 'hash-key-that-nobody-may-read-012345678',
  };
  const stage = await Stage.set(t, name, { apart: true, nodes: 1, environment });
  const { server } = stage;
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo']);
  await Promise.all(pages.map((page) => page.goes('sfu')));
  await assertEverybodyMeets(pages);
  const { callId } = await given(server, service(), `GET /api/conversations/${room}/active-call`);
  const { participants } = await given(server, service(), `GET /api/calls/${callId}`);
  /** @type {string[]} */ const seats = participants.map((/** @type {any} */ each) => each.participantId);

  // Captions, both ways in.
  const caption = { text: WORDS, language: 'en', timestamp: new Date().toISOString() };
  await given(server, service(), `POST /api/calls/${callId}/transcriptions`, { ...caption, participantId: seats[0] });
  // A guest by a link, who speaks as well.
  const ana = await stage.person('Ana');
  const invitation = await given(server, ana, `POST /api/conversations/${room}/links`, {});
  const guest = await given(server, null, `POST /api/conversations/${room}/join-anonymous`, {
    firstName: 'Gus',
    language: 'en',
    shareLinkId: invitation.linkId,
  });
  const gus = { name: 'Gus', id: 'gus', session: guest.sessionToken };
  const device = await Client.connect(t, server, gus);
  const joined = await device.do('call:join', { callId });
  await device.do('call:transcription', { callId, participantId: joined.participantId, ...caption, isFinal: true });
  // Credentials, and what is refused.
  const { iceServers } = await given(server, gus, 'GET /api/ice-servers');
  const turn = iceServers.find((/** @type {any} */ each) => each.credential !== undefined);
  const bad = { name: 'nobody', id: 'nobody', token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl' };
  assert.equal((await ask(server, bad, `GET /api/calls/${callId}`)).status, 401);
  assert.equal((await ask(server, ana, `GET /api/rooms/${callId}`)).status, 401, 'a login opens no room');
  await device.do('call:leave', { callId });
  for (const page of pages) await page.click('control-leave');
  await eventually('the call is over', async () => (await ask(server, service(), `GET /api/conversations/${room}/active-call`)).data === null);

  const gateway = lines(name, 'gateway');
  const node = lines(name, 'media');
  const logins = await Promise.all(['Ana', 'Ben', 'Cleo'].map((each) => stage.person(each)));
  /** @type {[string, string | undefined][]} */
  const secrets = [
    ['what was said', 'third oak'],
    ['the login secret', LOGIN_SECRET],
    ['the nodes\' secret', MEDIA_SECRET],
    ['the relay\'s secret', TURN_SECRET],
    ['the key of hashes', environment.IP_HASH_KEY],
    ['the key of captions', '0123456789abcdef'.repeat(4)],
    ['a guest\'s session', guest.sessionToken],
    ['the link', invitation.token],
    ['the relay\'s password', turn.credential],
    ['the relay\'s name for a guest', turn.username],
    ...logins.map((each) => /** @type {[string, string | undefined]} */ ([`${each.name}'s login`, each.token])),
    // Where media goes; the gateway and its node speak over loopback.
    ...(MEDIA_ADDRESS.startsWith('127.') ? [] : [/** @type {[string, string]} */ (['an address of media', MEDIA_ADDRESS])]),
  ];
  for (const [word, { text, log }] of Object.entries({ gateway, media: node })) {
    for (const [what, pattern] of NEVER) assert.doesNotMatch(text, pattern, `${what} in ${word}.log`);
    for (const [what, secret] of secrets) {
      assert(secret !== undefined && secret.length > 5, `${what} is known here`);
      assert(!text.includes(secret), `${what} in ${word}.log`);
    }
    assert(log.some((line) => line.level === 'DEBUG'), `${word}.log has details`);
    for (const line of log) assert(typeof line.timestamp === 'string' && typeof line.target === 'string', JSON.stringify(line));
    const own = log.filter((line) => line.call === callId);
    assert(own.length > 5, `${word}.log tells of the call`);
    for (const seat of seats) assert(own.some((line) => line.participant === seat), `${word}.log tells of ${seat}`);
  }
  assert(node.log.every((line) => line.node === 'node-0'), 'every line of a node names it');
  assert(gateway.log.some((line) => line.node !== undefined && line.call === callId), 'the gateway says where the room is');
});
