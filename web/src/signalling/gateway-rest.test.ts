import { expect, it } from "vitest";
import { SignallingError } from "./errors";
import { GatewayRest } from "./gateway-rest";
import type { GatewayCredentials } from "./gateway-wire";

interface Seen {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

function rest(credentials: GatewayCredentials | null, answer: unknown = {}, status = 200) {
  const seen: Seen[] = [];
  const fetch = (url: unknown, init: RequestInit = {}) => {
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined;
    seen.push({ method: init.method ?? "GET", url: String(url), headers: new Headers(init.headers), body });
    const envelope = status < 400 ? { success: true, data: answer } : { success: false, error: answer };
    return Promise.resolve(new Response(JSON.stringify(envelope), { status }));
  };
  const http = { fetch, timeout: 1000, attempts: 1, sleep: () => Promise.resolve() };
  return { seen, rest: new GatewayRest(() => credentials, "http://gw", http) };
}

const USER = { token: "t" };

it.each<[string, (rest: GatewayRest) => Promise<unknown>, string, unknown]>([
  ["me", (r) => r.me(), "GET /api/users/me", undefined],
  ["users", (r) => r.users("a&b"), "GET /api/users?query=a%26b", undefined],
  ["conversations", (r) => r.conversations(), "GET /api/conversations", undefined],
  [
    "createConversation",
    (r) => r.createConversation({ type: "direct", memberIds: ["u"] }),
    "POST /api/conversations",
    { type: "direct", memberIds: ["u"] },
  ],
  [
    "createLink",
    (r) => r.createLink("c1", { maxUses: 2 }),
    "POST /api/conversations/c1/links",
    { maxUses: 2 },
  ],
  ["activeCall", (r) => r.activeCall("c1"), "GET /api/conversations/c1/active-call", undefined],
  [
    "history",
    (r) => r.history("c1", { limit: 5, offset: 10 }),
    "GET /api/conversations/c1/calls?limit=5&offset=10",
    undefined,
  ],
  ["iceServers", (r) => r.iceServers(), "GET /api/ice-servers", undefined],
  ["exportMyData", (r) => r.exportMyData(), "GET /api/users/me/call-data", undefined],
  ["eraseMyData", (r) => r.eraseMyData(), "DELETE /api/users/me/call-data", undefined],
])("%s asks the right path with the token", async (_name, ask, line, body) => {
  const { seen, rest: client } = rest(USER);
  await ask(client);
  expect(seen.map(({ method, url }) => `${method} ${url.replace("http://gw", "")}`)).toEqual([line]);
  expect(seen[0]?.headers.get("authorization")).toBe("Bearer t");
  expect(seen[0]?.body).toEqual(body);
});

it.each<[string, (rest: GatewayRest) => Promise<unknown>, string]>([
  ["config", (r) => r.config(), "GET /api/config"],
  ["login", (r) => r.login("Ada", "en"), "POST /api/auth/dev-login"],
  ["trackedLink", (r) => r.trackedLink("a/b"), "GET /api/links/tracked/a%2Fb"],
  [
    "joinAnonymous",
    (r) => r.joinAnonymous("c1", { firstName: "Bo", language: "en", shareLinkId: "l1" }),
    "POST /api/conversations/c1/join-anonymous",
  ],
])("%s is open to everybody and shows no token", async (_name, ask, line) => {
  const { seen, rest: client } = rest(USER);
  await ask(client);
  expect(seen.map(({ method, url }) => `${method} ${url.replace("http://gw", "")}`)).toEqual([line]);
  expect(seen[0]?.headers.get("authorization")).toBeNull();
});

it("speaks for a guest by the session token", async () => {
  const { seen, rest: client } = rest({ sessionToken: "s" });
  await client.activeCall("c1");
  expect(seen[0]?.headers.get("x-session-token")).toBe("s");
  expect(seen[0]?.headers.get("authorization")).toBeNull();
});

it("says null when there is no live call", async () => {
  const { rest: client } = rest(USER, null);
  expect(await client.activeCall("c1")).toBeNull();
});

it("hands on the code and what a failure is about", async () => {
  const error = { code: "CALL_ALREADY_ACTIVE", message: "busy", details: { callId: "k" } };
  const { rest: client } = rest(USER, error, 409);
  const failure: unknown = await client.conversations().catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(SignallingError);
  expect(failure).toMatchObject({ code: "CALL_ALREADY_ACTIVE", status: 409, about: { callId: "k" } });
});

it("measures how fast bytes arrive", async () => {
  const fetch = () => Promise.resolve(new Response(new Uint8Array(10_000)));
  const http = { fetch, timeout: 1000, attempts: 1, sleep: () => Promise.resolve() };
  const speed = await new GatewayRest(() => USER, "", http).bandwidthTest(10_000);
  expect(speed).toBeGreaterThan(0);
});
