// The gateway's REST side and its directory, asked as a person, a guest, a service or nobody.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { LOGIN_SECRET } from './server.mjs';

/**
 * @typedef {{ url: string }} Addressed
 * @typedef {{ name: string, id: string, token?: string, session?: string }} Who Somebody who can ask; a person or a
 *   service with a token, a guest with a session.
 * @typedef {{ status: number, headers: Headers, data: any, error: any, body: any }} Answer
 */

/** A JWT signed with HS256. @param {Record<string, unknown>} claims @param {string} [secret] */
export function sign(claims, secret = LOGIN_SECRET) {
  const now = Math.floor(Date.now() / 1000);
  const part = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ aud: 'gateway', iat: now, exp: now + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Another server of the installation. @returns {Who} */
export function service() {
  return { name: 'service', id: 'service', token: sign({ sub: 'service', role: 'service' }) };
}

/** The same person as an administrator of the installation. @param {Who} person @returns {Who} */
export function asPlatformAdmin(person) {
  return { ...person, token: sign({ sub: person.id, role: 'admin' }) };
}

/** @param {Who | null} who */
export function credentials(who) {
  /** @type {Record<string, string>} */ const headers = {};
  if (who?.token !== undefined) headers.authorization = `Bearer ${who.token}`;
  if (who?.session !== undefined) headers['x-session-token'] = who.session;
  return headers;
}

/**
 * @param {Addressed} server
 * @param {Who | null} who
 * @param {string} line Method and path.
 * @param {unknown} [body] Sent as JSON; a string is sent as it is.
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>}
 */
export async function ask(server, who, line, body, headers = {}) {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(server.url + path, {
    method,
    headers: { ...credentials(who), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  const parsed = text.startsWith('{') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, data: parsed.data, error: parsed.error, body: parsed };
}

/**
 * Asks, and expects to be given it.
 * @param {Addressed} server @param {Who | null} who @param {string} line @param {unknown} [body]
 */
export async function given(server, who, line, body) {
  const answer = await ask(server, who, line, body);
  assert(answer.status < 300, `${line} as ${who?.name ?? 'nobody'}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.data;
}

let addresses = 0;
/** As if from a machine of its own, behind the proxy that our installations trust; logins are counted by address. */
export function elsewhere() {
  addresses += 1;
  return { 'x-forwarded-for': `198.18.${Math.floor(addresses / 250)}.${1 + (addresses % 250)}` };
}

/** A person with an account. @param {Addressed} server @param {string} name @returns {Promise<Who>} */
export async function login(server, name) {
  const answer = await ask(server, null, 'POST /api/auth/dev-login', { username: name }, elsewhere());
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const { token, user } = answer.data;
  assert.equal(user.username, name);
  return { name, id: user.userId, token };
}

let people = 0;
/** Somebody who did nothing before, so that no limit is near. @param {Addressed} server @param {string} [name] */
export function newcomer(server, name = 'Nia') {
  people += 1;
  return login(server, `${name} ${people}`);
}

/**
 * A conversation; its id.
 * @param {Addressed} server
 * @param {Who} owner
 * @param {Who[]} others
 * @param {{ type?: string, title?: string }} [options]
 * @returns {Promise<string>}
 */
export async function converse(server, owner, others, { type = 'group', title = 'Stand-up' } = {}) {
  const body = { type, title, memberIds: others.map((person) => person.id) };
  return (await given(server, owner, 'POST /api/conversations', body)).conversationId;
}

/**
 * A guest who came by a link.
 * @param {Addressed} server @param {Who} host @param {string} conversation @param {string} [firstName]
 * @returns {Promise<Who>}
 */
export async function invite(server, host, conversation, firstName = 'Gus') {
  const link = await given(server, host, `POST /api/conversations/${conversation}/links`, {});
  return enter(server, conversation, link.linkId, firstName);
}

/**
 * @param {Addressed} server @param {string} conversation @param {string} shareLinkId @param {string} [firstName]
 * @returns {Promise<Who>}
 */
export async function enter(server, conversation, shareLinkId, firstName = 'Gus') {
  const body = { firstName, language: 'en', shareLinkId };
  const answer = await ask(server, null, `POST /api/conversations/${conversation}/join-anonymous`, body, elsewhere());
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const guest = answer.data;
  return { name: guest.username, id: guest.anonymousUserId, session: guest.sessionToken };
}
