// What people in a call do to each other: signals, switches, captions, reports, going and coming back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from '../harness/client.mjs';
import { ask, given, service } from '../harness/rest.mjs';
import { gather, meet, read, roster } from '../harness/scene.mjs';
import { Server } from '../harness/server.mjs';

/** @type {Server} */ let server;
/** Waits for a lost device for two seconds only. @type {Server} */ let hasty;
before(async () => {
  server = await Server.start('api-in-call');
  hasty = await Server.start('api-in-call-hasty', { RECONNECT_GRACE_SECS: '2' });
});
after(() => Promise.all([server.stop(), hasty.stop()]));

/** The least a session description may be. @param {string} [line] */
const sdp = (line = '') =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n${line}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\n`;
const candidate = { candidate: 'candidate:1 1 udp 2122260223 198.51.100.7 40000 typ host', sdpMid: '0', sdpMLineIndex: 0 };

/** Two people in a direct call, everything told so far forgotten. @param {import('node:test').TestContext} t @param {Server} [where] @param {string} [type] */
async function pair(t, where = server, type = 'direct') {
  const { conversation, people, devices } = await gather(t, where, 2, { type });
  const [ana, ben] = /** @type {[Client, Client]} */ (devices);
  const { callId, seats } = await meet(conversation, [ana, ben]);
  for (const device of devices) device.forget();
  return { conversation, callId, ana, ben, people: /** @type {import('../harness/rest.mjs').Who[]} */ (people), seats: /** @type {[string, string]} */ (seats) };
}

test('a signal reaches the one it is for, stamped with its sender', async (t) => {
  const { callId, ana, ben, people, seats } = await pair(t);
  const tablet = await Client.connect(t, server, /** @type {any} */ (people[1]));
  const signals = [
    { type: 'offer', sdp: sdp(), negotiationId: seats[1] },
    { type: 'answer', sdp: sdp() },
    { type: 'ice-candidate', candidate, negotiationId: seats[1] },
  ];
  for (const signal of signals) {
    // What a sender says of itself is of no effect.
    await ana.do('call:signal', { callId, targetParticipantId: seats[1], signal, fromParticipantId: seats[1] });
    const told = await ben.told('call:signal');
    assert.equal(told.fromParticipantId, seats[0]);
    assert.equal(told.signal.type, signal.type);
    if (signal.negotiationId !== undefined) assert.equal(told.signal.negotiationId, signal.negotiationId);
    if (signal.sdp !== undefined) assert.equal(told.signal.sdp, signal.sdp);
  }
  await tablet.notTold('call:signal');
  await ana.notTold('call:signal');
});

test('signals under their older names find the only peer', async (t) => {
  const { callId, ana, ben, seats } = await pair(t);
  const forms = [
    ['webrtc:offer', { offer: { type: 'offer', sdp: sdp() } }, 'offer'],
    ['webrtc:answer', { answer: { type: 'answer', sdp: sdp() } }, 'answer'],
    ['webrtc:ice-candidate', { candidate }, 'ice-candidate'],
    ['webrtc:ice-candidate', { candidate, callId, targetParticipantId: seats[1] }, 'ice-candidate'],
  ];
  for (const [event, payload, type] of forms) {
    await ana.do(/** @type {string} */ (event), payload);
    const told = await ben.told('call:signal');
    assert.deepEqual([told.callId, told.fromParticipantId, told.signal.type], [callId, seats[0], type]);
  }
});

test('what is switched is told to the others, by both names and under every alias', async (t) => {
  const { callId, ana, ben, people, seats } = await pair(t);
  /** @type {[string, Record<string, unknown>, string, boolean][]} */
  const forms = [
    ['call:toggle-audio', { enabled: false }, 'audio', false],
    ['call:toggle-audio', { enabled: true }, 'audio', true],
    ['call:mute', { muted: true }, 'audio', false],
    ['call:mute', { muted: false }, 'audio', true],
    ['call:toggle-video', { enabled: false }, 'video', false],
    ['call:video-toggle', { enabled: true }, 'video', true],
    ['call:toggle-screen-share', { enabled: true }, 'screen', true],
    ['call:toggle-screen-share', { enabled: false }, 'screen', false],
  ];
  const member = { audio: 'audioEnabled', video: 'videoEnabled', screen: 'screenShareEnabled' };
  for (const [event, payload, mediaType, enabled] of forms) {
    await ana.do(event, { callId, ...payload });
    assert.deepEqual(await ben.told('call:media-toggled'), { callId, participantId: seats[0], mediaType, enabled });
    const state = await ben.told('call:participant-media-state');
    assert.equal(state[member[/** @type {'audio'} */ (mediaType)]], enabled);
    assert.equal(state.username, people[0]?.name);
  }
  const all = { audioEnabled: false, videoEnabled: false, screenShareEnabled: true };
  await ana.do('call:media-state-change', { callId, participantId: seats[0], ...all });
  const { audioEnabled, videoEnabled, screenShareEnabled } = await ben.told('call:participant-media-state');
  assert.deepEqual({ audioEnabled, videoEnabled, screenShareEnabled }, all);
  const stored = await read(server, /** @type {any} */ (people[1]), callId);
  assert.equal(stored.participants[0].screenShareEnabled, true);
  await ana.notTold('call:media-toggled');
});

test('ten quick presses end where the last one left it', async (t) => {
  const { callId, ana, ben, people } = await pair(t);
  await Promise.all(Array.from({ length: 11 }, (_, index) => ana.do('call:toggle-audio', { callId, enabled: index % 2 === 1 })));
  await ben.notTold('call:error');
  const heard = ben.history.filter((told) => told.name === 'call:media-toggled');
  assert.equal(heard.at(-1)?.payload.enabled, false);
  assert.equal((await read(server, /** @type {any} */ (people[0]), callId)).participants[0].audioEnabled, false);
});

test('a failure is answered once: in the acknowledgement, or by call:error', async (t) => {
  const { ana } = await pair(t);
  const gone = { callId: '0'.repeat(24), enabled: true };
  await ana.refused('call:toggle-audio', gone, 'CALL_NOT_FOUND');
  await ana.notTold('call:error');
  ana.tell('call:toggle-audio', gone);
  const error = await ana.told('call:error');
  assert.equal(error.code, 'CALL_NOT_FOUND');
  assert.equal(typeof error.message, 'string');
  ana.tell('call:toggle-audio', { callId: 7 });
  assert.equal((await ana.told('call:error')).code, 'INVALID_INPUT');
});

test('captions are relayed with the speaker’s name', async (t) => {
  const { callId, ana, ben, people, seats } = await pair(t);
  const caption = { text: 'Hello <b>there</b> 👋', language: 'en', timestamp: new Date().toISOString(), isFinal: true };
  await ana.do('call:transcription', { callId, participantId: seats[0], ...caption, confidenceScore: 0.9 });
  const told = await ben.told('call:transcription');
  assert.deepEqual(
    { text: told.text, language: told.language, isFinal: told.isFinal, username: told.username, participantId: told.participantId },
    { text: caption.text, language: 'en', isFinal: true, username: people[0]?.name, participantId: seats[0] },
  );
  await ana.refused('call:transcription', { callId, ...caption, text: 'x'.repeat(2001) }, 'INVALID_INPUT', 'TRANSCRIPTION_ERROR');
  await ana.refused('call:transcription', { callId, ...caption, confidenceScore: 2 }, 'INVALID_INPUT', 'TRANSCRIPTION_ERROR');
  const kept = await given(server, /** @type {any} */ (people[0]), 'GET /api/users/me/call-data');
  assert(JSON.stringify(kept).includes('Hello <b>there'), 'one’s own captions are in one’s own data');
});

const sample = {
  packetLoss: 0.01, jitter: 4, rtt: 20, bitrate: 800, packetsLost: 1, packetsReceived: 99, bytesSent: 10, bytesReceived: 10,
  framesDecoded: 30, frameWidth: 320, frameHeight: 180, usingRelay: false,
};

test('quality is reported by event and over HTTP', async (t) => {
  const { callId, ana, people, seats } = await pair(t);
  await ana.do('call:quality-report', { callId, participantId: seats[0], ...sample });
  for (const bad of [{ packetLoss: 1.5 }, { packetLoss: -0.1 }, { rtt: -1 }, { jitter: 'much' }]) {
    await ana.refused('call:quality-report', { callId, participantId: seats[0], ...sample, ...bad }, 'INVALID_INPUT');
  }
  const path = `POST /api/calls/${callId}/quality-metrics`;
  assert.equal((await ask(server, /** @type {any} */ (people[1]), path, sample)).status, 202);
  assert.equal((await ask(server, /** @type {any} */ (people[1]), path, { ...sample, packetLoss: 3 })).error.code, 'INVALID_REQUEST');
  assert.equal((await ask(server, null, path, sample)).status, 401);
  await ana.do('call:diagnostics', { callId, transport: 'p2p', iceState: 'failed', candidateTypes: ['host'], error: 'no pair' });
});

test('credentials are renewed during a call', async (t) => {
  const { callId, ana } = await pair(t, server, 'group');
  await ana.told('call:media-server').catch(() => undefined);
  const renewed = await ana.do('call:refresh-credentials', { callId });
  assert(Array.isArray(renewed.iceServers));
  assert(Date.parse(renewed.tokenExpiresAt ?? renewed.expiresAt) > Date.now() + 60_000);
});

test('who is removed is out, is told so, and is let in again only by joining anew', async (t) => {
  const { callId, ana, ben, seats } = await pair(t, server, 'group');
  await ana.do('call:kick', { callId, participantId: seats[1] });
  const error = await ben.told('call:error');
  assert.equal(error.code, 'KICKED');
  const left = await ana.told('call:participant-left');
  assert.deepEqual([left.participantId, left.reason], [seats[1], 'kicked']);
  await ben.refused('call:toggle-audio', { callId, enabled: false }, 'PARTICIPANT_NOT_FOUND', 'PERMISSION_DENIED');
  await ana.refused('call:kick', { callId, participantId: '0'.repeat(24) }, 'PARTICIPANT_NOT_FOUND');
});

test('a lost device keeps its seat, the others see it, and it comes back to it', async (t) => {
  const { callId, ana, ben, people, seats } = await pair(t);
  const began = Date.now();
  ben.cut();
  await ana.told('call:participant-media-state', (told) => told.participantId === seats[1] && told.status === 'disconnected', 12_000);
  assert(Date.now() - began < 11_000, 'within ten seconds');
  assert.equal(roster(await read(server, /** @type {any} */ (people[0]), callId)).length, 2);
  const back = await Client.connect(t, server, /** @type {any} */ (people[1]));
  const state = await back.do('call:rejoin', { callId, participantId: seats[1] });
  assert.deepEqual([state.participantId, state.mode, state.participants.length], [seats[1], 'p2p', 2]);
  assert.equal((await back.told('call:rejoined')).participantId, seats[1]);
  await ana.told('call:participant-media-state', (told) => told.participantId === seats[1] && told.status === 'connected');
  await ana.do('call:signal', { callId, targetParticipantId: seats[1], signal: { type: 'offer', sdp: sdp() } });
  await back.told('call:signal');
});

test('who does not come back in time is gone, and may join anew', async (t) => {
  const { callId, ana, ben, people, seats } = await pair(t, hasty, 'group');
  ben.cut();
  const left = await ana.told('call:participant-left', undefined, 20_000);
  assert.deepEqual([left.participantId, left.reason], [seats[1], 'network-failure']);
  const back = await Client.connect(t, hasty, /** @type {any} */ (people[1]));
  await back.refused('call:rejoin', { callId, participantId: seats[1] }, 'PARTICIPANT_NOT_FOUND');
  const again = await back.do('call:join', { callId });
  assert.equal(again.participantId, seats[1], 'the same row is revived');
  const dto = await read(hasty, /** @type {any} */ (people[0]), callId);
  assert.equal(dto.participants.length, 2, 'one row each');
});

test('nobody speaks for somebody else', async (t) => {
  const { callId, ana, ben, seats } = await pair(t);
  const [mine, theirs] = seats;
  const caption = { text: 'I owe you', language: 'en', timestamp: new Date().toISOString(), isFinal: true };
  const media = { audioEnabled: false, videoEnabled: false, screenShareEnabled: false };
  /** @type {[string, Record<string, unknown>][]} */
  const forged = [
    ['call:leave', {}],
    ['call:media-state-change', media],
    ['call:connected', {}],
    ['call:mode-switch-ack', { success: true }],
    ['call:rejoin', {}],
    ['call:transcription', caption],
    ['call:quality-report', sample],
  ];
  for (const [event, payload] of forged) {
    await ana.refused(event, { callId, participantId: theirs, ...payload }, 'PERMISSION_DENIED', 'FORBIDDEN', 'PARTICIPANT_NOT_FOUND');
  }
  await ana.refused('call:signal', { callId, targetParticipantId: mine, signal: { type: 'offer', sdp: sdp() } }, 'SIGNALING_ERROR', 'INVALID_INPUT', 'PARTICIPANT_NOT_FOUND');
  await ben.notTold('call:participant-left');
  await ben.notTold('call:transcription');
});

test('a stranger who knows the call’s id can do nothing with it', async (t) => {
  const { callId, ana, ben, seats } = await pair(t);
  const stranger = (await gather(t, server, 1)).devices[0];
  assert(stranger !== undefined);
  const denied = ['PERMISSION_DENIED', 'FORBIDDEN', 'CALL_NOT_FOUND', 'PARTICIPANT_NOT_FOUND'];
  /** @type {[string, Record<string, unknown>][]} */
  const tries = [
    ['call:join', {}], ['call:accept', {}], ['call:reject', {}], ['call:leave', {}], ['call:end', {}],
    ['call:signal', { targetParticipantId: seats[0], signal: { type: 'offer', sdp: sdp() } }],
    ['call:toggle-audio', { enabled: false }], ['call:toggle-video', { enabled: false }], ['call:toggle-screen-share', { enabled: true }],
    ['call:connected', { participantId: seats[0] }], ['call:mode-switch-ack', { participantId: seats[0], success: false }],
    ['call:rejoin', { participantId: seats[0] }], ['call:kick', { participantId: seats[0] }], ['call:refresh-credentials', {}],
    ['call:retry-switch', {}], ['call:sfu-proof', { proven: true }], ['call:mute', { muted: true }],
    ['call:media-state-change', { audioEnabled: false, videoEnabled: false, screenShareEnabled: false }],
    ['call:transcription', { text: 'x', language: 'en', timestamp: new Date().toISOString(), isFinal: true }],
  ];
  for (const [event, payload] of tries) await stranger.refused(event, { callId, ...payload }, ...denied);
  await ana.notTold('call:ended');
  await ben.notTold('call:signal');
  const untouched = await given(server, service(), `GET /api/calls/${callId}`);
  assert.equal(roster(untouched).length, 2);
});
