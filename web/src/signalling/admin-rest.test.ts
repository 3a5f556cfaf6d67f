import { expect, it } from "vitest";
import { AdminRest } from "./admin-rest";
import { SignallingError } from "./errors";

interface Seen {
  line: string;
  authorization: string | null;
  body: unknown;
}

function admin(token: string | null, status = 200) {
  const seen: Seen[] = [];
  const fetch = (url: unknown, init: RequestInit = {}) => {
    seen.push({
      line: `${init.method ?? "GET"} ${String(url)}`,
      authorization: new Headers(init.headers).get("authorization"),
      body: typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
    });
    const envelope =
      status < 400 ? { success: true, data: {} } : { success: false, error: { code: "FORBIDDEN" } };
    return Promise.resolve(new Response(JSON.stringify(envelope), { status }));
  };
  const http = { fetch, timeout: 1000, attempts: 1, sleep: () => Promise.resolve() };
  return { seen, admin: new AdminRest(() => token, "", http) };
}

it.each<[string, (admin: AdminRest) => Promise<unknown>, string, unknown]>([
  ["overview", (a) => a.overview(), "GET /api/admin/overview", undefined],
  ["drain", (a) => a.drain("10.0.0.1:3001"), "POST /api/admin/nodes/10.0.0.1%3A3001/drain", undefined],
  ["undrain", (a) => a.undrain("a/b"), "DELETE /api/admin/nodes/a%2Fb/drain", undefined],
  [
    "setFlags",
    (a) => a.setFlags({ flags: { sfu: null }, sfuPercent: null, sfuConversations: [] }),
    "PUT /api/admin/flags",
    { flags: { sfu: null }, sfuPercent: null, sfuConversations: [] },
  ],
])("%s asks the right path with the token", async (_name, ask, line, body) => {
  const { seen, admin: client } = admin("t.o.k");
  await ask(client);
  expect(seen).toEqual([{ line, authorization: "Bearer t.o.k", body }]);
});

it("shows no token where there is none, and hands a refusal on", async () => {
  const { seen, admin: client } = admin(null, 403);
  const error: unknown = await client.overview().catch((thrown: unknown) => thrown);
  expect(seen[0]?.authorization).toBeNull();
  expect(error).toBeInstanceOf(SignallingError);
  expect(error).toMatchObject({ status: 403, code: "FORBIDDEN" });
});
