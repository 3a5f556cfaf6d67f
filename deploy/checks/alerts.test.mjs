// The alerts: read by promtool, tested both ways, asking only for what servers export, the same in Kubernetes.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { EXPORTED, complaints } from "./exported.mjs";
import { ALERTS, RULE, prometheusRule } from "./prometheus-rule.mjs";
import { DEPLOY, ROOT, output, program, readDocuments } from "./repository.mjs";

const PROMETHEUS = join(DEPLOY, "prometheus");
const [{ groups }] = readDocuments(ALERTS);
const rules = groups.flatMap((group) => group.rules);
const names = new Set(rules.map(({ alert }) => alert));
const cases = readdirSync(join(PROMETHEUS, "tests")).map((name) => join(PROMETHEUS, "tests", name));

/** The alerts of the operations contract (§8.6): severity, and how long it lasts before somebody is told. */
const DEMANDED = {
  HighMediaServerCPU: [["warning", "5m"]],
  MediaServerMemory: [["critical", "5m"]],
  TransitionSlow: [["warning", "5m"]],
  TransitionFailures: [["critical", "10m"]],
  IceFailures: [["warning", "10m"]],
  RelayShareHigh: [["warning", "30m"]],
  PacketLossHigh: [["warning", "5m"], ["critical", "5m"]],
  CallDropRate: [["critical", "10m"]],
  HighCallFailureRate: [["critical", "5m"]],
  DatabaseSlow: [["warning", "5m"]],
  AuthFailures: [["warning", undefined]],
  LimiterHits: [["warning", undefined]],
  PodRestarts: [["critical", "1m"]],
  AllMediaServersDown: [["critical", "1m"]],
  NoCapacity: [["critical", "5m"]],
};

test("promtool reads the configuration and the rules", () => {
  assert.match(output(program("promtool"), ["check", "config", join(PROMETHEUS, "prometheus.yml")]), /rules found/);
});

test("every alert that is demanded is there", () => {
  for (const [name, wanted] of Object.entries(DEMANDED)) {
    const found = rules.filter(({ alert }) => alert === name).map((rule) => [rule.labels.severity, rule.for]);
    assert.deepEqual(found, wanted, name);
  }
});

test("every alert says whom it concerns, what is wrong and where to read on", () => {
  for (const { alert, labels, annotations } of rules) {
    assert.ok(["warning", "critical"].includes(labels.severity), alert);
    assert.ok(["P0", "P1", "P2"].includes(labels.priority), alert);
    assert.equal(labels.team, "calls", alert);
    assert.notEqual(labels.severity === "critical" && labels.priority, "P2", `${alert}: nobody is woken for a P2`);
    assert.equal(annotations.runbook_url, `docs/runbook.md#${alert.toLowerCase()}`);
    assert.ok(annotations.summary.length > 10 && annotations.description.length > 20, alert);
  }
  // Those whose value is a yes say nothing by it.
  const yes = ["AllMediaServersDown", "NoCapacity", "MediaServerDown", "GatewayDown", "MediaServerLost", "WorkerDied", "DrainTooLong", "TurnServerDown", "AllTurnServersDown"];
  for (const { alert, annotations } of rules.filter((rule) => !yes.includes(rule.alert))) assert.match(annotations.description, /\{\{ \$value/, alert);
});

test("the runbook has a section for every alert", () => {
  const headings = readFileSync(join(ROOT, "docs/runbook.md"), "utf8").split("\n").filter((line) => line.startsWith("#"));
  const anchors = new Set(headings.map((line) => line.replace(/^#+ /, "").toLowerCase().replace(/[^\w\s-]/g, "").replace(/\s/g, "-")));
  assert.deepEqual([...names].filter((name) => !anchors.has(name.toLowerCase())), []);
});

test("every metric and label of the alerts is exported", () => {
  const wrong = rules.flatMap(({ alert, expr }) => complaints(expr).map((each) => `${alert}: ${each}`));
  assert.deepEqual(wrong, []);
  const shown = rules.flatMap(({ annotations, expr }) => {
    const legend = [...Object.values(annotations).join(" ").matchAll(/\$labels\.(\w+)/g)].map((match) => `{{${match[1]}}}`).join("");
    return complaints(expr, legend);
  });
  assert.deepEqual(shown, []);
  assert.ok(EXPORTED.size > 40);
});

test("each alert fires where it must and is silent where it must not", () => {
  output(program("promtool"), ["test", "rules", ...cases]);
  const tests = cases.flatMap((file) => readDocuments(file)[0].tests);
  const fires = new Set();
  const silent = new Set();
  for (const each of tests) {
    for (const { alertname, exp_alerts: expected } of each.alert_rule_test ?? []) (expected.length > 0 ? fires : silent).add(alertname);
    for (const { expr, exp_samples: expected } of each.promql_expr_test ?? []) {
      const [, name] = /ALERTS\{alertname="(\w+)",alertstate="firing"\}/.exec(expr) ?? [];
      if (name !== undefined && expected.length > 0) fires.add(name);
    }
  }
  // An alert by server fires for one and not for another in the same case; that is silence, too.
  assert.deepEqual([...names].filter((name) => !fires.has(name)), [], "without a case that fires");
  const apart = new Set(["MediaServerMemory", "HighMediaServerCPU"]);
  assert.deepEqual([...names].filter((name) => !silent.has(name) && !apart.has(name)), [], "without a case that must not");
});

test("Kubernetes is given the same alerts: make prometheus-rule", () => {
  assert.equal(readFileSync(RULE, "utf8"), prometheusRule());
});

test("alerts reach somebody: P0 and P1 a channel, what is critical also a pager", () => {
  const [manager] = readDocuments(join(PROMETHEUS, "alertmanager.yml"));
  const receivers = manager.receivers.map(({ name }) => name);
  const ways = (labels) => {
    const taken = [];
    for (const route of manager.route.routes) {
      if (!route.matchers.every((matcher) => matches(matcher, labels))) continue;
      taken.push(route.receiver);
      if (route.continue !== true) break;
    }
    return taken.length > 0 ? taken : [manager.route.receiver];
  };
  for (const { alert, labels } of rules) {
    const taken = ways(labels);
    for (const receiver of taken) assert.ok(receivers.includes(receiver), receiver);
    assert.ok(taken.includes("slack"), alert);
    assert.equal(taken.includes("pagerduty"), labels.severity === "critical", alert);
  }
  for (const { source_matchers: source, target_matchers: target } of manager.inhibit_rules) {
    for (const matcher of [...source, ...target]) {
      assert.ok(rules.some(({ alert, labels }) => matches(matcher, { ...labels, alertname: alert })), matcher);
    }
  }
});

function matches(matcher, labels) {
  const [, label, operator, value] = /^(\w+)(=~|=)"(.*)"$/.exec(matcher) ?? assert.fail(matcher);
  return operator === "=" ? labels[label] === value : new RegExp(`^(?:${value})$`).test(labels[label] ?? "");
}

test("amtool reads the example", { skip: !existsSync("/usr/bin/amtool") && "amtool is not installed" }, () => {
  output("/usr/bin/amtool", ["check-config", join(PROMETHEUS, "alertmanager.yml")]);
});
