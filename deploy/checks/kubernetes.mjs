// Rendered manifests, and the questions that checks ask about them.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DEPLOY, documents, output, program, readDocuments } from "./repository.mjs";

const KUBERNETES = join(DEPLOY, "kubernetes");
export const OVERLAYS = readdirSync(join(KUBERNETES, "overlays"));

/** The text that `kubectl apply -k` would send. */
export const renderText = (folder) => output(program("kubectl"), ["kustomize", join(KUBERNETES, folder)]);

/** The objects that `kubectl apply -k` would send. */
export const render = (folder) => documents(renderText(folder), folder);

/** The secrets that have to be there already. */
export const secretTemplates = () => readDocuments(join(KUBERNETES, "secrets.example.yaml"));

export const name = (object) => `${object.kind} ${object.metadata?.namespace ?? "-"}/${object.metadata?.name}`;

export const ofKind = (objects, ...kinds) => objects.filter((object) => kinds.includes(object.kind));

/** What runs pods: the object, the pods' template and its namespace. */
export const workloads = (objects) =>
  ofKind(objects, "Deployment", "StatefulSet", "DaemonSet", "Job").map((object) => ({
    object,
    title: name(object),
    namespace: object.metadata.namespace,
    kind: object.kind,
    labels: object.spec.template.metadata?.labels ?? {},
    pod: object.spec.template.spec,
  }));

/** The containers of a workload; `init` marks those that run before the others. */
export const containers = (workload) => [
  ...(workload.pod.initContainers ?? []).map((container) => ({ container, init: true })),
  ...(workload.pod.containers ?? []).map((container) => ({ container, init: false })),
];

/** Whether labels fit a selector of any kind; an empty one fits everything. */
export function selects(selector, labels) {
  const exact = selector.matchLabels || selector.matchExpressions ? selector.matchLabels ?? {} : selector;
  const expressions = selector.matchExpressions ?? [];
  return (
    Object.entries(exact).every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      switch (operator) {
        case "In":
          return values.includes(labels[key]);
        case "NotIn":
          return !values.includes(labels[key]);
        case "Exists":
          return key in labels;
        default:
          return !(key in labels);
      }
    })
  );
}

/** Whether the container runs our binary, and if so with which sub-command. */
export const subcommand = (container) =>
  /(^|\/)meeshy:/.test(container.image) ? (container.args ?? ["serve"])[0] : undefined;

/** A port without one speaks TCP. */
export const protocol = (port) => port.protocol ?? "TCP";

/** The environment of a container with values in place of references; `$(NAME)` is expanded as the kubelet does. */
export function environment(objects, container, standIn) {
  const env = {};
  for (const source of container.envFrom ?? []) {
    const map = objects.find((object) => object.kind === "ConfigMap" && object.metadata.name === source.configMapRef?.name);
    Object.assign(env, map?.data ?? {});
  }
  for (const { name: key, value, valueFrom } of container.env ?? []) {
    env[key] = value === undefined ? standIn(key, valueFrom) : value.replaceAll(/\$\(([A-Z0-9_]+)\)/g, (whole, other) => env[other] ?? whole);
  }
  return env;
}
