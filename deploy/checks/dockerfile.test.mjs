// The Dockerfile, read by a linter; image.test.mjs builds and runs it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { program, ROOT } from "./repository.mjs";

const lint = (input, ...args) => spawnSync(program("hadolint"), args, { encoding: "utf8", input });

test("the linter has nothing to say", () => {
  const { status, stdout } = lint("", "--failure-threshold", "info", join(ROOT, "Dockerfile"));
  assert.equal(stdout, "");
  assert.equal(status, 0);
});

test("the linter notices mistakes", () => {
  const { status, stdout } = lint("FROM debian:latest\nRUN cd /tmp\n", "-");
  assert.notEqual(status, 0);
  assert.match(stdout, /DL3007/);
});
