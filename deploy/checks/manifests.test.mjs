// Every overlay as `kubectl apply -k` would send it: rendered, compared with the schemas of Kubernetes, and with our rules.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stringify } from "yaml";
import { complaints, isCustom } from "./custom-resources.mjs";
import { name, ofKind, OVERLAYS, render, secretTemplates, workloads } from "./kubernetes.mjs";
import { policies } from "./policies.mjs";
import { DEPLOY, program } from "./repository.mjs";

/** The oldest version that is promised to work, and the newest whose schemas the validator ships. */
const VERSIONS = ["1.30.0", "1.37.0"];

const VARIANTS = ["several-gateways", "bigger-media-nodes"];
const rendered = new Map([
  ...OVERLAYS.map((overlay) => [overlay, `overlays/${overlay}`]),
  ...VARIANTS.map((variant) => [variant, `../checks/variants/${variant}`]),
].map(([title, folder]) => [title, render(folder)]));
const secrets = secretTemplates();

const folder = mkdtempSync(join(tmpdir(), "manifests-"));
after(() => rmSync(folder, { recursive: true }));

/** What the schemas say about objects: nothing if all is well. */
function schemaComplaints(objects, version) {
  const path = join(folder, "objects.yaml");
  writeFileSync(path, objects.map((object) => stringify(object)).join("---\n"));
  const run = spawnSync(program("kubernetes-validate"), ["--strict", "--quiet", "--kubernetes-version", version, path], { encoding: "utf8" });
  return run.status === 0 && !/WARN|ERROR/.test(run.stdout + run.stderr) ? "" : run.stdout + run.stderr;
}

test("the schemas refuse a misspelt field", () => {
  const [gateway] = workloads(structuredClone(rendered.get("staging"))).filter(({ object }) => object.metadata.name === "gateway");
  gateway.pod.containers[0].resources.limit = {};
  assert.match(schemaComplaints([gateway.object], VERSIONS[1]), /limit/);
});

test("a misspelt field of a custom resource is refused", () => {
  const monitor = structuredClone(ofKind(rendered.get("staging"), "ServiceMonitor")[0]);
  assert.deepEqual(complaints(monitor), []);
  monitor.spec.endpoints[0].intervall = "30s";
  assert.match(complaints(monitor).join(), /intervall is not known/);
  monitor.spec.endpoints[0].interval = "half a minute";
  assert.match(complaints(monitor).join(), /interval cannot be/);
});

for (const [title, objects] of rendered) {
  test(title, async (t) => {
    for (const version of VERSIONS) {
      await t.test(`fits the schemas of ${version}`, () => {
        const native = objects.filter((object) => !isCustom(object));
        assert.ok(native.length > 10, `${native.length} objects`);
        assert.equal(schemaComplaints(native, version), "");
      });
    }
    await t.test("custom resources have the fields they should", () =>
      assert.deepEqual(objects.filter(isCustom).flatMap(complaints), []));
    await t.test("no object comes twice", () => {
      const names = objects.map(name);
      assert.equal(new Set(names).size, names.length);
    });
    for (const [rule, check] of Object.entries(policies)) {
      await t.test(rule, () => assert.deepEqual(check(objects, { secrets }), []));
    }
  });
}

test("the template of the secrets has no value in it", () => {
  for (const secret of secrets) {
    assert.deepEqual(Object.values(secret.stringData).filter((value) => value !== ""), [], name(secret));
  }
});

test("every component is used or tried", () => {
  const used = [...OVERLAYS.map((overlay) => `kubernetes/overlays/${overlay}`), ...VARIANTS.map((variant) => `checks/variants/${variant}`)]
    .map((path) => readFileSync(join(DEPLOY, path, "kustomization.yaml"), "utf8"))
    .join();
  for (const component of readdirSync(join(DEPLOY, "kubernetes/components"))) {
    assert.match(used, new RegExp(`components/${component}`));
  }
});
