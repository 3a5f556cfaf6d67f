// Phones and laptops of one network: HTTPS with a certificate that the server made itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertEverybodyMeets } from '../harness/call-page.mjs';
import { MEDIA_ADDRESS } from '../harness/server.mjs';
import { Stage } from '../harness/stage.mjs';

// What a person does once by "proceed": nobody can vouch for such a certificate.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const TRUSTING = ['--ignore-certificate-errors'];

/** The address that the server told people. @param {Stage} stage */
function told(stage) {
  const [url] = /https:\/\/\S+:\d+(?=\/)/.exec(stage.server.gateway.said) ?? [];
  assert(url !== undefined, stage.server.gateway.said);
  return url;
}

test('two people of the network call each other over HTTPS', async (t) => {
  const stage = await Stage.set(t, 'lan', { lan: true });
  const url = told(stage);
  assert.equal(new URL(url).hostname, MEDIA_ADDRESS, 'not loopback: the address others use');
  assert.match(stage.server.gateway.said, /[▀▄█]{20}/, 'a code to scan');
  stage.server.url = url;
  const chromium = await stage.chromium(TRUSTING);
  /** @type {string[]} */ const sockets = [];
  chromium.on('targetcreated', async (target) => {
    const page = await target.page();
    if (page === null) return;
    const session = await page.createCDPSession();
    session.on('Network.webSocketCreated', (event) => sockets.push(event.url));
    await session.send('Network.enable');
  });
  const { pages } = await stage.call(chromium, ['Ana', 'Ben'], { type: 'direct' });
  await assertEverybodyMeets(pages);
  for (const { page } of pages) {
    assert.equal(await page.evaluate(() => `${isSecureContext} ${location.origin}`), `true ${url}`);
  }
  const [secure, plain] = ['wss:', 'ws:'].map((scheme) => sockets.filter((socket) => socket.startsWith(scheme)).length);
  assert(secure !== undefined && secure >= 2 && plain === 0, sockets.join('\n'));
  for (const page of pages) page.assertNoErrors();
});

test('whoever types the address without https comes to the same page', async (t) => {
  const stage = await Stage.set(t, 'lan-plain', { lan: true });
  const chromium = await stage.chromium(TRUSTING);
  const page = await chromium.newPage();
  await page.goto(told(stage).replace('https:', 'http:'), { waitUntil: 'domcontentloaded' });
  assert.equal(new URL(page.url()).origin, told(stage));
  assert.equal(await page.evaluate(() => typeof navigator.mediaDevices?.getUserMedia), 'function');
});
