/** The gateway's Socket.IO side: one socket for everything a person is told and asks for, kept up for ever. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { Emitter } from "../emitter";
import { SignallingError } from "./errors";
import type { Authenticated, CallAck } from "./generated";
import {
  type Answer,
  GATEWAY_EVENTS,
  type GatewayCredentials,
  type GatewayEvents,
  type GatewayRequestName,
  type Payload,
} from "./gateway-wire";

/**
 * - `connecting`: not there yet.
 * - `ready`: the gateway knows who one is; requests go out.
 * - `interrupted`: lost on the way, being tried again by itself.
 * - `refused`: the gateway does not accept the credentials; nothing is tried again.
 */
export type GatewayLink = "connecting" | "ready" | "interrupted" | "refused";

export type GatewaySocketEvents = GatewayEvents & { link: GatewayLink };

export type ConnectGateway = (url: string, options: Partial<ManagerOptions & SocketOptions>) => Socket;

export interface GatewaySocketOptions {
  /** Origin of the gateway; empty for the page's own. */
  base?: string;
  credentials: () => GatewayCredentials;
  /** The language of captions, ISO 639-1. */
  language?: () => string | undefined;
  connect?: ConnectGateway;
  /** Milliseconds a request may take, waiting for the connection included. */
  timeout?: number;
  /** Milliseconds before the first new attempt; doubled after each. */
  reconnectDelay?: number;
  /** Says `online` when the machine has a network again; the window if absent. */
  network?: EventTarget;
}

/** What the rest of the client needs of it; tests bring their own. */
export type Gateway = Pick<GatewaySocket, "events" | "link" | "request" | "close">;

const REQUEST_TIMEOUT = 8_000;
/** 1, 2, 4, 8 s and then every 8 s. */
const FIRST_RECONNECT = 1_000;
const MAX_RECONNECT = 8_000;

interface Pending {
  sent: boolean;
  send: () => void;
  fail: (error: SignallingError) => void;
}

export class GatewaySocket {
  readonly events = new Emitter<GatewaySocketEvents>();
  readonly #options: GatewaySocketOptions;
  readonly #socket: Socket;
  readonly #pending = new Set<Pending>();
  readonly #network: EventTarget | undefined;
  #link: GatewayLink = "connecting";
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds the gateway asked to wait before the next attempt. */
  #patience = 0;
  #closed = false;

  constructor(options: GatewaySocketOptions) {
    this.#options = options;
    this.#network = options.network ?? (typeof window === "undefined" ? undefined : window);
    const connect: ConnectGateway = options.connect ?? ((url, settings) => io(url, settings));
    const base = options.base ?? "";
    this.#socket = connect(base === "" ? "/" : base, {
      // A function, so that every reconnection carries the credentials of that moment.
      auth: (send) => send({ ...options.credentials(), language: options.language?.() }),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelay: this.#reconnectDelay,
      reconnectionDelayMax: Math.max(MAX_RECONNECT, this.#reconnectDelay),
      randomizationFactor: 0.2,
      timeout: REQUEST_TIMEOUT,
      forceNew: true,
    });
    this.#listen();
    // A network that has just come back is worth trying at once.
    this.#network?.addEventListener("online", this.#hurry);
  }

  get #reconnectDelay(): number {
    return this.#options.reconnectDelay ?? FIRST_RECONNECT;
  }

  get link(): GatewayLink {
    return this.#link;
  }

  /** Sends an event and resolves with what it is acknowledged with. While the link is down it waits for it. */
  request<K extends GatewayRequestName>(name: K, payload: Payload<K>): Promise<Answer<K>> {
    if (this.#closed || this.#link === "refused")
      return Promise.reject(new SignallingError("aborted", "the connection is closed"));
    const timeout = this.#options.timeout ?? REQUEST_TIMEOUT;
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        sent: false,
        send: () => {
          pending.sent = true;
          this.#socket.emit(name, payload, (answer: CallAck<Answer<K>>) => {
            done();
            if (answer.success) resolve(answer.data ?? null);
            else reject(refusal(answer));
          });
        },
        fail: (error) => {
          done();
          reject(error);
        },
      };
      const timer = setTimeout(
        () => pending.fail(new SignallingError("timeout", `${name} was not answered in time`)),
        timeout,
      );
      const done = () => {
        clearTimeout(timer);
        this.#pending.delete(pending);
      };
      this.#pending.add(pending);
      if (this.#link === "ready") pending.send();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#network?.removeEventListener("online", this.#hurry);
    this.#abandon();
    this.#socket.disconnect();
    this.events.removeAll();
  }

  readonly #hurry = () => {
    if (this.#link === "refused" || this.#socket.connected) return;
    this.#socket.disconnect().connect();
  };

  #listen(): void {
    const socket = this.#socket;
    socket.on("disconnect", (reason) => {
      this.#become("interrupted");
      const lost = new SignallingError("network", "the connection was lost");
      // Whether these arrived nobody knows; what was not sent yet goes out later.
      for (const pending of [...this.#pending]) if (pending.sent) pending.fail(lost);
      // socket.io does not come back by itself when the server closed the connection on purpose.
      if (reason === "io server disconnect") this.#reconnectLater();
    });
    socket.on("connect_error", (error) => {
      if (this.#link !== "connecting") this.#become("interrupted");
      // An inactive socket was refused by the gateway, not lost on the way.
      if (socket.active) return;
      if (error.message === "UNAUTHORIZED") this.#refuse();
      else this.#reconnectLater();
    });
    for (const name of GATEWAY_EVENTS) {
      socket.on(name, (payload: unknown) => {
        if (this.#closed) return;
        if (name === "authenticated") this.#authenticated(payload as Authenticated);
        this.events.emit(name, payload as never);
      });
    }
  }

  #authenticated(answer: Authenticated): void {
    const { success, error } = answer;
    if (success) this.#ready();
    else if (error === undefined || error.code === "UNAUTHORIZED") this.#refuse();
    // It knows nobody just now, or has heard too much from this address: it closes, and may be asked again later.
    else this.#patience = (error.retryAfter ?? 0) * 1000;
  }

  #ready(): void {
    // Whoever listens speaks first: what waited may depend on a call having been rejoined.
    this.#become("ready");
    for (const pending of [...this.#pending]) if (!pending.sent) pending.send();
  }

  #refuse(): void {
    clearTimeout(this.#retry);
    this.#become("refused");
    this.#socket.disconnect();
    this.#abandon();
  }

  #abandon(): void {
    const error = new SignallingError("aborted", "the connection was closed");
    for (const pending of [...this.#pending]) pending.fail(error);
  }

  #reconnectLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#socket.connect(), Math.max(this.#reconnectDelay, this.#patience));
    this.#patience = 0;
  }

  #become(link: GatewayLink): void {
    // A refusal is final for this socket.
    if (this.#closed || this.#link === link || this.#link === "refused") return;
    this.#link = link;
    this.events.emit("link", link);
  }
}

function refusal({ error }: CallAck<unknown>): SignallingError {
  return new SignallingError("api", error?.message ?? "refused", {
    code: error?.code,
    retryAfter: error?.retryAfter === undefined ? undefined : error.retryAfter * 1000,
    about: error?.details,
  });
}
