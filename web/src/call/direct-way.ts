/**
 * The direct way of a call: the connection to the one other person, the one being built beside it during a switch,
 * and the signals that arrive for either, also before they exist.
 */
import { Emitter } from "../emitter";
import type { P2pConnection, P2pDiagnosis, P2pOptions, P2pRemote, P2pState } from "../media/p2p";
import type { Signal, SignalEvent } from "../signalling/generated";
import type { OwnMedia } from "./own-media";

export type Direct = Pick<
  P2pConnection,
  | "events"
  | "negotiationId"
  | "state"
  | "connection"
  | "remotes"
  | "start"
  | "setTrack"
  | "setReceiveVideo"
  | "handleSignal"
  | "handleNetworkChange"
  | "setIceServers"
  | "close"
>;

export type OpenDirect = (options: P2pOptions) => Direct;

export interface Peering {
  peerId: string;
  role: "initiator" | "receiver";
  negotiationId: string;
}

/** A connection with what belongs to it. */
export interface DirectPath extends Peering {
  name: string;
  direct: Direct;
  release: () => void;
}

export interface DirectEvents {
  state: { path: DirectPath; state: P2pState };
  remote: { path: DirectPath; remote: P2pRemote };
  dropped: { path: DirectPath };
  diagnosis: P2pDiagnosis;
}

export interface DirectWayOptions {
  open: OpenDirect;
  own: OwnMedia;
  template: () => Pick<P2pOptions, "iceServers" | "relayOnly" | "codec">;
  send: (peerId: string, signal: Signal) => void;
  /** Whether an offer of a negotiation nobody announced is welcome: the call is direct, or about to be. */
  welcomes: (peerId: string) => boolean;
}

/** Signals kept for a connection that is yet to be made. */
const INBOX = 64;
const RETIRED = 32;
/** Between attempts to connect anew, the last one again and again. */
const REBUILD_DELAYS = [500, 1_000, 2_000, 4_000, 8_000] as const;

export class DirectWay {
  readonly events = new Emitter<DirectEvents>();
  readonly #options: DirectWayOptions;
  /** Carries the call, or will. */
  #current: DirectPath | null = null;
  /** Built beside the node's way during a switch, or beside a broken connection. */
  #next: DirectPath | null = null;
  #inbox: SignalEvent[] = [];
  #retired: string[] = [];
  #made = 0;
  #rebuilt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: DirectWayOptions) {
    this.#options = options;
  }

  get current(): DirectPath | null {
    return this.#current;
  }

  get next(): DirectPath | null {
    return this.#next;
  }

  /** Connects to this person; whatever there was before is let go of. */
  connect(peering: Peering): DirectPath {
    this.drop();
    this.#current = this.#make(peering);
    return this.#current;
  }

  /** Connects beside what there is; `adopt` makes it the one. */
  prepare(peering: Peering): DirectPath {
    this.#let(this.#next);
    this.#next = this.#make(peering);
    return this.#next;
  }

  adopt(): void {
    if (this.#next === null) return;
    const old = this.#current;
    this.#current = this.#next;
    this.#next = null;
    this.#let(old);
  }

  abandon(): void {
    this.#let(this.#next);
    this.#next = null;
  }

  /** Lets go of every connection. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#let(this.#current);
    this.#let(this.#next);
    this.#current = null;
    this.#next = null;
    this.#rebuilt = 0;
  }

  close(): void {
    this.drop();
    this.#inbox = [];
    this.events.removeAll();
  }

  handleSignal(event: SignalEvent): void {
    const { signal, fromParticipantId } = event;
    const { negotiationId } = signal;
    if (negotiationId !== undefined && this.#retired.includes(negotiationId)) return;
    const path = this.#pathOf(event);
    if (path !== null) path.direct.handleSignal(signal);
    else if (signal.type === "offer" && this.#options.welcomes(fromParticipantId)) this.#invited(event);
    else this.#inbox = [...this.#inbox, event].slice(-INBOX);
  }

  handleNetworkChange(): void {
    this.#current?.direct.handleNetworkChange();
    this.#next?.direct.handleNetworkChange();
  }

  setIceServers(iceServers: RTCIceServer[]): void {
    this.#current?.direct.setIceServers(iceServers);
  }

  #pathOf({ signal, fromParticipantId }: SignalEvent): DirectPath | null {
    for (const path of [this.#next, this.#current]) {
      if (path?.peerId !== fromParticipantId) continue;
      // Other clients may leave the name of the negotiation out.
      if (signal.negotiationId === undefined || signal.negotiationId === path.negotiationId) return path;
    }
    return null;
  }

  /** The other side builds anew: what there is stays until the new connection carries something. */
  #invited(event: SignalEvent): void {
    const peerId = event.fromParticipantId;
    const negotiationId = event.signal.negotiationId ?? peerId;
    const peering: Peering = { peerId, role: "receiver", negotiationId };
    const path = this.#current === null ? this.connect(peering) : this.prepare(peering);
    path.direct.handleSignal(event.signal);
  }

  #make(peering: Peering): DirectPath {
    const { open, own, template, send } = this.#options;
    this.#made += 1;
    const direct = open({
      ...template(),
      role: peering.role,
      negotiationId: peering.negotiationId,
      send: (signal) => send(peering.peerId, signal),
    });
    const detach = own.attach({
      setTrack: (source, track) => direct.setTrack(source, track),
      // The track itself is silenced.
      setMuted: () => undefined,
      setReceiveVideo: (wanted) => direct.setReceiveVideo(wanted),
    });
    const path: DirectPath = { ...peering, name: `p2p:${this.#made}`, direct, release: detach };
    direct.events.on("remote", (remote) => this.events.emit("remote", { path, remote }));
    direct.events.on("state", (state) => this.#moved(path, state));
    direct.events.on("diagnosis", (diagnosis) => this.events.emit("diagnosis", diagnosis));
    direct.start();
    this.#deliver(path);
    return path;
  }

  #deliver(path: DirectPath): void {
    const mine = (event: SignalEvent) =>
      event.fromParticipantId === path.peerId &&
      (event.signal.negotiationId ?? path.negotiationId) === path.negotiationId;
    const waiting = this.#inbox.filter(mine);
    this.#inbox = this.#inbox.filter((event) => !mine(event));
    for (const event of waiting) path.direct.handleSignal(event.signal);
  }

  #moved(path: DirectPath, state: P2pState): void {
    if (state === "connected") this.#rebuilt = 0;
    // One that was built because the old one broke takes its place as soon as it works.
    if (state === "connected" && path === this.#next && this.#options.welcomes(path.peerId)) this.adopt();
    if (path !== this.#current && path !== this.#next) return;
    this.events.emit("state", { path, state });
    if (state === "failed" && this.#options.welcomes(path.peerId)) this.#rebuildLater(path);
  }

  /** Who offered offers again, under a new name; the other one waits for it. */
  #rebuildLater(path: DirectPath): void {
    if (path.role !== "initiator") return;
    clearTimeout(this.#timer);
    const delay = REBUILD_DELAYS[Math.min(this.#rebuilt, REBUILD_DELAYS.length - 1)];
    this.#rebuilt += 1;
    this.#timer = setTimeout(() => {
      if (path !== this.#current && path !== this.#next) return;
      const [base = ""] = path.negotiationId.split("~");
      const negotiationId = `${base}~${this.#made}`;
      this.prepare({ peerId: path.peerId, role: "initiator", negotiationId });
    }, delay);
  }

  #let(path: DirectPath | null): void {
    if (path === null) return;
    this.#retired = [...this.#retired, path.negotiationId].slice(-RETIRED);
    path.release();
    path.direct.close();
    this.events.emit("dropped", { path });
  }
}
