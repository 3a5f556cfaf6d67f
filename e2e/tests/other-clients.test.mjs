// Clients that are not ours: an older mediasoup-client, and one that is no browser at all.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { CallPage } from '../harness/call-page.mjs';
import { artifacts } from '../harness/server.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

const E2E = join(dirname(fileURLToPath(import.meta.url)), '..');

test('mediasoup-client 3.7 and our page see and hear each other', async (t) => {
  const stage = await Stage.set(t, 'old-client');
  const chromium = await stage.chromium();
  const ana = await stage.join(chromium, { room: 'old', name: 'Ana', simulcast: false });

  const bundle = await build({
    entryPoints: [join(E2E, 'page', 'old-client.mjs')],
    bundle: true,
    write: false,
    format: 'iife',
    define: { global: 'globalThis' },
  });
  const old = await CallPage.create(chromium, { room: 'old', name: 'Old' });
  await old.page.setBypassCSP(true);
  await old.page.goto(`${stage.server.url}/health`);
  await old.page.addScriptTag({ content: bundle.outputFiles[0]?.text ?? '' });
  const joined = await old.page.evaluate(() => /** @type {any} */ (window).oldClient.join('old', 'Old'));
  assert.match(joined.handler, /^Chrome/);

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
  const stage = await Stage.set(t, 'aiortc');
  const ana = await stage.join(await stage.chromium(), { room: 'python', name: 'Ana', simulcast: false });
  const python = startAiortc(stage.server.url, 'python', 'Pia');
  t.after(() => python.child.kill('SIGKILL'));

  await ana.sees('Pia');
  await ana.hears('Pia');
  const report = await eventually('aiortc has decoded enough', () => python.last((report) => report.videoFrames > 20));
  assert.equal(report.name, 'Ana', 'it knows whom it sees by the producer’s appData');
  assert(report.width >= 160 && report.height >= 90, `a picture of ${report.width}x${report.height}`);
  assert(report.brightness > 5 && report.brightness < 250, `brightness ${report.brightness} is a picture, not a blank`);
  await eventually('aiortc hears Ana', () => python.last((report) => report.loudness > 100));
  await eventually('aiortc was told of Ana over Socket.IO', () => python.last((report) => report.announced >= 2));

  python.child.kill('SIGTERM');
  assert.equal(await python.exited, 0, 'it leaves politely');
  await ana.noTile('Pia');
  ana.assertNoErrors();
});

/**
 * Starts e2e/independent/participant.py, which prints one JSON report a line.
 * @param {string} url @param {string} room @param {string} name
 */
function startAiortc(url, room, name) {
  const script = join(E2E, 'independent', 'participant.py');
  const child = spawn(join(E2E, '.venv', 'bin', 'python'), [script, url, room, name], { stdio: ['ignore', 'pipe', 'pipe'] });
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
