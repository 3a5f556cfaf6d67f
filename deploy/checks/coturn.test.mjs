// Debian's coturn with our configuration: it accepts every line, gives relays to whoever has a credential made from the
// secret, and refuses to lead them into private networks.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { DEPLOY, output, program } from "./repository.mjs";

const SECRET = "a-secret-for-this-test-only-0123456789";
const written = readFileSync(join(DEPLOY, "coturn/turnserver.conf"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "coturn-"));
const running = [];
after(() => {
  for (const server of running) server.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const options = written
  .split("\n")
  .filter((line) => line && !line.startsWith("#"))
  .map((line) => line.split(/=(.*)/s).slice(0, 2));
const valuesOf = (wanted) => options.filter(([option]) => option === wanted).map(([, value]) => value);
const has = (wanted) => options.some(([option]) => option === wanted);

/** A port that is free now. */
const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Whether somebody accepts connections there. */
const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy() && true)).once("error", () => resolve(false));
  });

/** Starts coturn with our file, only its ports and paths replaced, on loopback. */
async function start(...more) {
  const [port, tls] = [await freePort(), await freePort()];
  const path = join(folder, `${port}.conf`);
  const replaced = { "listening-port": port, "tls-listening-port": tls, cert: join(folder, "tls.crt"), pkey: join(folder, "tls.key"), pidfile: join(folder, `${port}.pid`), userdb: join(folder, `${port}.db`) };
  writeFileSync(path, options.map(([option, value]) => (value === undefined ? option : `${option}=${replaced[option] ?? value}`)).join("\n"));
  const server = spawn(program("turnserver"), ["-c", path, `--static-auth-secret=${SECRET}`, "--external-ip=127.0.0.1", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", ...more], { stdio: ["ignore", "pipe", "pipe"] });
  running.push(server);
  const log = [];
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => log.push(String(chunk)));
  for (let tries = 0; !((await answers(port)) && (await answers(tls))); tries++) {
    assert.ok(tries < 100 && server.exitCode === null, `coturn does not listen: ${log.join("")}`);
    await pause(100);
  }
  return { port, log: () => log.join("") };
}

/** Two clients that relay a message to each other through the server. */
function client(port, secret) {
  const run = spawnSync(program("turnutils_uclient"), ["-y", "-W", secret, "-p", `${port}`, "-L", "127.0.0.1", "-n", "1", "127.0.0.1"], { encoding: "utf8", timeout: 20_000 });
  return run.stdout + run.stderr;
}

output("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=turn", "-days", "1", "-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")]);

test("the configuration says what was promised", () => {
  for (const option of ["use-auth-secret", "fingerprint", "no-multicast-peers", "no-cli"]) assert.ok(has(option), option);
  assert.equal(Number(valuesOf("stale-nonce")) > 0, true);
  assert.deepEqual(valuesOf("user-quota"), ["100"]);
  assert.deepEqual(valuesOf("max-bps"), ["1000000"]);
  assert.deepEqual([valuesOf("listening-port"), valuesOf("tls-listening-port")], [["3478"], ["5349"]]);
  assert.ok(valuesOf("realm")[0] && valuesOf("cert")[0] && valuesOf("pkey")[0]);
  for (const never of ["static-auth-secret", "user", "allow-loopback-peers", "no-auth", "allowed-peer-ip"]) assert.ok(!has(never), never);
  const denied = valuesOf("denied-peer-ip");
  for (const start of ["0.0.0.0", "10.0.0.0", "100.64.0.0", "127.0.0.0", "169.254.0.0", "172.16.0.0", "192.168.0.0", "::", "fc00::", "fe80::", "::ffff:0:0"]) {
    assert.ok(denied.some((range) => range.startsWith(`${start}-`)), start);
  }
});

test("coturn accepts every line, lets nobody in without the secret and nobody into private networks", async () => {
  const server = await start();
  assert.doesNotMatch(server.log(), /bad configuration|unknown|cannot find/i);
  const allowed = client(server.port, SECRET);
  assert.match(allowed, /403 \(Forbidden IP\)/, "the relay was allocated, but does not lead to loopback");
  assert.doesNotMatch(allowed, /401/);
  const stranger = client(server.port, "another-secret");
  assert.match(stranger, /401|Cannot complete Allocation/);
});

test("a mistake in the configuration would be noticed", async () => {
  const server = await start("--no-such-option").catch((error) => ({ log: () => String(error) }));
  assert.match(server.log(), /unknown|unrecognized/i);
});

test("where a peer is allowed, packets arrive", async () => {
  const server = await start("--allowed-peer-ip=127.0.0.1", "--allow-loopback-peers");
  assert.match(client(server.port, SECRET), /tot_send_msgs=[1-9]\d*, tot_recv_msgs=[1-9]|Total lost packets 0 /);
});
