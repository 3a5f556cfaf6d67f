// Shapes of the custom resources in use, which no Kubernetes schema knows: the fields that we write, and their types.
// (After the definitions of prometheus-operator, monitoring.coreos.com/v1.)

const DURATION = /^(0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$/;
const duration = (value) => typeof value === "string" && value !== "" && DURATION.test(value);
const text = (value) => typeof value === "string" && value !== "";
const texts = (value) => isMap(value) && Object.values(value).every(text);
const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const list = (shape) => ({ list: shape });
const optional = (shape) => ({ optional: shape });

const metadata = { name: text, namespace: optional(text), labels: optional(texts), annotations: optional(texts) };

const shapes = {
  "monitoring.coreos.com/v1 ServiceMonitor": {
    apiVersion: text,
    kind: text,
    metadata,
    spec: {
      selector: { matchLabels: texts },
      namespaceSelector: optional({ matchNames: list(text) }),
      jobLabel: optional(text),
      endpoints: list({ port: text, path: text, interval: duration, scrapeTimeout: optional(duration) }),
    },
  },
  "monitoring.coreos.com/v1 PrometheusRule": {
    apiVersion: text,
    kind: text,
    metadata,
    spec: {
      groups: list({
        name: text,
        interval: optional(duration),
        rules: list({ alert: optional(text), record: optional(text), expr: text, for: optional(duration), keep_firing_for: optional(duration), labels: optional(texts), annotations: optional(texts) }),
      }),
    },
  },
};

/** Whether an object is one that `complaints` judges. */
export const isCustom = (object) => /\..*\..*\//.test(object.apiVersion) && !object.apiVersion.includes(".k8s.io/");

/** What is wrong with a custom resource. */
export function complaints(object) {
  const shape = shapes[`${object.apiVersion} ${object.kind}`];
  return shape ? compare(object, shape, object.metadata?.name ?? object.kind) : [`${object.apiVersion} ${object.kind}: no shape is known for it`];
}

function compare(value, shape, path) {
  if (shape.optional) return value === undefined ? [] : compare(value, shape.optional, path);
  if (value === undefined) return [`${path} is missing`];
  if (typeof shape === "function") return shape(value) ? [] : [`${path} cannot be ${JSON.stringify(value)}`];
  if (shape.list) {
    if (!Array.isArray(value) || value.length === 0) return [`${path} is no list`];
    return value.flatMap((item, index) => compare(item, shape.list, `${path}[${index}]`));
  }
  if (!isMap(value)) return [`${path} is no object`];
  const unknown = Object.keys(value).filter((key) => !(key in shape)).map((key) => `${path}.${key} is not known`);
  return unknown.concat(Object.keys(shape).flatMap((key) => compare(value[key], shape[key], `${path}.${key}`)));
}
