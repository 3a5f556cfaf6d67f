// Our own rules for manifests. Each takes the rendered objects of one overlay and returns complaints; none is good.
// policies.test.mjs shows each rule a manifest that it has to refuse.
import { containers, name, ofKind, protocol, selects, subcommand, workloads } from "./kubernetes.mjs";
import { containerPolicies } from "./policies-containers.mjs";

const inNamespace = (object, namespace) => (object.metadata.namespace ?? "default") === namespace;

/** Pods of a namespace that a selector of labels fits. */
const fitting = (objects, namespace, selector) =>
  workloads(objects).filter((workload) => workload.namespace === namespace && selects(selector, workload.labels));

/** The number a Service's or probe's port leads to in a workload. */
function containerPort(workload, port) {
  const ports = containers(workload).flatMap(({ container }) => container.ports ?? []);
  return ports.find((candidate) => candidate.name === port || candidate.containerPort === port);
}

export const policies = {
  ...containerPolicies,

  /** A Service that selects nothing answers nobody; nor does one whose port no container has. */
  "services select pods with their ports": (objects) =>
    ofKind(objects, "Service").flatMap((service) => {
      const found = fitting(objects, service.metadata.namespace, service.spec.selector ?? { none: "selected" });
      if (found.length === 0) return [`${name(service)} selects no pod`];
      return found.flatMap((workload) =>
        service.spec.ports
          .filter((port) => {
            const target = containerPort(workload, port.targetPort ?? port.port);
            return !target || protocol(target) !== protocol(port);
          })
          .map((port) => `${name(service)}: ${workload.title} has no port ${port.targetPort ?? port.port}`),
      );
    }),

  "workloads select their own pods": (objects) =>
    workloads(objects)
      .filter(({ object, labels }) => object.kind !== "Job" && !selects(object.spec.selector, labels))
      .map(({ title }) => `${title} does not select its own pods`),

  "autoscalers have a target, which leaves the number of pods to them": (objects) =>
    ofKind(objects, "HorizontalPodAutoscaler").flatMap((scaler) => {
      const { kind, name: target } = scaler.spec.scaleTargetRef;
      const found = objects.find(
        (object) => object.kind === kind && object.metadata.name === target && inNamespace(object, scaler.metadata.namespace),
      );
      if (!found) return [`${name(scaler)} scales ${kind} ${target}, which is not there`];
      if (found.spec.replicas !== undefined) return [`${name(found)} sets replicas, which ${name(scaler)} decides`];
      const metrics = scaler.spec.metrics.map((metric) => metric.resource?.name);
      const requests = found.spec.template.spec.containers.map((container) => container.resources?.requests ?? {});
      return metrics
        .filter((metric) => requests.some((request) => !(metric in request)))
        .map((metric) => `${name(scaler)} goes by ${metric}, of which ${name(found)} requests none`);
    }),

  "disruption budgets leave room for a disruption": (objects) =>
    ofKind(objects, "PodDisruptionBudget").flatMap((budget) => {
      const [workload] = fitting(objects, budget.metadata.namespace, budget.spec.selector);
      if (!workload) return [`${name(budget)} selects no pod`];
      const scaler = ofKind(objects, "HorizontalPodAutoscaler").find(
        (candidate) => candidate.spec.scaleTargetRef.name === workload.object.metadata.name && inNamespace(candidate, workload.namespace),
      );
      const pods = scaler?.spec.minReplicas ?? workload.object.spec.replicas ?? 1;
      return budget.spec.minAvailable < pods ? [] : [`${name(budget)} wants ${budget.spec.minAvailable} of ${pods} pods: no node could be drained`];
    }),

  "service monitors find a service and its port": (objects) =>
    ofKind(objects, "ServiceMonitor").flatMap((monitor) => {
      const services = ofKind(objects, "Service").filter(
        (service) => inNamespace(service, monitor.metadata.namespace) && selects(monitor.spec.selector, service.metadata.labels ?? {}),
      );
      if (services.length === 0) return [`${name(monitor)} selects no service`];
      return monitor.spec.endpoints
        .filter(({ port }) => !services.every((service) => service.spec.ports.some((candidate) => candidate.name === port)))
        .map(({ port }) => `${name(monitor)}: no port ${port} at ${services.map(name).join(", ")}`);
    }),

  "every namespace with pods denies what is not allowed": (objects) =>
    [...new Set(workloads(objects).map((workload) => workload.namespace))]
      .filter(
        (namespace) =>
          !ofKind(objects, "NetworkPolicy").some(
            ({ metadata, spec }) =>
              metadata.namespace === namespace &&
              Object.keys(spec.podSelector).length === 0 &&
              ["Ingress", "Egress"].every((type) => spec.policyTypes?.includes(type)) &&
              !spec.ingress &&
              !spec.egress,
          ),
      )
      .map((namespace) => `namespace ${namespace} has no policy that denies everything`),

  "network policies select pods and open ports that these have": (objects) =>
    ofKind(objects, "NetworkPolicy").flatMap((policy) => {
      const found = fitting(objects, policy.metadata.namespace, policy.spec.podSelector);
      if (found.length === 0) return [`${name(policy)} selects no pod`];
      const ranges = (policy.spec.ingress ?? []).flatMap((rule) => rule.ports ?? [{}]);
      return found.flatMap((workload) =>
        ranges
          .filter((range) => range.port === undefined || (!range.endPort && !containerPort(workload, range.port) && !mediaPort(workload, range.port)))
          .map((range) => `${name(policy)} opens ${range.port ?? "every port"} of ${workload.title}, which listens elsewhere`),
      );
    }),

  "every pod that is talked to has a policy of its own": (objects) =>
    workloads(objects)
      .filter((workload) => containers(workload).some(({ container }) => container.ports?.length))
      .filter(
        (workload) =>
          !ofKind(objects, "NetworkPolicy").some(
            ({ metadata, spec }) =>
              metadata.namespace === workload.namespace && spec.ingress?.length && selects(spec.podSelector, workload.labels),
          ),
      )
      .map(({ title }) => `${title} listens, but no network policy lets anybody reach it`),

  "ingresses lead to services, over TLS": (objects) =>
    ofKind(objects, "Ingress").flatMap((ingress) => {
      const covered = (ingress.spec.tls ?? []).flatMap((entry) => entry.hosts);
      return ingress.spec.rules.flatMap((rule) => [
        ...(covered.includes(rule.host) ? [] : [`${name(ingress)}: ${rule.host} has no certificate`]),
        ...rule.http.paths
          .map(({ backend }) => backend.service)
          .filter(
            (backend) =>
              !ofKind(objects, "Service").some(
                (service) =>
                  service.metadata.name === backend.name &&
                  inNamespace(service, ingress.metadata.namespace) &&
                  service.spec.ports.some((port) => port.name === backend.port.name || port.port === backend.port.number),
              ),
          )
          .map((backend) => `${name(ingress)}: there is no service ${backend.name} with that port`),
      ]);
    }),

  "only namespaces that say so hold pods on the host's network": (objects) =>
    ofKind(objects, "Namespace").flatMap((namespace) => {
      const enforced = namespace.metadata.labels?.["pod-security.kubernetes.io/enforce"];
      const here = workloads(objects).filter((workload) => workload.namespace === namespace.metadata.name);
      const onHost = here.filter(({ pod }) => pod.hostNetwork);
      if (!enforced) return [`${name(namespace)} names no pod security level`];
      if (onHost.length === 0 && enforced !== "restricted") return [`${name(namespace)} need not be ${enforced}`];
      if (onHost.length > 0 && enforced !== "privileged") return onHost.map(({ title }) => `${title} is not admitted to a ${enforced} namespace`);
      return [];
    }),

  "pods on the host's network never share a node": (objects) =>
    workloads(objects)
      .filter(({ pod, kind }) => pod.hostNetwork && kind !== "DaemonSet")
      .filter(
        ({ pod, labels }) =>
          !(pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
            (term) => term.topologyKey === "kubernetes.io/hostname" && selects(term.labelSelector, labels),
          ),
      )
      .map(({ title }) => `${title}: two of its pods could meet on a node and want the same ports`),

  "namespaces exist": (objects) => {
    const there = new Set(ofKind(objects, "Namespace").map((namespace) => namespace.metadata.name));
    return objects
      .filter((object) => object.metadata.namespace && !there.has(object.metadata.namespace))
      .map((object) => `${name(object)}: nothing makes its namespace`);
  },
};

/** Whether a port lies in the range that our media nodes and TURN servers open without listing each port. */
function mediaPort(workload, port) {
  const ours = containers(workload).some(({ container }) => subcommand(container) === "media");
  const turn = containers(workload).some(({ container }) => /\/coturn:/.test(container.image));
  return (ours && port >= 10000 && port <= 10100) || (turn && port === 5349);
}
