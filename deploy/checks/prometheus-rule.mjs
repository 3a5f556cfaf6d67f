// The alerts as the object that Prometheus Operator reads. Run by itself, it writes the file.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";

import { DEPLOY } from "./repository.mjs";

export const ALERTS = join(DEPLOY, "prometheus/alerts.yml");
export const RULE = join(DEPLOY, "kubernetes/base/prometheus-rule.yaml");

/** What the file is to hold. */
export function prometheusRule() {
  const { groups } = parse(readFileSync(ALERTS, "utf8"));
  const object = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "meeshy-calls", labels: { "app.kubernetes.io/part-of": "meeshy-calls" } },
    spec: { groups },
  };
  const head = "# Written from deploy/prometheus/alerts.yml: make prometheus-rule. A check compares the two.\n";
  return head + stringify(object, { lineWidth: 0 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(RULE, prometheusRule());
