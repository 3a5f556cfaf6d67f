/** The real socket.io client against the real socket.io server, which here plays the gateway. */
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type GatewayLink, GatewaySocket } from "./gateway-socket";
import type { GatewayCredentials } from "./gateway-wire";

type Ack = (answer: unknown) => void;

let http: HttpServer;
let server: Server;
let base: string;
let present: Socket[];
let handshakes: Record<string, unknown>[];
let asked: [string, unknown][];
let clients: GatewaySocket[];
let network: EventTarget;
/** How the gateway answers; undefined keeps silent. */
let answer: (name: string) => unknown;

beforeEach(async () => {
  [present, handshakes, asked, clients] = [[], [], [], []];
  network = new EventTarget();
  answer = () => ({ success: true, data: { leftAt: "now" } });
  http = createServer();
  server = new Server(http);
  server.on("connection", (socket) => {
    const { auth } = socket.handshake;
    handshakes.push(auth);
    present.push(socket);
    const success = auth.token === "good" || auth.sessionToken === "guest";
    socket.emit("authenticated", { success });
    if (!success) socket.disconnect(true);
    socket.onAny((name: string, payload: unknown, ack: Ack) => {
      asked.push([name, payload]);
      const reply = answer(name);
      if (reply !== undefined) ack(reply);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`;
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.close();
});

const KNOWN = () => ({ token: "good" });

function client(
  credentials: () => GatewayCredentials = KNOWN,
  change: { timeout?: number; reconnectDelay?: number } = {},
) {
  const settings = { base, credentials, language: () => "fr", network, reconnectDelay: 50, ...change };
  const socket = new GatewaySocket(settings);
  const links: GatewayLink[] = [];
  socket.events.on("link", (link) => links.push(link));
  clients.push(socket);
  return { socket, links };
}

function soon(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 6000, interval: 10 });
}

describe("GatewaySocket", () => {
  it("says who it is in the handshake", async () => {
    const { links } = client();
    await soon(() => expect(links).toEqual(["ready"]));
    expect(handshakes).toEqual([{ token: "good", language: "fr" }]);
  });

  it("speaks for a guest", async () => {
    const { links } = client(() => ({ sessionToken: "guest" }));
    await soon(() => expect(links).toEqual(["ready"]));
  });

  it("gives up when the gateway does not know one", async () => {
    const { socket, links } = client(() => ({ token: "bad" }));
    const request = socket.request("call:leave", { callId: "k" });
    await expect(request).rejects.toMatchObject({ kind: "aborted" });
    expect(links).toEqual(["refused"]);
    await expect(socket.request("call:leave", { callId: "k" })).rejects.toMatchObject({ kind: "aborted" });
    expect(present).toHaveLength(1);
  });

  it("gives up when what proved who one is has come to its end", async () => {
    const { socket, links } = client();
    await soon(() => expect(links).toEqual(["ready"]));
    answer = () => undefined;
    const request = socket.request("call:leave", { callId: "k" });
    present[0]?.emit("authenticated", { success: false, error: { code: "UNAUTHORIZED", message: "over" } });
    present[0]?.disconnect(true);
    await expect(request).rejects.toThrow();
    expect(links).toEqual(["ready", "refused"]);
    expect(present).toHaveLength(1);
  });

  it("comes back when the gateway only has no time for it now", async () => {
    const { links } = client();
    await soon(() => expect(links).toEqual(["ready"]));
    const error = { code: "RATE_LIMIT_EXCEEDED", message: "wait", retryAfter: 0.2 };
    const began = Date.now();
    present[0]?.emit("authenticated", { success: false, error });
    present[0]?.disconnect(true);
    await soon(() => expect(links).toEqual(["ready", "interrupted", "ready"]));
    expect(Date.now() - began).toBeGreaterThanOrEqual(190);
  });

  it("hands the gateway's events on", async () => {
    const { socket, links } = client();
    const seen: unknown[] = [];
    socket.events.on("call:answered-elsewhere", (event) => seen.push(event));
    await soon(() => expect(links).toEqual(["ready"]));
    present[0]?.emit("call:answered-elsewhere", { callId: "k" });
    await soon(() => expect(seen).toEqual([{ callId: "k" }]));
  });

  it("asks, also before the link is up, and resolves with the acknowledged data", async () => {
    const { socket } = client();
    expect(await socket.request("call:leave", { callId: "k" })).toEqual({ leftAt: "now" });
    expect(asked).toEqual([["call:leave", { callId: "k" }]]);
  });

  it("rejects with the gateway's code, details and patience", async () => {
    const error = { code: "CALL_ALREADY_ACTIVE", message: "m", details: { callId: "x" }, retryAfter: 2 };
    answer = () => ({ success: false, error });
    const { socket } = client();
    await expect(
      socket.request("call:initiate", { conversationId: "c", type: "video" }),
    ).rejects.toMatchObject({
      kind: "api",
      code: "CALL_ALREADY_ACTIVE",
      about: { callId: "x" },
      retryAfter: 2000,
    });
  });

  it("does not wait for ever", async () => {
    answer = () => undefined;
    const { socket } = client(KNOWN, { timeout: 80 });
    await expect(socket.request("call:end", { callId: "k" })).rejects.toMatchObject({ kind: "timeout" });
  });

  it("tells at once when the connection is lost before the answer", async () => {
    answer = () => undefined;
    const { socket, links } = client();
    await soon(() => expect(links).toEqual(["ready"]));
    const request = socket.request("call:end", { callId: "k" });
    const failed = expect(request).rejects.toMatchObject({ kind: "network" });
    await soon(() => expect(asked).toHaveLength(1));
    present[0]?.conn.close();
    await failed;
  });

  it("comes back, lets listeners speak first and then sends what waited", async () => {
    const { socket, links } = client();
    await soon(() => expect(links).toEqual(["ready"]));
    present[0]?.disconnect(true);
    await soon(() => expect(links).toEqual(["ready", "interrupted"]));
    const waited = socket.request("call:end", { callId: "k" });
    socket.events.on("link", () => void socket.request("call:leave", { callId: "k" }));
    await waited;
    expect(asked.map(([name]) => name)).toEqual(["call:leave", "call:end"]);
    expect(links).toEqual(["ready", "interrupted", "ready"]);
  });

  it("tries again at once when the machine is online again", async () => {
    const { links } = client(KNOWN, { reconnectDelay: 60_000 });
    await soon(() => expect(links).toEqual(["ready"]));
    present[0]?.disconnect(true);
    await soon(() => expect(links).toEqual(["ready", "interrupted"]));
    network.dispatchEvent(new Event("online"));
    await soon(() => expect(links).toEqual(["ready", "interrupted", "ready"]));
  });

  it("stays away after it was closed, and nothing waits any more", async () => {
    answer = () => undefined;
    const { socket, links } = client();
    await soon(() => expect(links).toEqual(["ready"]));
    const request = socket.request("call:end", { callId: "k" });
    const failed = expect(request).rejects.toMatchObject({ kind: "aborted" });
    const gone = new Promise((resolve) => present[0]?.once("disconnect", resolve));
    socket.close();
    await failed;
    await gone;
    expect(links).toEqual(["ready"]);
  });
});
