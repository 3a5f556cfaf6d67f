// What the servers export (metrics.json, which a test of the binary keeps current), and whether expressions ask for
// anything else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { output, program } from "./repository.mjs";
import { read } from "./promql.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/** Every metric by name: `{ type, labels, servers }`. */
export const EXPORTED = new Map();
for (const { name, server, type, labels, help } of JSON.parse(readFileSync(join(here, "metrics.json"), "utf8"))) {
  const known = EXPORTED.get(name);
  EXPORTED.set(name, known ? { ...known, servers: [...known.servers, server] } : { type, labels, help, servers: [server] });
}

/** Labels that Prometheus gives every target. */
const TARGET = ["job", "instance"];
/** What others export. */
const FOREIGN = new Map([
  ["up", []],
  ["ALERTS", ["alertname", "alertstate", "team"]],
  ["kube_pod_container_status_restarts_total", ["namespace", "pod", "container"]],
]);

/** A name without what a histogram's series add to it: `{ base, suffix }`. */
export function split(name) {
  const [, base, suffix] = /^(.*?)_(bucket|sum|count)$/.exec(name) ?? [];
  return EXPORTED.get(base)?.type === "histogram" ? { base, suffix } : { base: name, suffix: "" };
}

function labelsOf(name) {
  const { base, suffix } = split(name);
  const own = EXPORTED.get(base)?.labels ?? FOREIGN.get(base) ?? [];
  return [...own, ...TARGET, ...(suffix === "bucket" ? ["le"] : [])];
}

/** What is wrong with the names in an expression, and with those in the legend of its results. */
export function complaints(expression, legend = "") {
  const { metrics, labels } = read(expression);
  const wrong = [];
  for (const { name, matchers, grows } of metrics) {
    const { base, suffix } = split(name);
    const known = EXPORTED.get(base);
    if (!known && !FOREIGN.has(base)) wrong.push(`nobody exports ${name}`);
    if (known?.type === "histogram" && suffix === "") wrong.push(`${name} is a histogram: _bucket, _sum or _count`);
    const counts = known?.type === "counter" || suffix !== "";
    if (known && counts !== grows) wrong.push(counts ? `${name} only grows: rate() or increase()` : `${name} goes up and down: no rate()`);
    for (const { label } of matchers) if (!labelsOf(name).includes(label)) wrong.push(`${name} has no label ${label}`);
  }
  const possible = metrics.flatMap(({ name }) => labelsOf(name));
  const shown = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1]);
  for (const label of [...labels, ...shown]) if (!possible.includes(label)) wrong.push(`nothing here has a label ${label}`);
  // What a grouping leaves out cannot be shown.
  if (labels.length > 0) for (const label of shown) if (!labels.includes(label)) wrong.push(`the label ${label} is grouped away`);
  return wrong;
}

/** Has promtool read expressions; throws what it says. */
export function promtoolReads(expressions) {
  const folder = mkdtempSync(join(tmpdir(), "meeshy-rules-"));
  try {
    const rules = expressions.map((expr, index) => ({ record: `checked:${index}`, expr }));
    // JSON is YAML.
    writeFileSync(join(folder, "rules.yml"), JSON.stringify({ groups: [{ name: "checked", rules }] }));
    output(program("promtool"), ["check", "rules", "--lint=none", join(folder, "rules.yml")]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
