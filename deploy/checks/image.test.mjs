// The image: built from the real Dockerfile and run as an operator would, with a read-only root and no rights.
//
// No registry of images is asked. Its base is made from Debian's packages, once, and kept under target/; and in place of the
// two stages that compile (ten minutes of work; `make image` does it) the binary that the other tests use is put in.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { meeshy, output, program, ROOT } from "./repository.mjs";

const KEPT = join(ROOT, "target/image-check");
const BASE = join(KEPT, "debian-bookworm.tar");
const IMAGE = "localhost/meeshy:check";
const USER = 1001;

const scratch = mkdtempSync(join(tmpdir(), "image-"));
const storage = ["--root", join(scratch, "storage"), "--runroot", join(scratch, "run"), "--storage-driver", "vfs"];
const env = { ...process.env, BUILDAH_ISOLATION: "chroot", STORAGE_DRIVER: "vfs" };
const podman = (...args) => output(program("podman"), [...storage, ...args], { env });
const started = [];

/** What podman needs where there is neither systemd nor the right to raise limits. */
const RUN = ["--runtime", "runc", "--cgroup-manager", "cgroupfs"];
const LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
const LOCKED = ["--network", "host", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--no-healthcheck", "--rm"];

/** A binary built for tests does not hold the web client but reads it where it was built; one built for release holds it. */
const CLIENT = join(ROOT, "web/dist");

let data;
let config;
/** Where the image's files can be looked at. */
let root;
/** How a command of the image is run here: in a container, or where none can be made, in its file system alone. */
let launch;

after(() => {
  for (const child of started) if (child.exitCode === null) child.kill("SIGKILL");
  for (const rest of [["rm", "--all", "--force", "--time", "0"], ["image", "umount", "--all"]]) {
    spawnSync(program("podman"), [...storage, ...RUN, ...rest], { env });
  }
  rmSync(scratch, { recursive: true, force: true });
});

/** Where this machine's own packages come from, if they are of the same release; debootstrap knows a default. */
function mirror() {
  const asked = spawnSync("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm", "Component: main"], { encoding: "utf8" });
  return asked.stdout?.split("\n").filter((uri) => uri !== "").slice(0, 1) ?? [];
}

/** Debian's smallest system, as the image that the Dockerfile names. */
function makeBase() {
  if (!existsSync(BASE)) {
    mkdirSync(KEPT, { recursive: true });
    const folder = join(scratch, "debian");
    output(program("debootstrap"), ["--variant=minbase", "bookworm", folder, ...mirror()]);
    output("tar", ["--create", "--file", `${BASE}.new`, "--directory", folder, "--exclude=./var/cache/apt/*.bin", "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*", "."]);
    renameSync(`${BASE}.new`, BASE);
    rmSync(folder, { recursive: true });
  }
  podman("import", "--quiet", BASE, "docker.io/library/debian:bookworm-slim");
}

function build() {
  const out = join(scratch, "build/out");
  mkdirSync(out, { recursive: true });
  copyFileSync(meeshy(), join(out, "meeshy"));
  copyFileSync("/etc/ssl/certs/ca-certificates.crt", join(out, "ca-certificates.crt"));
  const args = ["bud", "--pull-never", "--format", "docker", "--build-context", `build=${join(scratch, "build")}`, "--build-arg", "REVISION=check", "--tag", IMAGE, ROOT];
  const run = spawnSync(program("buildah"), [...storage, ...args], { encoding: "utf8", env });
  assert.equal(run.status, 0, run.stdout + run.stderr);
}

/** A container, if this machine can make one; else the image's files under another root, as its user, read-only. */
function chooseLaunch() {
  const contained = (extra, command, volume = data) => [program("podman"), ...storage, ...RUN, "run", ...LIMITS, ...LOCKED, "--volume", `${volume}:/data`, "--volume", `${CLIENT}:${CLIENT}:ro`, ...extra.flatMap((pair) => ["--env", pair]), IMAGE, ...command];
  const [name, ...args] = contained([], ["--version"]);
  const tried = spawnSync(name, args, { encoding: "utf8", env, timeout: 60_000 });
  if (tried.status === 0) return { how: "podman", command: contained };
  mkdirSync(join(root, CLIENT), { recursive: true });
  const script = 'set -e; mount --bind "$1" "$1"; mount --bind "$2" "$1/data"; mount --bind "$3" "$1$3"; mount -o remount,bind,ro "$1"; shift 3; exec "$@"';
  return {
    how: `another root, as podman said: ${tried.stderr.trim().split("\n").pop()}`,
    command: (extra, command, volume = data) => [
      "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", root, volume, CLIENT,
      "env", "--ignore-environment", ...config.Env, ...extra,
      "chroot", `--userspec=${config.User}`, root, ...config.Entrypoint, ...command,
    ],
  };
}

before(() => {
  assert.equal(process.getuid(), 0, "building an image here takes root: debootstrap and buildah without a daemon");
  data = join(scratch, "data");
  mkdirSync(data);
  chownSync(data, USER, USER);
  makeBase();
  build();
  const [image] = JSON.parse(podman("image", "inspect", IMAGE));
  config = { ...image.Config, Healthcheck: image.Healthcheck ?? image.Config.Healthcheck };
  root = podman("image", "mount", IMAGE).trim();
  launch = chooseLaunch();
  const mebibytes = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;
  const whole = Number(podman("image", "inspect", "--format", "{{.Size}}", IMAGE));
  console.log(`image: ${mebibytes(whole)}, of which the binary under test ${mebibytes(statSync(meeshy()).size)}; run by ${launch.how}`);
});

/** Runs a command of the image to its end. */
function run(extra, ...command) {
  const [name, ...args] = launch.command(extra, command);
  return spawnSync(name, args, { encoding: "utf8", env, timeout: 60_000 });
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Every file below a folder, with when it was last changed. */
function files(folder, found = {}) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files(path, found);
    else found[path] = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  }
  return found;
}

test("it says who it runs as, what it listens on and how it is asked whether it is well", () => {
  assert.equal(config.User, `${USER}:${USER}`);
  assert.deepEqual(Object.keys(config.ExposedPorts).sort(), ["10000-10100/tcp", "10000-10100/udp", "3001/tcp", "4000/tcp"]);
  const { Test, Interval, Timeout, StartPeriod, Retries } = config.Healthcheck;
  const seconds = 1_000_000_000;
  assert.deepEqual([Test, Interval, Timeout, StartPeriod, Retries], [["CMD", "/usr/bin/meeshy", "health"], 30 * seconds, 5 * seconds, 10 * seconds, 3]);
  assert.deepEqual([config.Entrypoint, config.Cmd, config.StopSignal], [["/usr/bin/meeshy"], ["serve"], "SIGTERM"]);
  assert.deepEqual(Object.keys(config.Volumes), ["/data"]);
  assert.equal(config.Labels["org.opencontainers.image.revision"], "check");
});

test("it holds one program and no shell", () => {
  const executable = Object.keys(files(root)).filter((path) => statSync(path).mode & 0o111);
  const names = executable.map((path) => path.slice(root.length));
  assert.deepEqual(names.filter((path) => !/\.so(\.\d+)*$/.test(path)), ["/usr/bin/meeshy"]);
  assert.ok(names.length <= 8, `the binary and its few libraries: ${names.join(" ")}`);
  assert.ok(!existsSync(join(root, "bin/sh")) && !existsSync(join(root, "usr/bin/sh")));
});

test("its user owns its volume and nothing else", () => {
  assert.equal(statSync(join(root, "data")).uid, USER);
  const owned = Object.keys(files(root)).filter((path) => statSync(path).uid === USER);
  assert.deepEqual(owned, []);
  assert.match(readFileSync(join(root, "etc/passwd"), "utf8"), /^mediaserver:x:1001:1001:/m);
  assert.ok(readFileSync(join(root, "etc/ssl/certs/ca-certificates.crt"), "utf8").includes("BEGIN CERTIFICATE"));
});

test("it serves with a read-only root, is well, and ends when told to", { timeout: 180_000 }, async () => {
  const port = await freePort();
  const media = await freePort();
  const settings = [`PORT=${port}`, "BIND_IP=127.0.0.1", "ANNOUNCED_IP=127.0.0.1", "WORKERS=1", `RTC_MIN_PORT=${media}`, `RTC_MAX_PORT=${media}`];
  const untouched = files(root);
  const [name, ...args] = launch.command(settings, config.Cmd);
  const server = spawn(name, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  started.push(server);
  const log = [];
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => log.push(String(chunk)));
  const said = () => log.join("");
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !said().includes("is ready"); tries++) {
    assert.ok(tries < 600 && server.exitCode === null, said());
    await pause(100);
  }

  const health = await fetch(`${url}/health`);
  assert.equal(health.status, 200);
  assert.equal((await health.json()).status, "healthy");
  assert.equal((await fetch(`${url}/ready`)).status, 200);
  const page = await fetch(url, { headers: { accept: "text/html" } });
  assert.match(page.headers.get("content-type"), /text\/html/);
  assert.match(await page.text(), /<!doctype html>/i);

  const asked = run([`PORT=${port}`], "health");
  assert.equal(asked.status, 0, asked.stderr);
  assert.match(asked.stdout, /healthy/);
  assert.equal(run([`PORT=${await freePort()}`], "health").status, 1, "where nobody answers, it says so");

  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  assert.equal(await ended, 0, said());
  assert.deepEqual(files(root), untouched, "nothing of the image was written to");
  assert.ok(readdirSync(data).includes("meeshy.db"), `the database is on the volume: ${readdirSync(data)}`);
  for (const entry of readdirSync(data)) assert.equal(statSync(join(data, entry)).uid, USER, entry);
});

test("without its volume writable it says what is wrong", async () => {
  const others = join(scratch, "others");
  mkdirSync(others);
  const [name, ...args] = launch.command([`PORT=${await freePort()}`], config.Cmd, others);
  const refused = spawnSync(name, args, { encoding: "utf8", env, timeout: 60_000 });
  assert.equal(refused.status, 78, refused.stdout + refused.stderr);
  assert.match(refused.stderr, /\/data/);
});
