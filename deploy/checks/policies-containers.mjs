// The rules for containers: what they may do, what they are told, what they refer to.
import { containers, environment, name, protocol, subcommand, workloads } from "./kubernetes.mjs";
import { checkConfig, helpOf, settingsOf } from "./repository.mjs";

/** Values for what only the cluster knows. */
const STAND_INS = {
  JWT_SECRET: "0123456789abcdef0123456789abcdef",
  MEDIA_JWT_SECRET: "fedcba9876543210fedcba9876543210",
  DATABASE_URL: "postgres://meeshy:secret@database/meeshy",
  TRANSCRIPTION_ENCRYPTION_KEY: "00".repeat(32),
  TURN_SECRET: "turn-secret-of-some-length-0123456789",
  IP_HASH_KEY: "hash-key-of-some-length-0123456789abcdef",
};

/** The value a reference would have in a cluster. */
const standIn = (key, reference) =>
  reference?.fieldRef?.fieldPath?.startsWith("status.") ? "203.0.113.7" : STAND_INS[key] ?? "stand-in";

/** Capabilities that a container may keep, by image: what its program's file demands. */
const KEPT_CAPABILITIES = { "docker.io/coturn/coturn": ["NET_BIND_SERVICE"] };

/** Every container of every workload, with where it is. */
const all = (objects) =>
  workloads(objects).flatMap((workload) =>
    containers(workload).map(({ container, init }) => ({ workload, container, init, title: `${workload.title} [${container.name}]` })),
  );

const find = (objects, kind, namespace, wanted) =>
  objects.find((object) => object.kind === kind && object.metadata.namespace === namespace && object.metadata.name === wanted);

/** The environment of one of our servers as it would be in a cluster. */
function serverEnvironment(objects, container) {
  const env = environment(objects, container, standIn);
  // What the init step writes is not there yet.
  if (env.ANNOUNCED_IP?.startsWith("file:")) env.ANNOUNCED_IP = "203.0.113.7";
  return env;
}

export const containerPolicies = {
  "containers have requests and limits": (objects) =>
    all(objects).flatMap(({ container, title }) =>
      ["requests", "limits"].flatMap((bound) =>
        ["cpu", "memory"].filter((resource) => !container.resources?.[bound]?.[resource]).map((resource) => `${title} has no ${bound}.${resource}`),
      ),
    ),

  "servers have probes at ports they listen on": (objects) =>
    all(objects)
      .filter(({ init, workload }) => !init && workload.kind !== "Job")
      .flatMap(({ container, title }) =>
        ["livenessProbe", "readinessProbe"].flatMap((kind) => {
          const probe = container[kind];
          if (!probe) return [`${title} has no ${kind}`];
          const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
          const listens = (container.ports ?? []).some((candidate) => candidate.name === port || candidate.containerPort === port);
          return probe.exec || listens ? [] : [`${title}: ${kind} asks port ${port}, where nothing listens`];
        }),
      ),

  "containers are no root and cannot become it": (objects) =>
    all(objects).flatMap(({ container, workload, title }) => {
      const context = { ...workload.pod.securityContext, ...container.securityContext };
      const kept = KEPT_CAPABILITIES[container.image.split(":")[0]] ?? [];
      const added = (context.capabilities?.add ?? []).filter((capability) => !kept.includes(capability));
      return [
        [context.runAsNonRoot === true && context.runAsUser > 0, "may run as root"],
        [context.allowPrivilegeEscalation === false, "may escalate privileges"],
        [context.readOnlyRootFilesystem === true, "may write to its root"],
        [context.capabilities?.drop?.includes("ALL") && added.length === 0, "keeps capabilities"],
        [context.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile"],
        [!context.privileged && !workload.pod.hostPID && !workload.pod.hostIPC, "shares the host's processes"],
      ]
        .filter(([good]) => !good)
        .map(([, complaint]) => `${title} ${complaint}`);
    }),

  "our own image runs as its user": (objects) =>
    all(objects)
      .filter(({ container, workload }) => subcommand(container) && workload.pod.securityContext?.runAsUser !== 1001)
      .map(({ title }) => `${title} does not run as 1001, to whom the image's folders belong`),

  "pods get no token unless a step asks for one by itself": (objects) =>
    workloads(objects).flatMap(({ pod, title, namespace }) => {
      const account = find(objects, "ServiceAccount", namespace, pod.serviceAccountName);
      if (!account) return [`${title} has no service account of its own`];
      return account.automountServiceAccountToken === false && pod.automountServiceAccountToken === false ? [] : [`${title} is given a token of the cluster`];
    }),

  "images are pinned, and the version label says to what": (objects) =>
    all(objects).flatMap(({ container, workload, title, init }) => {
      const [, tag] = /:([^:/]+)$/.exec(container.image) ?? [];
      if (!tag || tag === "latest") return [`${title}: image ${container.image} may change`];
      const version = workload.labels.version;
      return init || version === undefined || tag.startsWith(version) ? [] : [`${title} runs ${tag} but is labelled ${version}`];
    }),

  "workloads carry app and version": (objects) =>
    workloads(objects).flatMap(({ labels, title }) =>
      ["app", "version"].filter((label) => !labels[label]).map((label) => `${title} has no label ${label}`),
    ),

  "settings are settings of the binary": (objects) =>
    all(objects)
      .filter(({ container }) => subcommand(container))
      .flatMap(({ container, title }) => {
        const known = settingsOf(subcommand(container));
        // Values that others are put together from.
        const used = new Set((container.env ?? []).flatMap(({ value }) => [...(value ?? "").matchAll(/\$\(([A-Z0-9_]+)\)/g)].map((match) => match[1])));
        return Object.keys(environment(objects, container, standIn))
          .filter((key) => !known.has(key) && !used.has(key))
          .map((key) => `${title} sets ${key}, which meeshy ${subcommand(container)} does not know`);
      }),

  "the binary accepts the settings": (objects) =>
    all(objects)
      .filter(({ container }) => ["gateway", "media"].includes(subcommand(container)))
      .flatMap(({ container, title }) => {
        const { refused } = checkConfig(subcommand(container), serverEnvironment(objects, container));
        return refused ? [`${title}: ${refused.trim()}`] : [];
      }),

  "ports are those of the binary": (objects) =>
    all(objects)
      .filter(({ container }) => ["gateway", "media"].includes(subcommand(container)))
      .flatMap(({ container, title }) => {
        const { settings } = checkConfig(subcommand(container), serverEnvironment(objects, container));
        if (!settings) return [];
        const ports = container.ports ?? [];
        const http = ports.find((port) => port.name === "http")?.containerPort;
        const outside = ports.filter(
          (port) => port.name !== "http" && !(port.containerPort >= Number(settings.RTC_MIN_PORT) && port.containerPort <= Number(settings.RTC_MAX_PORT)),
        );
        return [
          ...(http === Number(settings.PORT) ? [] : [`${title} listens on ${settings.PORT}, but its port http is ${http}`]),
          ...outside.map((port) => `${title}: nothing listens on ${port.containerPort}`),
        ];
      }),

  "references lead to something": (objects, { secrets }) =>
    all(objects).flatMap(({ container, workload, title }) => {
      const kept = (kind, wanted) => find(kind === "Secret" ? secrets : objects, kind, workload.namespace, wanted);
      const sources = [
        ...(container.envFrom ?? []).map((source) => ({ kind: "ConfigMap", wanted: source.configMapRef?.name })),
        ...(container.env ?? []).flatMap(({ valueFrom }) => [
          ...(valueFrom?.secretKeyRef ? [{ kind: "Secret", wanted: valueFrom.secretKeyRef.name, key: valueFrom.secretKeyRef.key }] : []),
          ...(valueFrom?.configMapKeyRef ? [{ kind: "ConfigMap", wanted: valueFrom.configMapKeyRef.name, key: valueFrom.configMapKeyRef.key }] : []),
        ]),
        ...(workload.pod.volumes ?? []).flatMap((volume) => [
          ...(volume.configMap ? [{ kind: "ConfigMap", wanted: volume.configMap.name }] : []),
          ...(volume.secret ? [{ kind: "Secret", wanted: volume.secret.secretName }] : []),
        ]),
      ];
      const volumes = new Set([...(workload.pod.volumes ?? []), ...(workload.object.spec.volumeClaimTemplates ?? [])].map((volume) => volume.name ?? volume.metadata.name));
      return [
        ...sources
          .filter(({ kind, wanted, key }) => {
            const object = kept(kind, wanted);
            return !object || (key && !(key in (object.data ?? object.stringData ?? {})));
          })
          .map(({ kind, wanted, key }) => `${title} refers to ${kind} ${wanted}${key ? ` key ${key}` : ""}, which nobody makes`),
        ...(container.volumeMounts ?? []).filter((mount) => !volumes.has(mount.name)).map((mount) => `${title} mounts ${mount.name}, which is no volume`),
      ];
    }),

  "secrets are never in a manifest": (objects) =>
    objects
      .flatMap((object) => {
        if (object.kind === "Secret") return [`${name(object)} would overwrite the secret in the cluster`];
        if (object.kind !== "ConfigMap") return [];
        return Object.keys(object.data ?? {}).filter((key) => /SECRET|PASSWORD|_KEY$|DATABASE_URL/.test(key)).map((key) => `${name(object)} shows ${key}`);
      })
      .concat(
        all(objects).flatMap(({ container, title }) =>
          (container.env ?? []).filter(({ name: key, value }) => value && /SECRET|PASSWORD|_KEY$/.test(key)).map(({ name: key }) => `${title} shows ${key}`),
        ),
      ),

  "calls may end before a media node does": (objects) =>
    all(objects)
      .filter(({ container }) => subcommand(container) === "media")
      .flatMap(({ container, workload, title }) => {
        const command = container.lifecycle?.preStop?.exec?.command ?? [];
        const waits = Number(command[command.indexOf("--wait") + 1]);
        const after = Number(environment(objects, container, standIn).DRAIN_TIMEOUT_SECS ?? 600);
        if (!command.includes("drain") || !waits) return [`${title} is stopped without a drain`];
        const unknown = command.slice(2).filter((word) => word.startsWith("-") && !helpOf(command[1]).includes(word));
        if (unknown.length > 0) return [`${title}: meeshy ${command[1]} does not know ${unknown}`];
        const grace = workload.pod.terminationGracePeriodSeconds ?? 30;
        return waits + after <= grace ? [] : [`${title} is killed after ${grace} s, while it may wait ${waits} s and then ${after} s for calls`];
      }),

  "ports of one container differ": (objects) =>
    all(objects).flatMap(({ container, title }) => {
      const ports = (container.ports ?? []).map((port) => `${port.containerPort}/${protocol(port)}`);
      return ports.filter((port, index) => ports.indexOf(port) !== index).map((port) => `${title} has ${port} twice`);
    }),
};
