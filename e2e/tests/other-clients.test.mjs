// Clients that are not ours: an older mediasoup-client, and one that is no browser at all.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { artifacts } from '../harness/artifacts.mjs';
import { CallPage } from '../harness/call-page.mjs';
import { Client } from '../harness/client.mjs';
import { given, service } from '../harness/rest.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

const E2E = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Seats somebody whose media is not ours beside Ana, and has the call go through the node. Of two by hand it stays there.
 * @param {import('node:test').TestContext} t @param {Stage} stage @param {string} name
 * @param {(seat: { callId: string, participantId: string, token: string, name: string }) => Promise<unknown>} join Has the media join.
 */
async function seatBesideAna(t, stage, name, join) {
  const chromium = await stage.chromium();
  const room = await stage.room(['Ana', name]);
  const ana = await stage.join(chromium, { room, name: 'Ana' });
  const device = await Client.connect(t, stage.server, await stage.person(name));
  const { callId } = await given(stage.server, service(), `GET /api/conversations/${room}/active-call`);
  const { participantId } = await device.do('call:join', { callId });
  await device.do('call:connected', { callId, participantId });
  await device.told('call:media-server');
  await given(stage.server, service(), `PUT /api/calls/${callId}/mode`, { mode: 'sfu' });
  const { transitionId, mediaServerConfig } = await device.told('call:mode-switch');
  await join({ callId, participantId, token: mediaServerConfig.token, name });
  await device.do('call:mode-switch-ack', { callId, participantId, transitionId, success: true });
  await ana.goes('sfu');
  return { chromium, ana, device, callId };
}

test('mediasoup-client 3.7 and our page see and hear each other', async (t) => {
  const stage = await Stage.set(t, 'old-client');
  const bundle = await build({
    entryPoints: [join(E2E, 'page', 'old-client.mjs')],
    bundle: true,
    write: false,
    format: 'iife',
    define: { global: 'globalThis' },
  });
  /** @type {CallPage} */ let old = /** @type {any} */ (undefined);
  const { ana } = await seatBesideAna(t, stage, 'Old', async (seat) => {
    old = await CallPage.create(await stage.chromium(), { name: 'Old' });
    await old.page.setBypassCSP(true);
    await old.page.goto(`${stage.server.url}/health`);
    await old.page.addScriptTag({ content: bundle.outputFiles[0]?.text ?? '' });
    const joined = await old.page.evaluate((given) => /** @type {any} */ (window).oldClient.join(given), seat);
    assert.match(joined.handler, /^Chrome/);
  });

  await eventually('both of Ana’s producers are consumed', async () => {
    return (await old.page.evaluate(() => /** @type {any} */ (window).oldClient.consumeAll())) === 2;
  });
  const received = () => old.page.evaluate(() => /** @type {any} */ (window).oldClient.received());
  await eventually('the old client sees Ana move', async () => (await received()).frames > 20);
  await eventually('the old client hears Ana', async () => (await received()).energy > 1e-4);
  await ana.sees('Old');
  await ana.hears('Old');
  old.assertNoErrors();
  ana.assertNoErrors();
});

test('aiortc, which shares no code with a browser, sends and receives', async (t) => {
  // It speaks to the node itself, over REST and Socket.IO.
  const stage = await Stage.set(t, 'aiortc', { apart: true });
  /** @type {ReturnType<typeof startAiortc>} */ let python = /** @type {any} */ (undefined);
  const { ana, device, callId } = await seatBesideAna(t, stage, 'Pia', async (seat) => {
    python = startAiortc(stage.server.nodes[0]?.url ?? '', seat);
    t.after(() => python.child.kill('SIGKILL'));
    await eventually('aiortc receives', () => python.last(() => true));
  });

  await ana.sees('Pia');
  await ana.hears('Pia');
  const report = await eventually('aiortc has decoded enough', () => python.last((report) => report.videoFrames > 20));
  assert(report.width >= 160 && report.height >= 90, `a picture of ${report.width}x${report.height}`);
  assert(report.brightness > 5 && report.brightness < 250, `brightness ${report.brightness} is a picture, not a blank`);
  await eventually('aiortc hears Ana', () => python.last((report) => report.loudness > 100));
  await eventually('aiortc was told of Ana over Socket.IO', () => python.last((report) => report.announced >= 2));

  python.child.kill('SIGTERM');
  assert.equal(await python.exited, 0, 'it leaves politely');
  await device.do('call:leave', { callId });
  await ana.noTile('Pia');
  ana.assertNoErrors();
});

/**
 * Starts e2e/independent/participant.py, which prints one JSON report a line.
 * @param {string} url @param {{ callId: string, participantId: string, token: string, name: string }} seat
 */
function startAiortc(url, seat) {
  const words = [join(E2E, 'independent', 'participant.py'), url, seat.callId, seat.participantId, seat.token, seat.name];
  const child = spawn(join(E2E, '.venv', 'bin', 'python'), words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.pipe(createWriteStream(join(artifacts('aiortc'), 'participant.log')));
  /** @type {Promise<number | null>} */
  const exited = new Promise((resolve) => child.on('exit', resolve));
  /** @type {any} */ let latest;
  createInterface({ input: child.stdout }).on('line', (line) => {
    latest = JSON.parse(line);
  });
  /** @param {(report: any) => boolean} good */
  const last = (good) => {
    if (child.exitCode !== null) throw new Error(`participant.py ended with ${child.exitCode}; see its log in artifacts`);
    return latest !== undefined && good(latest) ? latest : undefined;
  };
  return { child, exited, last };
}
