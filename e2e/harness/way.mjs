// Which way media really takes, by what the browsers and the node themselves say.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** The connection that carries media: the one by which most comes within a second. @param {import('./call-page.mjs').CallPage} page */
export async function carrying(page) {
  const before = new Map((await page.connections()).map((each) => [each.created, each.bytesReceived]));
  await sleep(1000);
  const grown = (await page.connections()).map((each) => ({ ...each, growth: each.bytesReceived - (before.get(each.created) ?? 0) }));
  const [most] = grown.sort((left, right) => right.growth - left.growth);
  assert(most !== undefined && most.growth > 0, `${page.entry.name} has a connection that carries media`);
  return most;
}

/**
 * Two pages are connected to each other, and to nothing in between.
 * @param {import('./call-page.mjs').CallPage} left @param {import('./call-page.mjs').CallPage} right
 */
export async function assertDirect(left, right) {
  const [one, other] = [await carrying(left), await carrying(right)];
  const place = (/** @type {import('./witness.mjs').Candidate | null} */ end) => `${end?.address}:${end?.port}/${end?.protocol}`;
  for (const [near, far] of /** @type {const} */ ([[one, other], [other, one]])) {
    assert.notEqual(near.local?.type, 'relay');
    // Firefox tells no address of a candidate that it learnt from a check.
    if (near.remote?.address !== '') assert.equal(place(near.remote), place(far.local));
  }
}

/** Packets of media that a node has taken in and given out. @param {{ text: (path: string) => Promise<string> }} node */
export async function forwarded(node) {
  const metrics = await node.text('/metrics');
  let sum = 0;
  for (const [, count] of metrics.matchAll(/^rtp_packets_total\{[^}]*\} ([0-9.e+]+)$/gm)) sum += Number(count);
  return sum;
}
