// A PostgreSQL server of our own, from the system's package, that ends with the test.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { artifacts } from './artifacts.mjs';
import { freePort } from './program.mjs';
import { eventually } from './wait.mjs';

const VERSIONS = '/usr/lib/postgresql';

/** Where `initdb` and `postgres` are, or null. */
function binaries() {
  if (!existsSync(VERSIONS)) return null;
  const newest = readdirSync(VERSIONS).sort((left, right) => Number(right) - Number(left))[0];
  return newest === undefined ? null : join(VERSIONS, newest, 'bin');
}

/**
 * Starts a server; its URL.
 * @param {import('node:test').TestContext} t
 */
export async function postgres(t) {
  const bin = binaries();
  if (bin === null) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'meeshy-postgres-'));
  // It refuses to run as root.
  const owner = process.getuid?.() === 0 ? ids('postgres') : {};
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid ?? owner.uid);
  const data = join(folder, 'data');
  const initial = ['--pgdata', data, '--username', 'meeshy', '--auth', 'trust', '--no-sync', '--encoding', 'UTF8', '--locale', 'C'];
  execFileSync(join(bin, 'initdb'), initial, { ...owner, stdio: 'ignore', cwd: folder });
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off', 'shared_buffers=16MB', 'max_connections=60'];
  const words = ['-D', data, '-p', String(port), ...settings.flatMap((each) => ['-c', each])];
  const child = spawn(join(bin, 'postgres'), words, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr?.pipe(createWriteStream(join(artifacts('postgres'), 'postgres.log'), { flags: 'a' }), { end: false });
  /** @type {Promise<void>} */ const exited = new Promise((resolve) => child.on('exit', () => resolve()));
  t.after(async () => {
    child.kill('SIGQUIT');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually('PostgreSQL takes connections', () => {
    if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}`);
    try {
      execFileSync(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  return `postgres://meeshy@127.0.0.1:${port}/postgres`;
}

/** @param {string} user @returns {{ uid?: number, gid?: number }} */
function ids(user) {
  const number = (/** @type {string} */ what) => Number(execFileSync('id', [what, user], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}
