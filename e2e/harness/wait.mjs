// Waiting for something to become true, with a deadline and a reason when it does not.
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a connection may take to come up on a loaded machine. */
export const CONNECT_MS = 20_000;

/**
 * Calls `probe` until it returns something truthy and returns that.
 * @template T
 * @param {string} what What is waited for, for the error message.
 * @param {() => T | Promise<T>} probe
 * @param {{ timeout?: number, interval?: number }} [options]
 * @returns {Promise<Exclude<T, false | null | undefined | 0 | ''>>}
 */
export async function eventually(what, probe, { timeout = CONNECT_MS, interval = 200 } = {}) {
  const deadline = Date.now() + timeout;
  let last;
  for (;;) {
    last = await probe();
    if (last) return /** @type {any} */ (last);
    if (Date.now() > deadline) throw new Error(`not within ${timeout} ms: ${what}`);
    await sleep(interval);
  }
}
