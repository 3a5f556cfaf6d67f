// A second network at the end of a cable that can be pulled out: for a browser that loses its connection.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';
import { eventually } from './wait.mjs';

/** Addresses of the range reserved for examples (RFC 5737). */
const HERE = '203.0.113.1';
const THERE = '203.0.113.2';

/** Whether we are in a namespace of our own, in which cables may be laid. */
export const canLayCables = process.env.MEESHY_E2E_NETWORK === 'namespace';

/**
 * A network that reaches us by `address`; `run` is a program that runs its arguments there.
 * @param {import('node:test').TestContext} t
 * @param {string} name Folder of artifacts.
 * @param {string} program What is run there.
 */
export async function away(t, name, program) {
  const holder = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
  t.after(() => holder.kill('SIGKILL'));
  const pid = String(holder.pid);
  const inside = (/** @type {string} */ line) => execFileSync('nsenter', ['--net', '--target', pid, 'sh', '-c', line], { stdio: 'pipe' });
  const outside = (/** @type {string} */ line) => execFileSync('sh', ['-c', line], { stdio: 'pipe' });
  const own = outside('readlink /proc/self/ns/net').toString();
  await eventually('the other network is there', () => {
    try {
      return outside(`readlink /proc/${pid}/ns/net`).toString() !== own;
    } catch {
      return false;
    }
  });
  outside(`ip link add away0 type veth peer name away1 && ip link set away1 netns ${pid}`);
  t.after(() => {
    try {
      outside('ip link delete away0');
    } catch {
      // It went with the other network.
    }
  });
  const plugIn = () => {
    outside(`ip link set away0 up`);
    inside(`ip link set away1 up && (ip route replace default via ${HERE} dev away1 || true)`);
  };
  outside(`ip address add ${HERE}/24 dev away0`);
  inside(`ip link set lo up && ip address add ${THERE}/24 dev away1`);
  plugIn();
  const run = join(artifacts(name), 'run-away');
  writeFileSync(run, `#!/bin/sh\nexec nsenter --net --target ${pid} ${program} "$@"\n`);
  chmodSync(run, 0o755);
  return { address: HERE, run, plugIn, pullOut: () => outside('ip link set away0 down') };
}
