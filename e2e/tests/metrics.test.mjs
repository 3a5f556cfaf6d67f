// What an operator sees: a real Prometheus reads a gateway and a media node during a call that switches.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { complaints, DEPLOY, families, Prometheus } from '../harness/prometheus.mjs';
import { ask, given, service } from '../harness/rest.mjs';
import { Server } from '../harness/server.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

/** @typedef {{ name: string, server: string, type: string, labels: string[], help: string }} Described */
/** @type {Described[]} */ const TABLE = JSON.parse(readFileSync(join(DEPLOY, 'checks/metrics.json'), 'utf8'));

/** Gauges whose names are given, and end as a counter's do (contract §8.5); and one that promtool takes for a unit. */
const GIVEN_NAMES = [
  'calls_active_total', 'calls_mode_p2p_total', 'calls_mode_sfu_total',
  'mediasoup_workers_total', 'mediasoup_routers_total', 'mediasoup_transports_total', 'mediasoup_producers_total', 'mediasoup_consumers_total',
];

/** Everything promtool finds fault with but given names. @param {string} text */
function faults(text) {
  return complaints(text).filter((line) => !GIVEN_NAMES.some((name) => line === `${name} non-counter metrics should not have "_total" suffix`));
}

/**
 * What is exported is what the table says, and of what the table says nothing is missing that is known beforehand.
 * @param {string} text @param {string} server
 */
function assertAsDescribed(text, server) {
  const described = new Map(TABLE.filter((each) => each.server === server || each.server === 'both').map((each) => [each.name, each]));
  const exported = families(text);
  for (const [name, { type, help, labels }] of exported) {
    const entry = described.get(name);
    assert(entry !== undefined, `${server}: ${name} is in the table`);
    assert.deepEqual([type, help], [entry.type, entry.help], name);
    if (labels.size > 0) assert.deepEqual([...labels].sort(), [...entry.labels].sort(), `${name}: labels`);
  }
  // Nothing is relayed here.
  const unseen = [...described.keys()].filter((name) => !exported.has(name) && name !== 'meeshy_turn_server_up');
  assert.deepEqual(unseen, [], `${server}: not exported`);
}

/** Every expression of the dashboards, with its variables filled in. */
function dashboardQueries() {
  const folder = join(DEPLOY, 'grafana/dashboards');
  return readdirSync(folder).flatMap((file) => {
    /** @type {{ title: string, panels: { type: string, title: string, targets?: { expr: string }[] }[] }} */
    const board = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    return board.panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => ({
      where: `${board.title}: ${panel.title}`,
      expr: expr.replaceAll('$__rate_interval', '10s').replaceAll('$__range', '5m').replaceAll(/\$\w+/g, '.*'),
    })));
  });
}

test('Prometheus sees a call of three come about', { timeout: 300_000 }, async (t) => {
  const stage = await Stage.set(t, 'metrics', { apart: true });
  const [node] = stage.server.nodes;
  assert(node !== undefined);
  const prometheus = await Prometheus.start(t, 'metrics', {
    'gateway:4000': `127.0.0.1:${stage.server.port}`,
    'media-server:3001': `127.0.0.1:${node.port}`,
  });
  /** @param {string} expression @param {(value: number) => boolean} good */
  const becomes = (expression, good) => eventually(expression, async () => good(await prometheus.value(expression)));
  await becomes('sum(up)', (value) => value === 2);
  await becomes('meeshy_media_nodes{state="ready"}', (value) => value === 1);

  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo'], { seated: 2 });
  await assertEverybodyMeets(pages);
  await becomes('calls_mode_p2p_total', (value) => value === 1);
  const cleo = await stage.join(chromium, { room, name: 'Cleo' });
  const everybody = [...pages, cleo];
  for (const page of everybody) await page.goes('sfu');
  await assertEverybodyMeets(everybody);
  // Somebody looks at a call that is not theirs.
  const { callId } = await given(stage.server, service(), `GET /api/conversations/${room}/active-call`);
  const refused = await ask(stage.server, await stage.person('Eve'), `GET /api/calls/${callId}`);
  assert.equal(refused.status, 403);

  await t.test('its figures are what happened', async () => {
    for (const [expression, good] of /** @type {[string, (value: number) => boolean][]} */ ([
      ['calls_active_total', (value) => value === 1],
      ['calls_mode_sfu_total', (value) => value === 1],
      ['calls_mode_p2p_total', (value) => value === 0],
      ['meeshy_active_participants', (value) => value === 3],
      ['meeshy_call_joins_total', (value) => value === 3],
      ['sum(meeshy_call_setup_duration_seconds_count)', (value) => value === 2],
      ['sum(calls_mode_transitions_total{from="p2p", to="sfu", result="success"})', (value) => value >= 1],
      ['sum(call_mode_transition_duration_seconds_count{to="sfu"})', (value) => value >= 1],
      ['sum(mediasoup_consumers_total)', (value) => value === 12],
      ['sum(mediasoup_producers_total{kind="video"})', (value) => value === 3],
      ['sum(meeshy_ice_attempts_total{side="server", result="success"})', (value) => value >= 6],
      ['sum(meeshy_ice_attempts_total{side="client", result="success"})', (value) => value >= 2],
      ['min(rate(rtp_packets_total[5s]))', (value) => value > 10],
      ['sum(rate(process_cpu_seconds_total{job="media"}[5s]))', (value) => value > 0],
      ['min(process_resident_memory_bytes) / 1e6', (value) => value > 1 && value < 2000],
      ['min(meeshy_cpu_limit_cores)', (value) => value > 0 && value <= 1024],
      ['max(abs(time() - process_start_time_seconds))', (value) => value > 0 && value < 600],
      ['histogram_quantile(0.95, sum by (le) (rate(rtp_forward_latency_seconds_bucket[10s])))', (value) => value > 0 && value < 0.25],
      ['meeshy_access_denied_total{via="http"}', (value) => value === 1],
      ['turn_relay_participants', (value) => value === 0],
    ])) await becomes(expression, good);
  });

  await t.test('targets and rules are well, and nobody is called', async () => {
    for (const { labels, health, lastError } of await prometheus.targets()) assert.equal(health, 'up', `${labels.job}: ${lastError}`);
    const rules = await eventually('every rule was evaluated', async () => {
      const all = await prometheus.rules();
      return all.length > 20 && all.every(({ health }) => health !== 'unknown') && all;
    });
    for (const { name, health, lastError } of rules) assert.equal(health, 'ok', `${name}: ${lastError}`);
    const firing = rules.filter(({ state, labels }) => state === 'firing' && labels.severity === 'critical').map(({ name }) => name);
    assert.deepEqual(firing, []);
  });

  await t.test('every panel can be drawn, and shows the call', async () => {
    /** @type {string[]} */ const empty = [];
    for (const { where, expr } of dashboardQueries()) {
      const samples = await prometheus.query(expr);
      if (samples.length === 0) empty.push(where);
    }
    // Of TURN servers there are none.
    assert.deepEqual(empty.filter((where) => !where.endsWith('TURN servers')), []);
  });

  await t.test('promtool has nothing to say but of names that are given', async () => {
    const [gateway, media] = [await stage.server.text('/metrics'), await node.text('/metrics')];
    assert.deepEqual(faults(gateway), [], 'gateway');
    assert.deepEqual(faults(media), [], 'media node');
    assertAsDescribed(gateway, 'gateway');
    assertAsDescribed(media, 'media');
  });
});

test('one process tells of both its halves', async (t) => {
  const server = await Server.start('metrics-serve');
  t.after(() => server.stop());
  // A panel about requests needs one.
  await server.text('/api/config');
  for (const path of ['/metrics', '/metrics/media-node']) assert.deepEqual(faults(await server.text(path)), [], path);
  assert.match(await server.text('/metrics'), /^meeshy_build_info\{role="gateway",version="[\d.]+",region=""\} 1$/m);
  assert.match(await server.text('/metrics/media-node'), /^meeshy_build_info\{role="media",version="[\d.]+",region=""\} 1$/m);
});
