// What most tests begin with: people in a conversation, their devices, a call.
import assert from 'node:assert/strict';

import { Client } from './client.mjs';
import { converse, given, newcomer } from './rest.mjs';

/**
 * @typedef {{ conversation: string, people: import('./rest.mjs').Who[], devices: Client[] }} Gathering
 * @typedef {{ callId: string, seats: string[] }} Call `seats`: participant ids in the order of the devices.
 */

/**
 * People who did nothing before, in a conversation of theirs, with one device each. The first owns the conversation
 * and so is its administrator.
 * @param {import('node:test').TestContext} t @param {{ url: string }} server @param {number} count
 * @param {{ type?: string }} [options]
 * @returns {Promise<Gathering>}
 */
export async function gather(t, server, count, options = {}) {
  const people = await Promise.all(Array.from({ length: count }, () => newcomer(server)));
  const [owner, ...others] = people;
  assert(owner !== undefined);
  const conversation = await converse(server, owner, others, options);
  const devices = await Promise.all(people.map((person) => Client.connect(t, server, person)));
  return { conversation, people, devices };
}

/**
 * The first device begins a call, the second takes it, and both say that media is up.
 * @param {string} conversation @param {Client[]} devices @param {'video' | 'audio'} [type]
 * @returns {Promise<Call>}
 */
export async function meet(conversation, devices, type = 'video') {
  const [first, second] = devices;
  assert(first !== undefined && second !== undefined);
  const { callId, participantId } = await first.do('call:initiate', { conversationId: conversation, type });
  const joined = await second.do('call:join', { callId, audioEnabled: true, videoEnabled: true });
  const seats = [participantId, joined.participantId];
  await Promise.all([first, second].map((device, index) => device.do('call:connected', { callId, participantId: seats[index] })));
  return { callId, seats };
}

/**
 * A third device comes, and everybody acknowledges the switch that follows.
 * @param {Call} call @param {Client[]} devices Those in the call and, last, the one who comes.
 * @returns {Promise<string>} The switch's id.
 */
export async function comeAndSwitch(call, devices) {
  const newcomers = devices.slice(call.seats.length);
  const [third] = newcomers;
  assert(third !== undefined && newcomers.length === 1);
  const { callId } = call;
  const joined = await third.do('call:join', { callId });
  call.seats.push(joined.participantId);
  assert.equal(joined.mode, 'sfu');
  const { transitionId } = joined.transition;
  await acknowledge(call, devices, transitionId);
  for (const device of devices) {
    const switched = await device.told('call:mode-switched', (payload) => payload.transitionId === transitionId);
    assert.deepEqual({ success: switched.success, mode: switched.mode }, { success: true, mode: 'sfu' });
  }
  return transitionId;
}

/** @param {Call} call @param {Client[]} devices @param {string} transitionId */
export async function acknowledge(call, devices, transitionId) {
  const { callId, seats } = call;
  await Promise.all(
    devices.map((device, index) =>
      device.do('call:mode-switch-ack', { callId, participantId: seats[index], transitionId, success: true }),
    ),
  );
}

/**
 * The call as its first participant reads it.
 * @param {{ url: string }} server @param {import('./rest.mjs').Who} who @param {string} callId
 */
export function read(server, who, callId) {
  return given(server, who, `GET /api/calls/${callId}`);
}

/** Ids of those who hold a seat. @param {any} dto @returns {string[]} */
export function roster(dto) {
  return dto.participants.filter((/** @type {any} */ each) => each.leftAt === undefined).map((/** @type {any} */ each) => each.participantId);
}
