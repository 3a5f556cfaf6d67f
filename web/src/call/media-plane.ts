/**
 * The media of one call, whichever way it goes: the direct way, the one through a node, the change between them, and
 * which track stands for whom meanwhile.
 */
import { Emitter } from "../emitter";
import { receivedCount } from "../media/arrival";
import { GAP_WINDOWS, GapMeter, type SwitchGapReport } from "../media/gap-meter";
import type { P2pDiagnosis } from "../media/p2p";
import type { MediaStatus } from "../media/recovery";
import { mediaKey, type SfuEvents } from "../media/sfu";
import type { ViewBook } from "../media/views";
import type {
  JoinDto,
  MediaServerConfig,
  Mode,
  ModeSwitch,
  ModeSwitched,
  Signal,
  SignalEvent,
} from "../signalling/generated";
import type { Source } from "../signalling/wire";
import { DirectWay, type DirectPath, type OpenDirect } from "./direct-way";
import { type Carried, MediaBoard } from "./media-board";
import {
  BEFORE_ENTERING,
  type Order,
  stepSwitcher,
  type SwitcherEffect,
  type SwitcherInput,
  type SwitcherState,
} from "./mode-switcher";
import type { OwnMedia } from "./own-media";
import type { Flags } from "./preferences";
import { type OpenSfu, type SfuProofResult, SfuWay, type SfuWayPath } from "./sfu-way";
import type { Participant, SfuPath, Switching } from "./state";

export interface PlaneEvents {
  mode: Mode;
  switching: Switching | null;
  "sfu-path": SfuPath;
  /** Of the way that carries the call. */
  status: MediaStatus;
  media: { id: string; source: Source; carried: Carried | null };
  flow: { id: string; source: Source; paused?: boolean; held?: boolean };
  acknowledge: { transitionId: string; success: boolean; error: string | null };
  proof: SfuProofResult;
  gap: SwitchGapReport;
  diagnosis: P2pDiagnosis & { transport: string };
  /** The first time after entering that media is up, without a switch to acknowledge. */
  connected: undefined;
  /** How things stand has to be asked of the gateway. */
  "ask-anew": undefined;
  /** The node has lost this participant; a fresh way to it is needed. */
  "sfu-lost": undefined;
}

export interface PlaneOptions {
  selfId: string;
  own: OwnMedia;
  views: ViewBook;
  flags: Flags;
  openDirect: OpenDirect;
  openSfu: OpenSfu;
  send: (peerId: string, signal: Signal) => void;
  /** Everybody else, as the roster has it. */
  others: () => readonly Participant[];
  now?: () => number;
}

/** Milliseconds between looks at whether the new way carries everything. */
const LOOK_EVERY = 40;
/** What somebody says is on but does not send holds up a switch no longer than this. */
const SOFT_PATIENCE = 1_500;
/**
 * The way left behind goes on for a moment: tiles change over when the new picture flows on the screen, which is a
 * little after its first frame was decoded (`media/picture.ts`), and what has just ended at the node needs no word from
 * here any more.
 */
const LINGER = 1_000;
/** Between looks at whether transports that came late connect after all. */
const HALF_TIME_AGAIN = 500;
/** Room for the last look of the sound tap. */
const AFTERMATH = GAP_WINDOWS.after + 400;

/** What is missing before a switch can be acknowledged. */
type Readiness = "ready" | "waiting" | "soft";

export class MediaPlane {
  readonly events = new Emitter<PlaneEvents>();
  readonly meter = new GapMeter();
  readonly #options: PlaneOptions;
  readonly #now: () => number;
  readonly #direct: DirectWay;
  readonly #node: SfuWay;
  readonly #board: MediaBoard;
  #switcher: SwitcherState = BEFORE_ENTERING;
  #ordered: MediaServerConfig | null = null;
  #peering: { peerId: string; role: "initiator" | "receiver" } | null = null;
  #iceServers: RTCIceServer[] = [];
  /** Those who were there when a switch began. */
  #expected = new Set<string>();
  #softSince: number | null = null;
  #looking: ReturnType<typeof setTimeout> | undefined;
  #halfTime: ReturnType<typeof setTimeout> | undefined;
  #lingering: { timer: ReturnType<typeof setTimeout>; release: () => void } | null = null;
  #told = false;
  #status: MediaStatus = "connecting";
  #closed = false;

  constructor(options: PlaneOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#board = new MediaBoard((id, source, carried) => this.events.emit("media", { id, source, carried }));
    this.#direct = new DirectWay({
      open: options.openDirect,
      own: options.own,
      template: () => ({
        iceServers: this.#iceServers,
        relayOnly: options.flags.relay,
        codec: options.flags.codec,
      }),
      send: options.send,
      welcomes: () => this.#switcher.mode === "p2p" && this.#switcher.current?.to !== "p2p",
    });
    this.#node = new SfuWay({
      open: options.openSfu,
      own: options.own,
      forceTcp: options.flags.forceTcp,
      relayOnly: options.flags.relay,
      hasRelay: () =>
        this.#iceServers.some(({ urls }) => [urls].flat().some((url) => url.startsWith("turn"))),
    });
    this.#listenDirect();
    this.#listenNode();
  }

  get mode(): Mode {
    return this.#switcher.mode;
  }

  get direct(): DirectPath | null {
    return this.#direct.current;
  }

  get node(): SfuWayPath | null {
    return this.#node.path;
  }

  get status(): MediaStatus {
    return this.#status;
  }

  /** Entered the call, or came back to it: `dto` is how things stand. */
  enter(dto: Pick<JoinDto, "mode" | "transition" | "mediaServerConfig" | "iceServers">, back: boolean): void {
    this.#endLinger();
    this.setIceServers(dto.iceServers);
    if (!back) this.#told = false;
    const { transition } = dto;
    this.#ordered = dto.mediaServerConfig ?? null;
    const before = this.#switcher.mode;
    this.#input({
      type: "entered",
      mode: dto.mode,
      back,
      now: Date.now(),
      transition: transition
        ? {
            id: transition.transitionId,
            to: transition.newMode,
            deadline: Date.parse(transition.switchDeadline),
          }
        : null,
    });
    if (this.#switcher.current === null) this.#stand(dto.mediaServerConfig ?? null, back, before);
    else if (this.#switcher.mode === "p2p" && this.#switcher.current.from !== null) this.#meetPresent(back);
    if (back) void this.#node.path?.sfu.resync();
    this.events.emit("mode", this.#switcher.mode);
  }

  /** Somebody came, or came back with nothing in their hands. */
  participantJoined(id: string): void {
    this.#endLinger();
    if (this.#switcher.mode !== "p2p" || this.#switcher.current?.to === "p2p") return;
    const current = this.#direct.current;
    // The third: the gateway is about to order the switch.
    if (current !== null && current.peerId !== id && this.#isPresent(current.peerId)) return;
    this.#aim(this.#direct.connect({ peerId: id, role: "initiator", negotiationId: id }).name);
  }

  participantLeft(id: string): void {
    this.meter.forget(id);
    if (this.#direct.current?.peerId === id) this.#direct.drop();
  }

  handleSignal(event: SignalEvent): void {
    this.#direct.handleSignal(event);
  }

  /** The way through the node, to be proven while the call is direct. */
  offerNode(config: MediaServerConfig | null): void {
    if (config === null && this.#switcher.mode === "sfu") return;
    this.#node.offer(config);
  }

  order(event: ModeSwitch): void {
    if (event.iceServers !== undefined) this.setIceServers(event.iceServers);
    this.#ordered = event.mediaServerConfig ?? null;
    if (event.newMode === "p2p" && event.peerParticipantId !== undefined) {
      const role = event.role ?? (event.initiator === true ? "initiator" : "receiver");
      this.#peering = { peerId: event.peerParticipantId, role };
    }
    const deadline = Date.parse(event.switchDeadline);
    const order: Order = { id: event.transitionId, from: event.oldMode, to: event.newMode, deadline };
    this.#input({ type: "ordered", order, now: Date.now() });
  }

  decide(event: ModeSwitched): void {
    this.#input({
      type: "decided",
      id: event.transitionId,
      success: event.success,
      mode: event.mode,
      error: event.error ?? null,
      retryAt: event.retryAt === undefined ? null : Date.parse(event.retryAt),
    });
    this.events.emit("mode", this.#switcher.mode);
  }

  /** The connection to the node was lost for good; here is another way to it. */
  renewNode(config: MediaServerConfig): void {
    this.#node.renew(config);
  }

  setIceServers(iceServers: RTCIceServer[]): void {
    this.#iceServers = iceServers;
    this.#direct.setIceServers(iceServers);
  }

  setNodeToken(token: string): void {
    this.#node.setToken(token);
  }

  handleNetworkChange(): void {
    this.#direct.handleNetworkChange();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#looking);
    clearTimeout(this.#halfTime);
    clearTimeout(this.#lingering?.timer);
    this.#input({ type: "left" });
    this.#direct.close();
    this.#node.close();
    this.#board.clear();
    this.events.removeAll();
  }

  #isPresent(id: string): boolean {
    return this.#present().some((participant) => participant.id === id);
  }

  #present(): Participant[] {
    return this.#options.others().filter(({ presence }) => presence !== "left");
  }

  /** No switch is under way: be where the call is. */
  #stand(config: MediaServerConfig | null, back: boolean, before: Mode): void {
    if (this.#switcher.mode === "p2p") {
      if (back && before === "sfu") this.#node.standBy();
      this.#meetPresent(back);
      if (config !== null) this.#node.offer(config);
    } else {
      this.#node.use(config);
      if (this.#node.path !== null) this.#aim(this.#node.path.name);
      this.#direct.drop();
    }
    this.#publish();
  }

  /** Who comes waits for the offer of the one who is there; who comes back keeps what holds. */
  #meetPresent(back: boolean): void {
    const [peer, ...more] = this.#present();
    if (peer === undefined || more.length > 0) return;
    const current = this.#direct.current;
    if (current?.peerId === peer.id && back && current.direct.state !== "failed") return;
    const { selfId } = this.#options;
    this.#aim(this.#direct.connect({ peerId: peer.id, role: "receiver", negotiationId: selfId }).name);
  }

  #aim(name: string): void {
    this.#board.aim(name);
  }

  #input(input: SwitcherInput): void {
    const before = this.#switcher.mode;
    const { state, effects } = stepSwitcher(this.#switcher, input);
    this.#switcher = state;
    for (const effect of effects) this.#perform(effect);
    if (state.mode !== before && !this.#closed) this.events.emit("mode", state.mode);
  }

  #perform(effect: SwitcherEffect): void {
    switch (effect.type) {
      case "build":
        this.#build(effect.order);
        break;
      case "build-over-tcp":
        this.#node.useTcp();
        break;
      case "acknowledge":
        if (effect.success) this.meter.acked(effect.id, this.#now());
        this.events.emit("acknowledge", {
          transitionId: effect.id,
          success: effect.success,
          error: effect.error,
        });
        break;
      case "watch-half-time":
        this.#watchHalfTime(effect.id, effect.at);
        break;
      case "settle":
        this.#settle(effect);
        break;
      case "go-back":
        this.#goBack(effect);
        break;
      case "ask-anew":
        this.events.emit("ask-anew", undefined);
        break;
      case "show":
        this.events.emit("switching", effect.switching);
        break;
    }
  }

  #build(order: Order): void {
    this.#endLinger();
    const here = this.#present().filter(({ presence }) => presence === "here");
    this.#expected = new Set(here.map(({ id }) => id));
    this.#softSince = null;
    if (order.from !== null) {
      const transition = { id: order.id, from: order.from, to: order.to };
      this.meter.begin(transition, [...this.#expected], this.#now());
    }
    if (order.to === "sfu") this.#buildNode();
    else this.#buildDirect(order);
    this.#look(order.id);
  }

  #buildNode(): void {
    this.#node.use(this.#ordered);
    const path = this.#node.path;
    if (path === null) return;
    this.#aim(path.name);
    for (const { remote, paused } of path.sfu.incoming)
      this.events.emit("flow", { id: remote.participantId, source: remote.source, paused, held: false });
  }

  #buildDirect(order: Order): void {
    if (this.#peering === null) return;
    const path = this.#direct.prepare({ ...this.#peering, negotiationId: order.id });
    this.#aim(path.name);
  }

  #watchHalfTime(id: string, at: number): void {
    clearTimeout(this.#halfTime);
    this.#halfTime = setTimeout(
      () => {
        const sfu = this.#node.path?.sfu;
        // A slow machine that has only just got that far gains nothing from beginning anew.
        if (sfu !== undefined && !sfu.connected && !sfu.struggling)
          this.#watchHalfTime(id, Date.now() + HALF_TIME_AGAIN);
        else this.#input({ type: "half-time", id, connected: sfu?.connected ?? false });
      },
      Math.max(0, at - Date.now()),
    );
  }

  #settle({ id, to }: Extract<SwitcherEffect, { type: "settle" }>): void {
    this.#endLook();
    if (to === "sfu") {
      this.#linger(() => this.#direct.drop());
    } else {
      this.#direct.adopt();
      this.#linger(() => this.#node.standBy());
      for (const { id: who, source } of this.#heldBack()) {
        this.events.emit("flow", { id: who, source, paused: false, held: false });
      }
    }
    this.meter.ended(id, this.#now());
    setTimeout(() => this.#report(id), AFTERMATH);
    this.#publish();
  }

  #goBack({ id, to, abandoned }: Extract<SwitcherEffect, { type: "go-back" }>): void {
    this.#endLook();
    this.meter.cancel(id);
    if (abandoned === "sfu" && to === "p2p") {
      const name = this.#direct.current?.name;
      if (name !== undefined) this.#aim(name);
      this.#linger(() => this.#node.standBy());
    } else if (abandoned === "p2p") {
      const name = this.#node.path?.name;
      if (name !== undefined) this.#aim(name);
      this.#direct.abandon();
    }
    this.#publish();
  }

  #linger(release: () => void): void {
    this.#endLinger();
    const timer = setTimeout(() => this.#endLinger(), LINGER);
    this.#lingering = { timer, release };
  }

  #endLinger(): void {
    const lingering = this.#lingering;
    this.#lingering = null;
    clearTimeout(lingering?.timer);
    lingering?.release();
  }

  #heldBack(): { id: string; source: Source }[] {
    return this.#options
      .others()
      .flatMap(({ id, media }) =>
        Object.entries(media).flatMap(([source, track]) =>
          track.held || track.paused ? [{ id, source: source as Source }] : [],
        ),
      );
  }

  #report(id: string): void {
    if (this.#closed) return;
    for (const gap of this.meter.collect(id, this.#now())) this.events.emit("gap", gap);
  }

  #endLook(): void {
    clearTimeout(this.#looking);
    clearTimeout(this.#halfTime);
  }

  /** Looks until the new way carries everything, then says so. */
  #look(id: string): void {
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => void this.#lookOnce(id), LOOK_EVERY);
  }

  #isBuilding(id: string): boolean {
    return this.#switcher.current?.id === id && !this.#closed;
  }

  async #lookOnce(id: string): Promise<void> {
    const { current } = this.#switcher;
    if (current === null || !this.#isBuilding(id)) return;
    const readiness = await (current.to === "sfu" ? this.#nodeReady() : this.#directReady());
    if (!this.#isBuilding(id)) return;
    if (readiness === "soft") this.#softSince ??= this.#now();
    else this.#softSince = null;
    const waited = this.#softSince !== null && this.#now() - this.#softSince > SOFT_PATIENCE;
    if (readiness === "ready" || waited) this.#input({ type: "works", id });
    else this.#look(id);
  }

  async #nodeReady(): Promise<Readiness> {
    const sfu = this.#node.path?.sfu;
    if (!sfu?.connected) return "waiting";
    const { incoming } = sfu;
    const states = await Promise.all(
      this.#awaited().map(async ({ id, source }): Promise<Readiness> => {
        const found = incoming.find(({ remote }) => remote.participantId === id && remote.source === source);
        if (found === undefined) return "soft";
        if (!found.wanted || (await found.arrived())) return "ready";
        return found.paused ? "soft" : "waiting";
      }),
    );
    // A camera that is slow to open must not hold up everybody.
    return worst(sfu.sending ? states : [...states, "soft"]);
  }

  async #directReady(): Promise<Readiness> {
    const next = this.#direct.next;
    if (next?.direct.state !== "connected") return "waiting";
    const awaited = this.#awaited().filter(({ id }) => id === next.peerId);
    const states = await Promise.all(
      awaited.map(async ({ source }): Promise<Readiness> => {
        const remote = next.direct.remotes.find((each) => each.source === source);
        if (remote === undefined) return "soft";
        const kind = source === "microphone" ? "audio" : "video";
        return (await receivedCount(() => remote.receiver.getStats(), kind)) > 0 ? "ready" : "soft";
      }),
    );
    return worst(states);
  }

  /** What those who were there at the beginning say they send, and what is on the screen here. */
  #awaited(): { id: string; source: Source }[] {
    return this.#present()
      .filter(({ id }) => this.#expected.has(id))
      .flatMap(({ id, audioOn, videoOn, screenOn }) => {
        const shown = (source: Source) => this.#options.views.size(mediaKey(id, source)) !== null;
        const sources: Source[] = [];
        if (audioOn) sources.push("microphone");
        if (videoOn && shown("camera")) sources.push("camera");
        if (screenOn && shown("screen")) sources.push("screen");
        return sources.map((source) => ({ id, source }));
      });
  }

  #listenDirect(): void {
    const { events } = this.#direct;
    events.on("remote", ({ path, remote: { source, track, receiver } }) =>
      this.#board.put(path.name, path.peerId, source, { track, receiver }),
    );
    events.on("dropped", ({ path }) => this.#board.drop(path.name));
    events.on("state", ({ path, state }) => {
      if (path === this.#direct.next && state === "failed") {
        const id = this.#switcher.current?.id;
        if (id !== undefined && this.#switcher.current?.to === "p2p")
          this.#input({ type: "fails", id, error: "the direct connection failed" });
      }
      // Built anew because the old one broke.
      if (path === this.#direct.current && this.#switcher.mode === "p2p" && this.#switcher.current === null)
        this.#aim(path.name);
      this.#publish();
    });
    events.on("diagnosis", (diagnosis) => this.events.emit("diagnosis", { ...diagnosis, transport: "p2p" }));
  }

  #listenNode(): void {
    const { events } = this.#node;
    events.on("path", (path) => this.events.emit("sfu-path", path));
    events.on("proof", (proof) => this.events.emit("proof", proof));
    events.on("status", () => this.#publish());
    events.on("opened", ({ path }) => this.#follow(path));
    events.on("dropped", ({ path }) => this.#board.drop(path.name));
    events.on("lost", ({ error }) => this.#nodeLost(error));
  }

  #follow(path: SfuWayPath): void {
    const { events } = path.sfu;
    const active = () => this.#node.path === path && path.sfu.active;
    if (this.#switcher.mode === "sfu" || this.#switcher.current?.to === "sfu") this.#aim(path.name);
    // Before its track: a picture is received only once there is a tile to show it in.
    events.on("media-added", ({ participantId: id, source, paused }) => {
      if (active()) this.events.emit("flow", { id, source, paused, held: false });
    });
    events.on("media-track", ({ remote, track, receiver }) => {
      const carried = track === null ? null : { track, receiver };
      this.#board.put(path.name, remote.participantId, remote.source, carried);
    });
    events.on("media-removed", ({ participantId, source }) =>
      this.#board.put(path.name, participantId, source, null),
    );
    events.on("media-flow", ({ remote, paused, reason }: SfuEvents["media-flow"]) => {
      if (!active()) return;
      const { participantId: id, source } = remote;
      const held = reason === "bandwidth" || reason === "server-load";
      this.events.emit("flow", held ? { id, source, held: paused } : { id, source, paused });
    });
    events.on("proven", () => this.#publish());
  }

  #nodeLost(error: string): void {
    const { current, mode } = this.#switcher;
    if (current?.to === "sfu") this.#input({ type: "fails", id: current.id, error });
    else if (mode === "sfu") this.events.emit("sfu-lost", undefined);
    this.#publish();
  }

  /** How the way that carries the call is; and, the first time, that it is. */
  #publish(): void {
    if (this.#closed) return;
    const status = this.#currentStatus();
    if (status !== this.#status) {
      this.#status = status;
      this.events.emit("status", status);
    }
    if (status !== "connected" || this.#told || this.#switcher.current !== null) return;
    this.#told = true;
    this.events.emit("connected", undefined);
  }

  #currentStatus(): MediaStatus {
    if (this.#switcher.mode === "sfu") return this.#node.path?.sfu.status ?? "reconnecting";
    const state = this.#direct.current?.direct.state;
    if (state === "connected" || state === "connecting") return state;
    if (state === undefined) return this.#present().length === 0 ? "connected" : "connecting";
    return "reconnecting";
  }
}

function worst(states: Readiness[]): Readiness {
  if (states.includes("waiting")) return "waiting";
  return states.includes("soft") ? "soft" : "ready";
}
