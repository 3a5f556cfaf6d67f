// Where things are, and programs that are run: the binary under test among them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const DEPLOY = join(ROOT, "deploy");
const TOOLS = join(ROOT, ".tools/bin");

/** A program of the machine or of the tools folder; says how to get it if there is none. */
export function program(name) {
  const folders = [TOOLS, ...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not installed: \`make packages tools\` installs what these checks need`);
  return found;
}

/** Output of a program; what it complained about is in the error. */
export function output(command, args, options = {}) {
  return execFileSync(command, args, { encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "pipe"], ...options });
}

/** The documents of a YAML text. */
export function documents(text, name) {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new Error(`${name}: ${document.errors[0].message}`);
    return document.toJS();
  });
}

export const readDocuments = (path) => documents(readFileSync(path, "utf8"), path);

/** The binary whose settings the manifests are compared with. */
export function meeshy() {
  const path = process.env.MEESHY_BINARY ?? join(ROOT, "target/debug/meeshy");
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build --package meeshy`);
  return path;
}

const known = new Map();

/** What a sub-command of the binary says about itself. */
export const helpOf = (command) => output(meeshy(), [command, "--help"], { env: {} });

/** The environment variables that a sub-command of the binary reads. */
export function settingsOf(command) {
  if (!known.has(command)) {
    known.set(command, new Set([...helpOf(command).matchAll(/\[env: ([A-Z0-9_]+)/g)].map((match) => match[1])));
  }
  return known.get(command);
}

/** How `meeshy <command> --check-config` judges an environment: `{ settings }` as they would be used, or `{ refused }`. */
export function checkConfig(command, env) {
  try {
    const report = output(meeshy(), [command, "--check-config"], { env });
    const lines = report.trim().split("\n").map((line) => line.split(/=(.*)/s));
    return { settings: Object.fromEntries(lines.map(([name, value]) => [name, value])) };
  } catch (error) {
    return { refused: String(error.stderr || error) };
  }
}
