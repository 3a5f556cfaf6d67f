// The figures that were promised for Kubernetes objects, as a table: what an operator sizes a cluster by.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ofKind, OVERLAYS, render } from "./kubernetes.mjs";

const staging = render("overlays/staging");
const cluster = render("../checks/variants/several-gateways");
const bigger = render("../checks/variants/bigger-media-nodes");

const one = (objects, kind, name, namespace) => {
  const found = ofKind(objects, kind).filter((object) => object.metadata.name === name && (!namespace || object.metadata.namespace === namespace));
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0];
};
const container = (objects, name) => one(objects, "Deployment", name).spec.template.spec.containers[0];
const port = (policy, direction, index) => policy.spec[direction][index].ports;

const PROBES = {
  liveness: ["/health", 30, 10, 5, 3],
  readiness: ["/ready", 10, 5, 3, 2],
};
const probe = (objects, name, kind) => {
  const { httpGet, initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold } = container(objects, name)[`${kind}Probe`];
  return [httpGet.path, initialDelaySeconds, periodSeconds, timeoutSeconds, failureThreshold];
};

const media = () => one(staging, "Deployment", "media-server").spec;
const policy = (name, namespace) => one(staging, "NetworkPolicy", name, namespace);
const scaler = () => one(staging, "HorizontalPodAutoscaler", "media-server").spec;
const usage = (spec) => Object.fromEntries(spec.metrics.map(({ resource }) => [resource.name, resource.target.averageUtilization]));
const ingress = () => one(staging, "Ingress", "gateway");

/** What, what it is, what it has to be. */
const figures = [
  ["namespace", () => one(staging, "Namespace", "meeshy-video-calls").metadata.labels["pod-security.kubernetes.io/enforce"], "restricted"],
  ["media requests", () => container(staging, "media-server").resources.requests, { cpu: "2", memory: "4Gi" }],
  ["media limits", () => container(staging, "media-server").resources.limits, { cpu: "4", memory: "8Gi" }],
  ["media, vertical option, requests", () => container(bigger, "media-server").resources.requests, { cpu: "4", memory: "8Gi" }],
  ["media, vertical option, limits", () => container(bigger, "media-server").resources.limits, { cpu: "8", memory: "16Gi" }],
  ["media labels", () => Object.keys(media().template.metadata.labels).filter((label) => ["app", "version"].includes(label)), ["app", "version"]],
  ["media ports", () => container(staging, "media-server").ports.map((p) => `${p.containerPort}/${p.protocol}`), ["3001/TCP", "10000/UDP", "10000/TCP"]],
  ["media liveness", () => probe(staging, "media-server", "liveness"), PROBES.liveness],
  ["media readiness", () => probe(staging, "media-server", "readiness"), PROBES.readiness],
  ["media placement", () => media().template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey, "kubernetes.io/hostname"],
  ["media network", () => [media().template.spec.hostNetwork, media().template.spec.dnsPolicy], [true, "ClusterFirstWithHostNet"]],
  ["media grace", () => media().template.spec.terminationGracePeriodSeconds, 630],
  ["media rollout", () => media().strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 }],
  ["media service", () => [one(staging, "Service", "media-server").spec.clusterIP, one(staging, "Service", "media-server").spec.ports[0].port], ["None", 3001]],
  ["media pods", () => [scaler().minReplicas, scaler().maxReplicas], [3, 10]],
  ["media scales by", () => usage(scaler()), { cpu: 70, memory: 80 }],
  [
    "media scales up",
    () => scaler().behavior.scaleUp,
    {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Percent", value: 100, periodSeconds: 15 },
        { type: "Pods", value: 2, periodSeconds: 15 },
      ],
    },
  ],
  ["media scales down", () => scaler().behavior.scaleDown, { stabilizationWindowSeconds: 300, policies: [{ type: "Percent", value: 50, periodSeconds: 60 }] }],
  ["media disruption budget", () => one(staging, "PodDisruptionBudget", "media-server").spec.minAvailable, 2],
  ["gateway requests", () => container(staging, "gateway").resources.requests, { cpu: "1", memory: "2Gi" }],
  ["gateway limits", () => container(staging, "gateway").resources.limits, { cpu: "2", memory: "4Gi" }],
  ["gateway liveness", () => probe(staging, "gateway", "liveness"), PROBES.liveness],
  ["gateway readiness", () => probe(staging, "gateway", "readiness"), PROBES.readiness],
  ["one gateway", () => [one(staging, "Deployment", "gateway").spec.replicas, one(staging, "Deployment", "gateway").spec.strategy.type], [1, "Recreate"]],
  ["several gateways", () => [one(cluster, "HorizontalPodAutoscaler", "gateway").spec.minReplicas, one(cluster, "HorizontalPodAutoscaler", "gateway").spec.maxReplicas], [3, 10]],
  ["several gateways scale by", () => usage(one(cluster, "HorizontalPodAutoscaler", "gateway").spec), { cpu: 70 }],
  ["several gateways' disruption budget", () => one(cluster, "PodDisruptionBudget", "gateway").spec.minAvailable, 2],
  ["several gateways' placement", () => one(cluster, "Deployment", "gateway").spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight, 100],
  ["gateway service", () => one(staging, "Service", "gateway").spec.ports[0].port, 4000],
  ["media open to the gateway and Prometheus", () => port(policy("media-server"), "ingress", 0), [{ port: 3001, protocol: "TCP" }]],
  ["... and to nobody else", () => policy("media-server").spec.ingress[0].from.map((peer) => peer.namespaceSelector.matchLabels["kubernetes.io/metadata.name"]), ["meeshy-video-calls", "monitoring"]],
  ["media ports open to all", () => [policy("media-server").spec.ingress[1].from, ...port(policy("media-server"), "ingress", 1).map((p) => `${p.port}-${p.endPort}/${p.protocol}`)], [undefined, "10000-10100/UDP", "10000-10100/TCP"]],
  ["database open to gateway and migration", () => policy("postgres").spec.ingress[0].from.map((peer) => peer.podSelector.matchLabels.app), ["gateway", "migrate"]],
  ["name service", () => port(policy("allow-dns", "meeshy-video-calls"), "egress", 0).map((p) => `${p.port}/${p.protocol}`), ["53/UDP", "53/TCP"]],
  ["metrics, gateway", () => one(staging, "ServiceMonitor", "gateway").spec.endpoints[0], { port: "http", path: "/metrics", interval: "30s" }],
  ["metrics, media", () => one(staging, "ServiceMonitor", "media-server").spec.endpoints[0], { port: "http", path: "/metrics", interval: "30s" }],
  ["migration", () => one(staging, "Job", "migrate").spec.template.spec.containers[0].args, ["migrate", "up"]],
  ["hosts", () => ingress().spec.rules.map((rule) => rule.host), ["staging.calls.example.org", "api.staging.calls.example.org", "media.staging.calls.example.org"]],
  ["sockets' timeouts", () => ["read", "send"].map((way) => Number(ingress().metadata.annotations[`nginx.ingress.kubernetes.io/proxy-${way}-timeout`]) >= 3600), [true, true]],
  ["sticky", () => ingress().metadata.annotations["nginx.ingress.kubernetes.io/affinity"], "cookie"],
  ["secret of media tokens", () => container(staging, "media-server").env.find(({ name }) => name === "JWT_SECRET").valueFrom.secretKeyRef, { name: "media-server-secrets", key: "jwt-secret" }],
];

test("promised figures", async (t) => {
  for (const [what, is, promised] of figures) {
    await t.test(what, () => assert.deepEqual(is(), promised));
  }
});

test("there is an overlay for staging, production and each region", () => {
  assert.deepEqual([...OVERLAYS].sort(), ["production", "region-apac", "region-eu", "region-us", "staging"]);
  const regions = OVERLAYS.filter((overlay) => overlay.startsWith("region-")).map((overlay) => {
    const objects = render(`overlays/${overlay}`);
    const config = ofKind(objects, "ConfigMap").find((map) => map.metadata.name.startsWith("media-server-config"));
    assert.ok(!ofKind(objects, "Deployment").some((object) => object.metadata.name === "gateway"), `${overlay} has no gateway of its own`);
    assert.equal(ofKind(objects, "DaemonSet").length, 1, `${overlay} has TURN servers`);
    return config.data.REGION;
  });
  assert.equal(new Set(regions).size, 3);
});

test("where addresses are translated, the announced one comes from the node", () => {
  const production = render("overlays/production");
  const node = container(production, "media-server");
  assert.equal(node.env.find(({ name }) => name === "ANNOUNCED_IP").value, "file:/address/external");
  const [init] = one(production, "Deployment", "media-server").spec.template.spec.initContainers;
  const mounts = (mounted) => mounted.volumeMounts.map((mount) => mount.name);
  assert.ok(mounts(init).includes("cluster-token"));
  assert.ok(!mounts(node).includes("cluster-token"), "the server itself sees no token");
  const role = one(production, "ClusterRole", "meeshy-calls-read-nodes");
  assert.deepEqual(role.rules, [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }]);
});
