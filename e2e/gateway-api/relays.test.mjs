// TURN servers are asked all the time: those that do not relay are not handed out, and a rented one takes their place.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

import { postgres } from '../harness/postgres.mjs';
import { freePort } from '../harness/program.mjs';
import { given, login } from '../harness/rest.mjs';
import { MEDIA_ADDRESS, Server } from '../harness/server.mjs';
import { turn } from '../harness/turn.mjs';
import { eventually } from '../harness/wait.mjs';

const RENTED = 'turn:rented.example.net:3478';

test('a relay that is away is not handed out within a minute, and is again when it is back', async (t) => {
  const relay = await turn(t, 'relays');
  const fallback = { TURN_FALLBACK_URLS: RENTED, TURN_FALLBACK_USERNAME: 'u', TURN_FALLBACK_CREDENTIAL: 'p' };
  const server = await Server.start('relays', { ...relay.environment, ...fallback });
  t.after(() => server.stop());
  const ana = await login(server, 'Ana');
  const own = relay.environment.TURN_URLS.split(',');
  const handed = async () => {
    const { iceServers } = await given(server, ana, 'GET /api/ice-servers');
    return iceServers.filter((/** @type {any} */ each) => each.credential !== undefined).flatMap((/** @type {any} */ each) => each.urls);
  };
  const shown = async () => {
    const lines = (await server.text('/metrics')).split('\n').filter((line) => line.startsWith('meeshy_turn_server_up'));
    return lines.map((line) => line.split(' ').at(-1));
  };
  await eventually('both ways are well', async () => (await shown()).join() === '1,1');
  assert.deepEqual(await handed(), own);

  await relay.stop();
  // What contract §7 C gives.
  await eventually('the rented one is handed out', async () => (await handed()).join() === RENTED, { timeout: 60_000 });
  assert.deepEqual(await shown(), ['0', '0']);

  await relay.start();
  await eventually('our own is handed out again', async () => (await handed()).join() === own.join(), { timeout: 60_000 });
  assert.deepEqual(await shown(), ['1', '1']);
});

/**
 * What `meeshy doctor` finds with these settings.
 * @param {Record<string, string>} environment
 * @returns {Promise<{ code: number, findings: { name: string, verdict: string, message: string, remedy?: string }[] }>}
 */
function doctor(environment) {
  const settings = { BIND_IP: MEDIA_ADDRESS, PORT: '0', RTC_MIN_PORT: '0', RTC_MAX_PORT: '0', ...environment };
  return new Promise((resolve, reject) => {
    execFile(process.env.MEESHY_BINARY ?? '', ['doctor', '--json'], { env: settings }, (error, stdout, stderr) => {
      try {
        resolve({ code: Number(error?.code ?? 0), findings: JSON.parse(stdout).findings });
      } catch {
        reject(new Error(`${stdout}${stderr}`));
      }
    });
  });
}

test('the doctor tells a relay that relays from one that is away or knows another secret', async (t) => {
  const relay = await turn(t, 'relays-doctor');
  const of = async (/** @type {Record<string, string>} */ environment) => {
    const { code, findings } = await doctor({ ...relay.environment, ...environment });
    const found = findings.filter(({ name }) => name === 'turn');
    assert.equal(found.length, 2, JSON.stringify(findings));
    return { code, text: found.map(({ verdict, message, remedy }) => `${verdict}: ${message} -> ${remedy}`) };
  };
  const well = await of({});
  assert.equal(well.code, 0, well.text.join('\n'));
  for (const line of well.text) assert.match(line, /^ok: turn:.* relays through /);
  const wrong = await of({ TURN_SECRET: 'another-secret' });
  assert.equal(wrong.code, 2);
  for (const line of wrong.text) assert.match(line, /^problem: .*not accepted -> set TURN_SECRET/);
  await relay.stop();
  const away = await of({});
  assert.equal(away.code, 2);
  for (const line of away.text) assert.match(line, /^problem: .* -> start that server/);
});

test('the doctor finds PostgreSQL, its schema and its clock', async (t) => {
  const url = await postgres(t);
  const { code, findings } = await doctor({ DATABASE_URL: url });
  const one = (/** @type {string} */ name) => findings.find((finding) => finding.name === name);
  assert.equal(code, 0, JSON.stringify(findings));
  assert.match(one('database')?.message ?? '', /empty/);
  assert.match(one('clock')?.message ?? '', /that of the database agree/);
  const wrong = url.replace(/:\d+\//, `:${await freePort()}/`);
  const away = await doctor({ DATABASE_URL: wrong });
  assert.equal(away.code, 2);
  assert(away.findings.some(({ name, verdict, remedy }) => name === 'database' && verdict === 'problem' && remedy?.includes('DATABASE_URL')));
});
