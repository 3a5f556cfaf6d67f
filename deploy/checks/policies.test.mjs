// Each rule is shown a manifest with one mistake in it, which it must refuse, and the good one, which it must not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { render, secretTemplates } from "./kubernetes.mjs";
import { policies } from "./policies.mjs";

const good = ["overlays/staging", "overlays/production"].map(render);
const secrets = secretTemplates();

/** The object of this kind and name in a copy of the staging overlay. */
const pick = (objects, kind, wanted, namespace) =>
  objects.find((object) => object.kind === kind && object.metadata.name === wanted && (!namespace || object.metadata.namespace === namespace));

const container = (objects, kind, wanted) => pick(objects, kind, wanted).spec.template.spec.containers[0];
const env = (objects, kind, wanted, key) => container(objects, kind, wanted).env.find((entry) => entry.name === key);
const config = (objects, start) => objects.find((object) => object.kind === "ConfigMap" && object.metadata.name.startsWith(start)).data;

/** Rule, the mistake, and a word that the complaint must hold. */
const mistakes = [
  ["containers have requests and limits", (o) => delete container(o, "Deployment", "gateway").resources.limits.memory, "limits.memory"],
  ["servers have probes at ports they listen on", (o) => delete container(o, "Deployment", "media-server").livenessProbe, "livenessProbe"],
  ["servers have probes at ports they listen on", (o) => (container(o, "Deployment", "gateway").readinessProbe.httpGet.port = 4001), "4001"],
  ["containers are no root and cannot become it", (o) => (pick(o, "Deployment", "gateway").spec.template.spec.securityContext.runAsUser = 0), "root"],
  ["containers are no root and cannot become it", (o) => delete container(o, "Deployment", "media-server").securityContext.readOnlyRootFilesystem, "write"],
  ["containers are no root and cannot become it", (o) => (container(o, "Deployment", "gateway").securityContext.capabilities.add = ["NET_BIND_SERVICE"]), "capabilities"],
  ["containers are no root and cannot become it", (o) => delete pick(o, "Job", "migrate").spec.template.spec.securityContext.seccompProfile, "seccomp"],
  ["our own image runs as its user", (o) => (pick(o, "Deployment", "gateway").spec.template.spec.securityContext.runAsUser = 1000), "1001"],
  ["pods get no token unless a step asks for one by itself", (o) => (pick(o, "ServiceAccount", "gateway").automountServiceAccountToken = true), "token"],
  ["images are pinned, and the version label says to what", (o) => (container(o, "Deployment", "gateway").image = "registry.example.org/meeshy:latest"), "latest"],
  ["images are pinned, and the version label says to what", (o) => (container(o, "DaemonSet", "coturn").image = "docker.io/coturn/coturn"), "may change"],
  ["images are pinned, and the version label says to what", (o) => (container(o, "Deployment", "gateway").image = "registry.example.org/meeshy:0.2.0"), "labelled"],
  ["workloads carry app and version", (o) => delete pick(o, "Deployment", "gateway").spec.template.metadata.labels.version, "version"],
  ["settings are settings of the binary", (o) => container(o, "Deployment", "gateway").env.push({ name: "JWT_SECRETS", value: "x" }), "JWT_SECRETS"],
  ["settings are settings of the binary", (o) => (config(o, "media-server-config").RTC_MINPORT = "1"), "RTC_MINPORT"],
  ["the binary accepts the settings", (o) => (config(o, "media-server-config").RTC_MAX_PORT = "10001"), "RTC_MAX_PORT"],
  ["the binary accepts the settings", (o) => (config(o, "gateway-config").TRUSTED_PROXIES = "everybody"), "TRUSTED_PROXIES"],
  ["the binary accepts the settings", (o) => delete config(o, "gateway-config").MEDIA_SERVER_URL, "MEDIA_SERVER_URL"],
  ["ports are those of the binary", (o) => (config(o, "gateway-config").PORT = "4001"), "4001"],
  ["ports are those of the binary", (o) => (container(o, "Deployment", "media-server").ports[1].containerPort = 20000), "20000"],
  ["references lead to something", (o) => (env(o, "Deployment", "gateway", "JWT_SECRET").valueFrom.secretKeyRef.key = "jwt"), "key jwt"],
  ["references lead to something", (o) => (container(o, "Deployment", "gateway").envFrom[0].configMapRef.name = "gateway-config"), "gateway-config"],
  ["references lead to something", (o) => container(o, "StatefulSet", "postgres").volumeMounts.push({ name: "gone", mountPath: "/x" }), "gone"],
  ["secrets are never in a manifest", (o) => o.push({ kind: "Secret", metadata: { name: "media-server-secrets" } }), "overwrite"],
  ["secrets are never in a manifest", (o) => (config(o, "gateway-config").JWT_SECRET = "abc"), "JWT_SECRET"],
  ["calls may end before a media node does", (o) => delete container(o, "Deployment", "media-server").lifecycle, "without a drain"],
  ["calls may end before a media node does", (o) => (pick(o, "Deployment", "media-server").spec.template.spec.terminationGracePeriodSeconds = 60), "60 s"],
  ["calls may end before a media node does", (o) => container(o, "Deployment", "media-server").lifecycle.preStop.exec.command.push("--hurry"), "--hurry"],
  ["ports of one container differ", (o) => (container(o, "Deployment", "media-server").ports[2].protocol = "UDP"), "10000/UDP"],
  ["services select pods with their ports", (o) => (pick(o, "Service", "gateway").spec.selector.app = "gatway"), "selects no pod"],
  ["services select pods with their ports", (o) => (pick(o, "Service", "media-server").spec.ports[0].targetPort = "web"), "no port web"],
  ["workloads select their own pods", (o) => (pick(o, "Deployment", "gateway").spec.selector.matchLabels.app = "other"), "its own pods"],
  ["autoscalers have a target, which leaves the number of pods to them", (o) => (pick(o, "HorizontalPodAutoscaler", "media-server").spec.scaleTargetRef.name = "media"), "not there"],
  ["autoscalers have a target, which leaves the number of pods to them", (o) => (pick(o, "Deployment", "media-server").spec.replicas = 3), "replicas"],
  ["autoscalers have a target, which leaves the number of pods to them", (o) => delete container(o, "Deployment", "media-server").resources.requests.cpu, "cpu"],
  ["disruption budgets leave room for a disruption", (o) => (pick(o, "PodDisruptionBudget", "media-server").spec.minAvailable = 3), "no node could be drained"],
  ["service monitors find a service and its port", (o) => (pick(o, "ServiceMonitor", "gateway").spec.endpoints[0].port = "metrics"), "metrics"],
  ["service monitors find a service and its port", (o) => (pick(o, "ServiceMonitor", "media-server").spec.selector.matchLabels.app = "media"), "no service"],
  ["every namespace with pods denies what is not allowed", (o) => delete pick(o, "NetworkPolicy", "default-deny").spec.policyTypes, "denies"],
  ["network policies select pods and open ports that these have", (o) => (pick(o, "NetworkPolicy", "gateway").spec.podSelector.matchLabels.app = "gw"), "selects no pod"],
  ["network policies select pods and open ports that these have", (o) => (pick(o, "NetworkPolicy", "gateway").spec.ingress[0].ports[0].port = 4001), "4001"],
  ["network policies select pods and open ports that these have", (o) => delete pick(o, "NetworkPolicy", "postgres").spec.ingress[0].ports, "every port"],
  ["every pod that is talked to has a policy of its own", (o) => o.splice(o.indexOf(pick(o, "NetworkPolicy", "postgres")), 1), "reach it"],
  ["ingresses lead to services, over TLS", (o) => pick(o, "Ingress", "gateway").spec.tls[0].hosts.pop(), "no certificate"],
  ["ingresses lead to services, over TLS", (o) => (pick(o, "Ingress", "gateway").spec.rules[2].http.paths[0].backend.service.name = "media"), "no service media"],
  ["only namespaces that say so hold pods on the host's network", (o) => (pick(o, "Deployment", "gateway").spec.template.spec.hostNetwork = true), "not admitted"],
  ["only namespaces that say so hold pods on the host's network", (o) => (pick(o, "Namespace", "meeshy-video-calls").metadata.labels["pod-security.kubernetes.io/enforce"] = "privileged"), "need not"],
  ["pods on the host's network never share a node", (o) => delete pick(o, "Deployment", "media-server").spec.template.spec.affinity, "same ports"],
  ["namespaces exist", (o) => (pick(o, "Service", "gateway").metadata.namespace = "elsewhere"), "nothing makes"],
];

test("the good manifests are accepted", async (t) => {
  for (const [rule, check] of Object.entries(policies)) {
    await t.test(rule, () => assert.deepEqual(good.flatMap((objects) => check(objects, { secrets })), []));
  }
});

test("a mistake is refused", async (t) => {
  for (const [rule, spoil, word] of mistakes) {
    await t.test(`${rule}: ${word}`, () => {
      const objects = structuredClone(good[0]);
      spoil(objects);
      const complaints = policies[rule](objects, { secrets });
      assert.ok(complaints.some((complaint) => complaint.includes(word)), `expected a complaint with "${word}", got ${JSON.stringify(complaints)}`);
    });
  }
});

test("every rule has a mistake that it is tried with", () => {
  const tried = new Set(mistakes.map(([rule]) => rule));
  assert.deepEqual(Object.keys(policies).filter((rule) => !tried.has(rule)), []);
});
