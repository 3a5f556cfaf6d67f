/** The media node's Socket.IO side: events about other people's media, and coming back after a break. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { Emitter } from "../emitter";
import type {
  Ack,
  ActiveSpeaker,
  ConsumerPaused,
  NewProducer,
  NodeEvents,
  NodeRequests,
  ProducerClosed,
  RoomMembership,
} from "./wire";

export type SocketLink = "connecting" | "joined" | "interrupted";

export interface NodeSocketEvents {
  link: SocketLink;
  "new-producer": NewProducer;
  "producer-closed": ProducerClosed;
  "consumer-paused": ConsumerPaused;
  "consumer-resumed": ConsumerPaused;
  "active-speaker": ActiveSpeaker;
}

/** Joining is always acknowledged here; socket.io's types of deadlines need to know. */
type Requests = Omit<NodeRequests, "join-room"> & {
  "join-room": (...parameters: Required<Parameters<NodeRequests["join-room"]>>) => void;
};
type NodeConnection = Socket<NodeEvents, Requests>;
export type Connect = (url: string, options: Partial<ManagerOptions & SocketOptions>) => NodeConnection;

export interface NodeSocketOptions {
  /** Origin of the node; empty for the page's own. */
  base: string;
  membership: RoomMembership;
  token: () => string;
  /** Asked for when the node refuses the token. */
  refreshToken: () => Promise<void>;
  connect?: Connect;
}

const ACK_TIMEOUT = 5_000;
const REFUSED_RETRY = 2_000;

export class NodeSocket {
  readonly events = new Emitter<NodeSocketEvents>();
  readonly #options: NodeSocketOptions;
  readonly #socket: NodeConnection;
  #link: SocketLink = "connecting";
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: NodeSocketOptions) {
    this.#options = options;
    const connect: Connect = options.connect ?? ((url, settings) => io(url, settings));
    this.#socket = connect(options.base === "" ? "/" : options.base, {
      // A function, so that every reconnection carries the token of that moment.
      auth: (send) => send({ token: options.token() }),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelay: 400,
      reconnectionDelayMax: 4_000,
      timeout: 8_000,
      forceNew: true,
    });
    this.#listen();
  }

  get link(): SocketLink {
    return this.#link;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    if (this.#socket.connected) this.#socket.emit("leave-room", this.#options.membership);
    this.#socket.disconnect();
    this.events.removeAll();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("connect", () => void this.#join());
    socket.on("disconnect", (reason) => {
      this.#become("interrupted");
      // socket.io does not come back by itself when the server closed the connection on purpose.
      if (reason === "io server disconnect") this.#reconnectLater();
    });
    socket.on("connect_error", (error) => {
      if (this.#link !== "connecting") this.#become("interrupted");
      // An inactive socket was refused by the application, not lost on the way.
      if (!socket.active) void this.#refused(error.message);
    });
    socket.on("new-producer", (event) => this.#pass("new-producer", event));
    socket.on("producer-closed", (event) => this.#pass("producer-closed", event));
    socket.on("consumer-paused", (event) => this.#pass("consumer-paused", event));
    socket.on("consumer-resumed", (event) => this.#pass("consumer-resumed", event));
    socket.on("active-speaker", (event) => this.#pass("active-speaker", event));
  }

  #pass<K extends Exclude<keyof NodeSocketEvents, "link">>(name: K, event: NodeSocketEvents[K]): void {
    if (event.callId === this.#options.membership.callId) this.events.emit(name, event);
  }

  async #join(): Promise<void> {
    try {
      const reply = await this.#askToJoin();
      if (this.#closed) return;
      if (reply.success) this.#become("joined");
      else this.#again();
    } catch {
      if (!this.#closed) this.#again();
    }
  }

  #askToJoin(): Promise<Ack> {
    return new Promise((resolve, reject) => {
      const answered = (error: Error | null, reply: Ack) => (error === null ? resolve(reply) : reject(error));
      this.#socket.timeout(ACK_TIMEOUT).emit("join-room", this.#options.membership, answered);
    });
  }

  #again(): void {
    this.#socket.disconnect();
    this.#become("interrupted");
    this.#reconnectLater();
  }

  async #refused(reason: string): Promise<void> {
    if (reason === "UNAUTHORIZED") await this.#options.refreshToken().catch(() => undefined);
    if (!this.#closed) this.#reconnectLater();
  }

  #reconnectLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#socket.connect(), REFUSED_RETRY);
  }

  #become(link: SocketLink): void {
    if (this.#closed || this.#link === link) return;
    this.#link = link;
    this.events.emit("link", link);
  }
}
