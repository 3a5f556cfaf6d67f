// A real Prometheus with the settings and alerts an operator is given; only where it looks and how often is ours.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { artifacts } from './artifacts.mjs';
import { freePort } from './program.mjs';
import { eventually } from './wait.mjs';

export const DEPLOY = join(dirname(fileURLToPath(import.meta.url)), '../../deploy');

/** @typedef {{ metric: Record<string, string>, value: [number, string] }} Sample */

export class Prometheus {
  /** @param {number} port */
  constructor(port) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * Starts one that scrapes these instead of the services of Compose, every second.
   * @param {import('node:test').TestContext} t
   * @param {string} name Folder of artifacts.
   * @param {Record<string, string>} targets By the address in `prometheus.yml`: host and port.
   */
  static async start(t, name, targets) {
    const folder = mkdtempSync(join(tmpdir(), 'meeshy-prometheus-'));
    writeFileSync(join(folder, 'prometheus.yml'), settings(targets));
    copyFileSync(join(DEPLOY, 'prometheus/alerts.yml'), join(folder, 'alerts.yml'));
    const port = await freePort();
    const words = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn('prometheus', words, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
    const log = createWriteStream(join(artifacts(name), 'prometheus.log'));
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    /** @type {Promise<void>} */ const exited = new Promise((resolve) => child.on('exit', () => resolve()));
    t.after(async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    });
    const prometheus = new Prometheus(port);
    await eventually('Prometheus is ready', async () => {
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
      return fetch(`${prometheus.url}/-/ready`).then((response) => response.ok, () => false);
    }, { timeout: 60_000 });
    return prometheus;
  }

  /** What an expression is now. @param {string} expression @returns {Promise<Sample[]>} */
  async query(expression) {
    return (await this.#ask(`query?query=${encodeURIComponent(expression)}`)).result;
  }

  /** The only value of an expression; 0 if it has none. @param {string} expression */
  async value(expression) {
    const [sample] = await this.query(expression);
    return Number(sample?.value[1] ?? 0);
  }

  /** @returns {Promise<{ labels: Record<string, string>, health: string, lastError: string }[]>} */
  async targets() {
    return (await this.#ask('targets?state=active')).activeTargets;
  }

  /** @returns {Promise<{ name: string, health: string, state: string, lastError?: string, labels: Record<string, string> }[]>} */
  async rules() {
    const { groups } = await this.#ask('rules');
    return groups.flatMap((/** @type {any} */ group) => group.rules);
  }

  /** @param {string} path */
  async #ask(path) {
    const response = await fetch(`${this.url}/api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
    const answer = await response.json();
    if (answer.status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${answer.error}`);
    return answer.data;
  }
}

/** @param {Record<string, string>} targets */
function settings(targets) {
  let text = readFileSync(join(DEPLOY, 'prometheus/prometheus.yml'), 'utf8');
  for (const [theirs, ours] of Object.entries(targets)) {
    if (!text.includes(`"${theirs}"`)) throw new Error(`prometheus.yml has no target ${theirs}`);
    text = text.replace(`"${theirs}"`, `"${ours}"`);
  }
  return text.replaceAll(/(scrape|evaluation)_interval: 15s/g, '$1_interval: 1s');
}

/** What `promtool check metrics` has to say about a server's text, line by line. @param {string} text */
export function complaints(text) {
  try {
    execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
    return [];
  } catch (error) {
    const { stderr } = /** @type {{ stderr?: Buffer }} */ (error);
    if (stderr === undefined) throw error;
    return stderr.toString().trim().split('\n');
  }
}

/**
 * The families of the text format, with the label names of their series; a histogram's without `le`.
 * @param {string} text
 */
export function families(text) {
  /** @type {Map<string, { type: string, help: string, labels: Set<string> }>} */ const found = new Map();
  /** @param {string} name */
  const family = (name) => {
    const known = found.get(name) ?? { type: '', help: '', labels: new Set() };
    found.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [, word = '', name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === 'HELP') family(name).help = rest;
    if (word === 'TYPE') family(name).type = rest;
    if (line === '' || line.startsWith('#')) continue;
    const [, series = '', labels = ''] = /^([\w:]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    const base = series.replace(/_(bucket|sum|count)$/, '');
    const own = found.get(series) === undefined && found.get(base)?.type === 'histogram' ? family(base) : family(series);
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) if (label !== 'le') own.labels.add(label);
  }
  return found;
}
