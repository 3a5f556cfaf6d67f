/** The real socket.io client against the real socket.io server. */
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NodeSocket, type SocketLink } from "./socket";

let http: HttpServer;
let server: Server;
let base: string;
/** Tokens the server lets in. */
let accepted: Set<string>;
let joins: unknown[];
let present: Socket[];
let clients: NodeSocket[];

beforeEach(async () => {
  [accepted, joins, present, clients] = [new Set(["good"]), [], [], []];
  http = createServer();
  server = new Server(http);
  server.use((socket, next) => {
    const { token } = socket.handshake.auth as { token?: string };
    next(accepted.has(token ?? "") ? undefined : new Error("UNAUTHORIZED"));
  });
  server.on("connection", (socket) => {
    present.push(socket);
    socket.on("join-room", (membership: unknown, ack: (reply: { success: boolean }) => void) => {
      joins.push(membership);
      ack({ success: true });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`;
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.close();
});

function client(
  token = () => "good",
  refreshToken = () => Promise.resolve(),
): { socket: NodeSocket; links: SocketLink[] } {
  const socket = new NodeSocket({
    base,
    membership: { callId: "tea", participantId: "me" },
    token,
    refreshToken,
  });
  const links: SocketLink[] = [];
  socket.events.on("link", (link) => links.push(link));
  clients.push(socket);
  return { socket, links };
}

function soon(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 6000, interval: 10 });
}

describe("NodeSocket", () => {
  it("joins its room and passes events on, those of other calls apart", async () => {
    const { socket, links } = client();
    const seen: string[] = [];
    socket.events.on("new-producer", ({ producerId }) => seen.push(producerId));
    await soon(() => expect(links).toEqual(["joined"]));
    expect(joins).toEqual([{ callId: "tea", participantId: "me" }]);
    const producer = { callId: "tea", participantId: "bob", producerId: "p1", kind: "audio" };
    present[0]?.emit("new-producer", { ...producer, callId: "coffee", producerId: "p0" });
    present[0]?.emit("new-producer", producer);
    await soon(() => expect(seen).toEqual(["p1"]));
  });

  it("comes back and joins again after the connection was lost", async () => {
    const { links } = client();
    await soon(() => expect(links).toEqual(["joined"]));
    present[0]?.conn.close();
    await soon(() => expect(links).toEqual(["joined", "interrupted", "joined"]));
    expect(joins).toHaveLength(2);
  });

  it("comes back also when the server closed the connection on purpose", async () => {
    const { links } = client();
    await soon(() => expect(links).toEqual(["joined"]));
    present[0]?.disconnect(true);
    await soon(() => expect(links).toEqual(["joined", "interrupted", "joined"]));
  });

  it("gets a new token when the old one is refused", async () => {
    let token = "stale";
    const refresh = vi.fn(() => {
      token = "good";
      return Promise.resolve();
    });
    const { links } = client(() => token, refresh);
    await soon(() => expect(links).toEqual(["joined"]));
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it("stays away after it was closed", async () => {
    const { socket, links } = client();
    await soon(() => expect(links).toEqual(["joined"]));
    const gone = new Promise((resolve) => present[0]?.once("disconnect", resolve));
    socket.close();
    await gone;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(present).toHaveLength(1);
    expect(links).toEqual(["joined"]);
  });
});
