// Coming late, coming over TCP, and going without a word.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { Stage } from '../harness/stage.mjs';

test('who comes late has a picture within a second of asking for it', async (t) => {
  const stage = await Stage.set(t, 'late-join');
  const chromium = await stage.chromium();
  const ana = await stage.join(chromium, { room: 'late', name: 'Ana', simulcast: false });
  const ben = await stage.join(chromium, { room: 'late', name: 'Ben', simulcast: false });
  await assertEverybodyMeets([ana, ben]);

  // On a machine that is busy with something else one arrival may be slow; without a key frame asked for, all are.
  const arrivals = [];
  for (const name of ['Cleo', 'Cleo again', 'Cleo once more']) {
    const cleo = await stage.join(chromium, { room: 'late', name, simulcast: false });
    const cameras = [await cleo.sees('Ana'), await cleo.sees('Ben')];
    await ana.sees(name);
    cleo.assertNoErrors();
    arrivals.push(cameras.map((camera) => camera.firstFrameMs ?? Infinity));
    if (Math.max(...(arrivals.at(-1) ?? [])) < 1000) return;
    await cleo.click('control-leave');
    await ana.noTile(name);
  }
  assert.fail(`milliseconds from resume to the first frame of Ana and of Ben: ${JSON.stringify(arrivals)}`);
});

test('where UDP is blocked a call goes over TCP', async (t) => {
  const stage = await Stage.set(t, 'tcp');
  const chromium = await stage.chromium();
  const ana = await stage.join(chromium, { room: 'tcp', name: 'Ana', forceTcp: true, simulcast: false });
  const ben = await stage.join(chromium, { room: 'tcp', name: 'Ben', simulcast: false });
  await assertEverybodyMeets([ana, ben]);
  const overTcp = await ana.received('Ben', 'camera');
  const overUdp = await ben.received('Ana', 'camera');
  assert.equal(overTcp?.protocol, 'tcp');
  assert.equal(overUdp?.protocol, 'udp');
  ana.assertNoErrors();
});

test('a browser that dies disappears from the call', async (t) => {
  const stage = await Stage.set(t, 'killed-browser');
  const [one, other] = await Promise.all([stage.chromium(), stage.chromium()]);
  const ana = await stage.join(one, { room: 'killed', name: 'Ana', simulcast: false });
  await stage.join(other, { room: 'killed', name: 'Ben', simulcast: false });
  await ana.sees('Ben');
  other.process()?.kill('SIGKILL');
  await ana.noTile('Ben', undefined, 25_000);
  assert.deepEqual((await ana.stats()).consumers, []);
  ana.assertNoErrors();
});
