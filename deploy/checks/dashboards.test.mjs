// The dashboards: written from their tables, in a shape that Grafana reads, asking only for what servers export.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { BOARDS } from "../grafana/boards.mjs";
import { dashboard } from "../grafana/layout.mjs";
import { EXPORTED, complaints, promtoolReads, split } from "./exported.mjs";
import { read } from "./promql.mjs";
import { DEPLOY, readDocuments } from "./repository.mjs";

const FOLDER = join(DEPLOY, "grafana/dashboards");
const files = readdirSync(FOLDER).sort();
const boards = files.map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")));
const panels = boards.flatMap((board) => board.panels.filter((each) => each.type !== "row").map((panel) => ({ board, panel })));
const queries = panels.flatMap(({ board, panel }) => panel.targets.map((target) => ({ where: `${board.title}, ${panel.title}`, ...target })));

/** The same with Grafana's variables filled in. */
const filled = (expression) => expression.replaceAll("$__rate_interval", "1m").replaceAll("$__range", "6h").replace(/\$\w+/g, ".*");

/** Grafana's names for the units that are in use. */
const UNITS = ["short", "s", "bytes", "bps", "Kbits", "pps", "cps", "cpm", "ops", "reqps", "percent", "percentunit"];
const KINDS = ["stat", "gauge", "timeseries", "bargauge", "heatmap", "table"];

test("the files are what write.mjs writes: node deploy/grafana/write.mjs", () => {
  assert.deepEqual(files, BOARDS.map((board) => `${board.uid}.json`).sort());
  for (const board of BOARDS) {
    const written = boards.find(({ uid }) => uid === board.uid);
    assert.deepEqual(written, JSON.parse(JSON.stringify(dashboard(board))), board.title);
  }
});

test("dashboards, panels and variables are told apart and find their data source", () => {
  assert.equal(new Set(boards.map(({ uid }) => uid)).size, boards.length);
  assert.equal(new Set(boards.map(({ title }) => title)).size, boards.length);
  for (const board of boards) {
    const ids = board.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, `${board.title}: ids`);
    const variables = board.templating.list.map(({ name }) => name);
    assert.equal(variables[0], "source", board.title);
    assert.equal(board.templating.list[0].type, "datasource");
    const used = new Set(JSON.stringify([board.panels, board.templating]).match(/\$\{?(?!__)\w+/g).map((each) => each.replace(/\W/g, "")));
    assert.deepEqual([...used].sort(), [...variables].sort(), `${board.title}: variables there are and that are used`);
  }
  for (const { board, panel } of panels) {
    const where = `${board.title}, ${panel.title}`;
    for (const each of [panel, ...panel.targets]) assert.deepEqual(each.datasource, { type: "prometheus", uid: "${source}" }, where);
    assert.equal(new Set(panel.targets.map(({ refId }) => refId)).size, panel.targets.length, where);
    assert.ok(UNITS.includes(panel.fieldConfig.defaults.unit), `${where}: ${panel.fieldConfig.defaults.unit}`);
    assert.ok(KINDS.includes(panel.type), where);
  }
});

test("panels lie in the grid and not on each other", () => {
  for (const board of boards) {
    const taken = new Map();
    for (const { title, gridPos } of board.panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 && gridPos.w > 0 && gridPos.h > 0, `${board.title}, ${title}`);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          const cell = `${x},${y}`;
          assert.ok(!taken.has(cell), `${board.title}: ${title} lies on ${taken.get(cell)}`);
          taken.set(cell, title);
        }
      }
    }
  }
});

test("every expression is one", () => {
  promtoolReads(queries.map(({ expr }) => filled(expr)));
  assert.throws(() => promtoolReads(["rate(x)"]), "promtool does find a mistake");
});

test("every metric and label that is asked for is exported", () => {
  const wrong = queries.flatMap(({ where, expr, legendFormat }) => complaints(filled(expr), legendFormat).map((each) => `${where}: ${each}`));
  assert.deepEqual(wrong, []);
  for (const board of boards) {
    for (const { query } of board.templating.list.filter(({ type }) => type === "query")) {
      const [, metric, label] = /^label_values\((.*), (\w+)\)$/.exec(query.query);
      assert.deepEqual(complaints(`count by (${label}) (${filled(metric)})`), [], `${board.title}: ${query.query}`);
    }
  }
});

test("mistakes in names are found", () => {
  for (const [expression, legend, complaint] of [
    ["calls_active", "", "nobody exports calls_active"],
    ['calls_active_total{mode="sfu"}', "", "calls_active_total has no label mode"],
    ["sum by (node) (calls_active_total)", "", "nothing here has a label node"],
    ["sum by (kind) (mediasoup_consumers_total)", "{{worker}}", "nothing here has a label worker"],
    ["sum by (kind) (mediasoup_consumers_total)", "{{instance}}", "the label instance is grouped away"],
    ["rtp_packets_total", "", "rtp_packets_total only grows: rate() or increase()"],
    ["rate(calls_active_total[5m])", "", "calls_active_total goes up and down: no rate()"],
    ["rate(call_quality_rtt_seconds[5m])", "", "call_quality_rtt_seconds is a histogram: _bucket, _sum or _count"],
    ["sum by (le) (rate(rtp_packets_total[5m]))", "", "nothing here has a label le"],
  ]) assert.ok(complaints(expression, legend).includes(complaint), `${expression}: ${complaints(expression, legend)}`);
  assert.deepEqual(read('sum by (a) (rate(b{c="d}e",f!~"g"}[5m])) / on (h) group_left (i) max(j offset 5m) > bool 1.5e3').metrics.map(({ name }) => name), ["b", "j"]);
});

test("every metric has a panel", () => {
  const shown = new Set(queries.flatMap(({ expr }) => read(filled(expr)).metrics.map(({ name }) => split(name).base)));
  // The older name of what is shown as db_query_duration_seconds.
  shown.add("prisma_query_duration_seconds");
  assert.deepEqual([...EXPORTED.keys()].filter((name) => !shown.has(name)), []);
});

test("the panels that the operations contract demands (§8.7) are there", () => {
  for (const [kind, metric] of [
    ["gauge", "calls_active_total"],
    ["bargauge", "call_participants"],
    ["bargauge", "call_mode_transition_duration_seconds"],
    ["timeseries", "process_cpu_seconds_total"],
    ["timeseries", "process_resident_memory_bytes"],
    ["heatmap", "call_quality_packet_loss_ratio"],
    ["timeseries", "calls_mode_sfu_total"],
    ["stat", "calls_mode_transitions_total"],
    ["timeseries", "meeshy_ice_attempts_total"],
    ["timeseries", "calls_using_relay_ratio"],
    ["timeseries", "rtp_bytes_total"],
    ["timeseries", "rtp_forward_latency_seconds"],
    ["timeseries", "http_request_duration_seconds"],
    ["timeseries", "rate_limit_rejections_total"],
    ["timeseries", "media_server_capacity_ratio"],
  ]) {
    const found = panels.some(({ panel }) => panel.type === kind && panel.targets.some(({ expr }) => read(filled(expr)).metrics.some(({ name }) => split(name).base === metric)));
    assert.ok(found, `a ${kind} of ${metric}`);
  }
});

test("Grafana is told where its data and its dashboards are", () => {
  const [{ datasources }] = readDocuments(join(DEPLOY, "grafana/provisioning/datasources/prometheus.yml"));
  assert.deepEqual(datasources.map(({ type, isDefault }) => ({ type, isDefault })), [{ type: "prometheus", isDefault: true }]);
  const [{ providers }] = readDocuments(join(DEPLOY, "grafana/provisioning/dashboards/meeshy.yml"));
  assert.deepEqual(providers.map(({ type, options }) => ({ type, path: options.path })), [{ type: "file", path: "/var/lib/grafana/dashboards" }]);
});
