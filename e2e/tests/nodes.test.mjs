// Several media nodes behind one gateway: who gets a room, who is drained, and what a dead one takes along.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { freePort } from '../harness/program.mjs';
import { given, service } from '../harness/rest.mjs';
import { comeAndSwitch, gather, meet } from '../harness/scene.mjs';
import { startNode } from '../harness/server.mjs';
import { Stage } from '../harness/stage.mjs';
import { eventually } from '../harness/wait.mjs';

/** @typedef {import('../harness/server.mjs').Server} Server */

/** What operators see. @param {Server} server */
function overview(server) {
  return given(server, service(), 'GET /api/admin/overview');
}

/** A node's name: its host and port. @param {{ url: string }} node */
function nameOf(node) {
  return node.url.replace('http://', '');
}

/** Waits until the gateway sees these nodes in these states. @param {Server} server @param {Record<string, string>} states */
function sees(server, states) {
  return eventually(`nodes are ${JSON.stringify(states)}`, async () => {
    const { nodes } = await overview(server);
    const seen = Object.fromEntries(nodes.map((/** @type {any} */ node) => [node.nodeId, node.state]));
    return Object.entries(states).every(([name, state]) => seen[name] === state);
  });
}

/** Where a call's room is. @param {Server} server @param {string} callId @returns {Promise<string>} */
async function placeOf(server, callId) {
  const { calls } = await overview(server);
  return calls.find((/** @type {any} */ call) => call.callId === callId)?.nodeId;
}

test('two nodes: the idle one is chosen, a drained one keeps its call, and a killed one loses it to the other', async (t) => {
  const stage = await Stage.set(t, 'nodes', { apart: true, nodes: 1, environment: { TRANSITION_TIMEOUT_MS: '60000' } });
  const { server } = stage;
  const port = await freePort();
  const own = `http://127.0.0.1:${port}`;
  // The second one comes by itself.
  server.nodes.push(await startNode('nodes', { SERVER_ID: 'by-itself', GATEWAY_URL: server.url, INTERNAL_URL: own }, port));
  const names = server.nodes.map(nameOf);
  await sees(server, Object.fromEntries(names.map((name) => [name, 'ready'])));

  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben', 'Cleo']);
  for (const page of pages) await page.goes('sfu', 60_000);
  await assertEverybodyMeets(pages);
  const { callId } = await given(server, service(), `GET /api/conversations/${room}/active-call`);
  const first = await placeOf(server, callId);
  const other = names.find((name) => name !== first) ?? '';
  assert(names.includes(first), `the call is on ${first}`);

  // Where there is less to do.
  const idle = await gather(t, server, 3);
  const second = await meet(idle.conversation, idle.devices);
  await comeAndSwitch(second, idle.devices);
  assert.equal(await placeOf(server, second.callId), other);

  // Drained: what comes goes elsewhere, what is there goes on.
  const drained = await given(server, service(), `POST /api/admin/nodes/${other}/drain`);
  assert.equal(drained.draining, true);
  await sees(server, { [first]: 'ready', [other]: 'draining' });
  const late = await gather(t, server, 3);
  const third = await meet(late.conversation, late.devices);
  await comeAndSwitch(third, late.devices);
  assert.equal(await placeOf(server, third.callId), first);
  assert.equal(await placeOf(server, second.callId), other);
  const resumed = await given(server, service(), `DELETE /api/admin/nodes/${other}/drain`);
  assert.equal(resumed.draining, false);
  await sees(server, { [other]: 'ready' });

  // Killed: its call meets again on the other node, and nobody else notices.
  await server.nodes[names.indexOf(first)]?.stop();
  await eventually('the call is on the other node', async () => (await placeOf(server, callId)) === other);
  for (const page of pages) await page.goes('sfu', 30_000);
  await assertEverybodyMeets(pages);
  await sees(server, { [first]: 'lost', [other]: 'ready' });
  assert.equal(await server.status('/ready'), 200);
  assert.equal(await server.nodes[names.indexOf(other)]?.status('/ready'), 200);
  const untouched = (await overview(server)).calls.find((/** @type {any} */ call) => call.callId === second.callId);
  assert.deepEqual([untouched.status, untouched.mode, untouched.nodeId], ['active', 'sfu', other]);
});
