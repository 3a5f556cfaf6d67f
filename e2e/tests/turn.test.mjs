// Where no browser reaches another, and none the node: through a relay, with credentials that end.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { given } from '../harness/rest.mjs';
import { Stage } from '../harness/stage.mjs';
import { turn } from '../harness/turn.mjs';
import { carrying } from '../harness/way.mjs';

test('a call by relay only, direct and through the node', async (t) => {
  const relay = await turn(t, 'turn');
  const stage = await Stage.set(t, 'turn', relay.environment);
  const chromium = await stage.chromium();
  const { room, pages } = await stage.call(chromium, ['Ana', 'Ben'], { relay: true });
  for (const mode of /** @type {const} */ (['p2p', 'sfu'])) {
    if (mode === 'sfu') await stage.throughNode(room, pages);
    await assertEverybodyMeets(pages);
    for (const page of pages) {
      const { local } = await carrying(page);
      assert.deepEqual([local?.type, local?.address], ['relay', relay.address], `${page.entry.name}, ${mode}`);
    }
  }
  for (const page of pages) page.assertNoErrors();
});

test('an installation may have everybody use the relay, so that nobody learns an address', async (t) => {
  const relay = await turn(t, 'turn-policy');
  const stage = await Stage.set(t, 'turn-policy', { ...relay.environment, ICE_RELAY_ONLY: 'true' });
  const chromium = await stage.chromium();
  const { pages } = await stage.call(chromium, ['Ana', 'Ben'], { type: 'direct', cam: false });
  for (const page of pages) {
    await page.hears(page === pages[0] ? 'Ben' : 'Ana');
    assert.equal((await carrying(page)).local?.type, 'relay');
  }
});

test('the relay takes the credentials we hand out, and no others', async (t) => {
  const relay = await turn(t, 'turn-credentials');
  const stage = await Stage.set(t, 'turn-credentials', relay.environment);
  const page = await stage.open(await stage.chromium(), '/', 'Ana');
  const { iceServers } = await given(stage.server, await stage.person('Ana'), 'GET /api/ice-servers');
  const good = iceServers.find((/** @type {any} */ each) => each.credential !== undefined);
  const [, user] = good.username.split(':');
  const past = `${Math.floor(Date.now() / 1000) - 60}:${user}`;
  /** @type {[string, object, boolean][]} */
  const table = [
    ['as handed out', good, true],
    ['with another password', { ...good, credential: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }, false],
    ['for somebody else', { ...good, username: `${good.username}0` }, false],
    ['after their end', { ...good, username: past }, false],
  ];
  for (const [what, server, taken] of table) {
    const outcome = await page.page.evaluate(gather, server);
    assert.deepEqual(outcome.relayed, taken, `${what}: ${JSON.stringify(outcome)}`);
    if (!taken) assert(outcome.errors.includes(401), `${what}: ${JSON.stringify(outcome)}`);
  }
});

/** Runs in the page: whether a relay gives us an address. @param {any} server */
async function gather(server) {
  const connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' });
  /** @type {number[]} */ const errors = [];
  connection.onicecandidateerror = (event) => errors.push(event.errorCode);
  connection.createDataChannel('x');
  let relayed = false;
  const done = new Promise((resolve) => {
    connection.onicecandidate = ({ candidate }) => {
      if (candidate?.type === 'relay') relayed = true;
      if (candidate === null || relayed) resolve(undefined);
    };
    setTimeout(resolve, 8000);
  });
  await connection.setLocalDescription(await connection.createOffer());
  await done;
  connection.close();
  return { relayed, errors };
}
