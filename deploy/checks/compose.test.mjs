// The Compose file, judged by docker-compose and by what binary, coturn and Prometheus really expect. Nothing is started.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkConfig, DEPLOY, documents, output, program, readDocuments, settingsOf } from "./repository.mjs";

const FOLDER = join(DEPLOY, "compose");
const FILE = join(FOLDER, "compose.yaml");
const example = readFileSync(join(FOLDER, ".env.example"), "utf8");
const lines = example.split("\n").filter((line) => /^[A-Z_]+=/.test(line));
const secrets = lines.filter((line) => line.endsWith("=")).map((line) => line.slice(0, -1));

const scratch = mkdtempSync(join(tmpdir(), "compose-"));
after(() => rmSync(scratch, { recursive: true }));

/** What docker-compose makes of the file with these lines as its .env. */
function compose(env) {
  const path = join(scratch, "env");
  writeFileSync(path, env.join("\n"));
  const text = output(program("docker-compose"), ["--file", FILE, "--env-file", path, "config"], { env: { PATH: process.env.PATH, HOME: scratch } });
  return documents(text, "docker-compose config")[0];
}

const values = Object.fromEntries(secrets.map((secret, index) => [secret, `a${index}`.repeat(32)]));
const filled = lines.map((line) => (line.endsWith("=") ? `${line}${values[line.slice(0, -1)]}` : line));
const [written] = documents(readFileSync(FILE, "utf8").replaceAll("<<: *server", '"<<": *server'), FILE);
const config = compose(filled);
const services = config.services;

/** What a service lets in from outside: "port:port/protocol". */
const published = (name) =>
  (services[name].ports ?? []).map((port) =>
    typeof port === "string" ? port : `${port.published}:${port.target}/${port.protocol ?? "tcp"}`,
  );

/** Services that docker-compose shows, and those of a profile, which it leaves out. */
const all = { ...written.services, ...services };

test("docker-compose refuses a misspelt key", () => {
  const path = join(scratch, "wrong.yaml");
  writeFileSync(path, "services: { gateway: { image: meeshy, restrat: always } }\n");
  assert.throws(() => output(program("docker-compose"), ["--file", path, "config"], { env: { PATH: process.env.PATH } }), /restrat/);
});

test("without its secrets nothing starts", () => {
  assert.deepEqual(secrets, ["JWT_SECRET", "MEDIA_JWT_SECRET", "TURN_SECRET", "TRANSCRIPTION_ENCRYPTION_KEY", "IP_HASH_KEY", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD"]);
  assert.throws(() => compose(lines), /set [A-Z_]+ in \.env/);
  // docker-compose stops at the first one, so the others are looked at in the file: none has a default.
  const used = [...readFileSync(FILE, "utf8").matchAll(/\$\{([A-Z_]+)([^}]*)\}/g)].filter(([, name]) => secrets.includes(name));
  assert.deepEqual([...new Set(used.map(([, name]) => name))].sort(), [...secrets].sort());
  for (const [, name, rest] of used) assert.equal(rest, `:?set ${name} in .env, see .env.example`);
});

test("every service restarts, is checked, is in the one network and has a pinned image", () => {
  assert.deepEqual(Object.keys(all).sort(), ["coturn", "gateway", "grafana", "media-server", "postgres", "prometheus", "redis"]);
  assert.deepEqual(Object.entries(config.networks).map(([name, { driver }]) => [name, driver]), [["meeshy", "bridge"]]);
  for (const [name, service] of Object.entries(all)) {
    assert.equal(service.restart, "unless-stopped", name);
    assert.ok(service.healthcheck?.test?.length > 1, `${name} has a health check`);
    assert.deepEqual(Array.isArray(service.networks) ? service.networks : Object.keys(service.networks), ["meeshy"], name);
    assert.match(service.image, /:v?\d+\.\d+/, name);
  }
});

test("our servers are checked as the image says", () => {
  for (const name of ["gateway", "media-server"]) {
    const { test: command, interval, timeout, retries, start_period } = services[name].healthcheck;
    assert.deepEqual([command, interval, timeout, retries, start_period], [["CMD", "/usr/bin/meeshy", "health"], "30s", "5s", 3, "10s"]);
    assert.equal(services[name].read_only, true, name);
    assert.deepEqual(services[name].cap_drop, ["ALL"], name);
  }
});

test("dependencies are waited for until they are well", () => {
  for (const [name, service] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      assert.equal(condition, "service_healthy", `${name} on ${other}`);
      assert.ok(services[other]?.healthcheck, `${other} says when it is`);
    }
  }
  assert.deepEqual(Object.keys(services.gateway.depends_on).sort(), ["media-server", "postgres"]);
});

test("settings are settings of the binary, which accepts them", () => {
  for (const [name, command] of [["gateway", "gateway"], ["media-server", "media"]]) {
    const { environment } = services[name];
    const unknown = Object.keys(environment).filter((key) => !settingsOf(command).has(key));
    assert.deepEqual(unknown, [], name);
    const { settings, refused } = checkConfig(command, environment);
    assert.equal(refused, undefined);
    assert.ok([services[name].command].flat().includes(command));
    if (command === "media") {
      assert.equal(settings.ANNOUNCED_IP, "127.0.0.1");
      const open = published(name);
      for (const kind of ["udp", "tcp"]) {
        const wanted = Array.from({ length: settings.RTC_MAX_PORT - settings.RTC_MIN_PORT + 1 }, (_, i) => Number(settings.RTC_MIN_PORT) + i);
        assert.deepEqual(wanted.filter((port) => !open.includes(`${port}:${port}/${kind}`)), [], `${kind} ports`);
      }
      assert.ok(!open.some((port) => port.includes("3001")), "the API is not published");
    } else {
      assert.ok(published(name).includes(`${settings.PORT}:${settings.PORT}/tcp`));
      assert.equal(settings.MEDIA_SERVER_URL, `http://media-server:${services["media-server"].environment.PORT}`);
      assert.match(environment.DATABASE_URL, /^postgres:\/\/meeshy:[^@]+@postgres:5432\/meeshy$/);
    }
  }
});

test("every secret reaches those who share it, and nobody else", () => {
  const where = (secret) =>
    Object.entries(services)
      .filter(([, service]) => JSON.stringify(service).includes(values[secret]))
      .map(([name]) => name)
      .sort();
  assert.deepEqual(where("JWT_SECRET"), ["gateway"]);
  assert.deepEqual(where("MEDIA_JWT_SECRET"), ["gateway", "media-server"]);
  assert.deepEqual(where("TURN_SECRET"), ["coturn", "gateway"]);
  assert.deepEqual(where("POSTGRES_PASSWORD"), ["gateway", "postgres"]);
  assert.deepEqual(where("GRAFANA_PASSWORD"), ["grafana"]);
  assert.equal(services["media-server"].environment.JWT_SECRET, values.MEDIA_JWT_SECRET);
});

test("Redis keeps what it was told", () => {
  assert.deepEqual(written.services.redis.profiles, ["cluster"]);
  assert.deepEqual(written.services.redis.command, ["redis-server", "--appendonly", "yes", "--maxmemory", "2gb", "--maxmemory-policy", "noeviction"]);
  assert.ok(!Object.values(services).some((service) => JSON.stringify(service).includes("REDIS_URL")), "nothing needs it yet");
});

test("coturn has the gateway's secret and its ports", () => {
  const { command, entrypoint } = services.coturn;
  assert.deepEqual([entrypoint].flat(), ["turnserver"]);
  assert.ok(command.includes(`--static-auth-secret=${services.gateway.environment.TURN_SECRET}`));
  const open = published("coturn");
  for (const port of ["3478:3478/udp", "3478:3478/tcp", "5349:5349/tcp"]) assert.ok(open.includes(port), port);
  const [low, high] = ["min", "max"].map((end) => Number(command.find((word) => word.startsWith(`--${end}-port=`)).split("=")[1]));
  for (let port = low; port <= high; port++) assert.ok(open.includes(`${port}:${port}/udp`), `${port}`);
  for (const url of services.gateway.environment.TURN_URLS.split(",")) assert.match(url, /^turn:127\.0\.0\.1:3478\?transport=(udp|tcp)$/);
});

test("files that are mounted exist", () => {
  for (const [name, service] of Object.entries(services)) {
    for (const volume of service.volumes ?? []) {
      const [source] = String(volume.source ?? volume).split(":");
      if (source.startsWith("/")) assert.ok(existsSync(source), `${name}: ${source}`);
      else assert.ok(source in config.volumes, `${name}: ${source}`);
    }
  }
});

test("Prometheus asks the services at their ports, and Grafana asks Prometheus", () => {
  const [prometheus] = readDocuments(join(DEPLOY, "prometheus/prometheus.yml"));
  const targets = prometheus.scrape_configs.flatMap((job) => job.static_configs ?? []).flatMap((group) => group.targets);
  for (const [name, command] of [["gateway", "gateway"], ["media-server", "media"]]) {
    const { settings } = checkConfig(command, services[name].environment);
    assert.ok(targets.includes(`${name}:${settings.PORT}`), `${name}:${settings.PORT} in ${targets}`);
  }
  for (const target of targets) {
    const [host] = target.split(":");
    assert.ok(host === "localhost" || host in services, `${target} is no service`);
  }
  assert.ok((prometheus.rule_files ?? []).some((file) => services.prometheus.volumes.some((volume) => String(volume.target ?? volume).includes(file))), "its rules are mounted");
  const sources = readDocuments(join(DEPLOY, "grafana/provisioning/datasources", "prometheus.yml"))[0].datasources;
  assert.ok(sources.some((source) => source.url === "http://prometheus:9090"));
});
