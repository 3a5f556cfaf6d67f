/**
 * One participant's connection to one room of a media node: two transports, what it sends, what it receives.
 *
 * Knows mediasoup-client and the node's signalling; nothing about pages. It either carries the call or stands by:
 * standing by, both transports are connected for real and everything is produced and consumed, but paused and
 * without a packet, so that carrying the call is a matter of resuming. When the node has forgotten the participant
 * it says `lost`, and whoever holds it makes another one.
 */
import { Device, type types } from "mediasoup-client";
import { Emitter } from "../emitter";
import { meansRejoin } from "../signalling/errors";
import type { NodeRest } from "../signalling/rest";
import type {
  AppData,
  ConsumerPaused,
  MediaKind,
  NewProducer,
  PauseReason,
  ProducerClosed,
  ProducerSummary,
  Source,
  TransportDirection,
} from "../signalling/wire";
import { silentTrack } from "./audio-context";
import { ConsumerSlot, type RemoteProducer, sourceOf } from "./consumer-slot";
import { cameraPlan, type Engine, screenPlan, type VideoPreferences } from "./encodings";
import { ProducerSlot } from "./producer-slot";
import { type MediaStatus, PATIENCE, QUICK_PATIENCE, Recovery } from "./recovery";
import { collectStats, type SfuStats, transportProtocol } from "./stats";
import type { ViewBook } from "./views";

/** What the node tells about its rooms; the gateway passes it on. */
export interface RoomFeed {
  "new-producer": NewProducer;
  "producer-closed": ProducerClosed;
  "consumer-paused": ConsumerPaused;
  "consumer-resumed": ConsumerPaused;
}

/** The room as it was when the gateway handed it out. */
export interface RoomAtStart {
  rtpCapabilities: types.RtpCapabilities;
  producers: ProducerSummary[];
}

/** The key under which the page reports a picture's size and frames. */
export function mediaKey(participantId: string, source: Source): string {
  return `${participantId}:${source}`;
}

/** Milliseconds within which transports connect even from a slow machine over a slow network. */
const STRUGGLE_AFTER = 3_000;

export interface SfuOptions {
  rest: NodeRest;
  feed: Emitter<RoomFeed>;
  views: ViewBook;
  displayName: string;
  iceServers: RTCIceServer[];
  forceTcp: boolean;
  relayOnly: boolean;
  video: VideoPreferences;
  /** Carries the call from the start, or stands by. */
  active: boolean;
  /** For tests: a handler that needs no browser. */
  handlerFactory?: types.HandlerFactory;
}

export interface RemoteMedia extends RemoteProducer {
  paused: boolean;
  /** It was there before this participant came. */
  initial: boolean;
}

export interface SfuEvents {
  status: MediaStatus;
  "media-added": RemoteMedia;
  "media-track": { remote: RemoteProducer; track: MediaStreamTrack | null; receiver: RTCRtpReceiver | null };
  "media-flow": { remote: RemoteProducer; paused: boolean; reason: PauseReason };
  "media-removed": RemoteProducer;
  /** Both ways are connected. `protocol`: udp, tcp or relay. */
  proven: { protocol: string };
  /** Only another connection can help. */
  lost: { error: unknown };
}

/** What is received of one remote source, for whoever waits for it. */
export interface Incoming {
  remote: RemoteProducer;
  track: MediaStreamTrack | null;
  /** It is asked to flow: everybody's sound, and pictures on screen. */
  wanted: boolean;
  /** Its owner does not send at the moment, as far as the node says. */
  paused: boolean;
  arrived: () => Promise<boolean>;
}

export class SfuConnection {
  readonly events = new Emitter<SfuEvents>();
  readonly #options: SfuOptions;
  readonly #rest: NodeRest;
  readonly #slots: Record<Source, ProducerSlot>;
  readonly #remotes = new Map<string, ConsumerSlot>();
  readonly #paused = new Set<string>();
  readonly #recovery: Recovery;
  readonly #release: (() => void)[] = [];
  #loading: Promise<Device> | null = null;
  #device: Device | null = null;
  #send: types.Transport | null = null;
  #recv: types.Transport | null = null;
  #generation = 0;
  #synced = false;
  #active: boolean;
  #pictures = true;
  #status: MediaStatus = "connecting";
  #provenBy: string | null = null;
  /** Since when a transport tries to connect while none is connected; null when nothing is in the way. */
  #tryingSince: number | null = null;
  #closed = false;

  constructor(options: SfuOptions) {
    this.#options = options;
    this.#rest = options.rest;
    this.#active = options.active;
    this.#slots = {
      microphone: this.#slot("microphone"),
      camera: this.#slot("camera"),
      screen: this.#slot("screen"),
    };
    this.#recovery = new Recovery(
      {
        restartIce: (direction) => void this.#restartIce(direction),
        rebuild: () => void this.#rebuild(),
        rejoin: () => this.#lose(new Error("media could not be brought back")),
        status: (status) => {
          this.#status = status;
          this.events.emit("status", status);
        },
      },
      // Nobody looks at a way that only stands by: it may try the next thing sooner.
      options.active ? PATIENCE : QUICK_PATIENCE,
    );
    this.#listen();
  }

  get active(): boolean {
    return this.#active;
  }

  get status(): MediaStatus {
    return this.#status;
  }

  /** Both transports are connected. */
  get connected(): boolean {
    return this.#provenBy !== null && this.#status === "connected";
  }

  /**
   * Nothing has got through for long enough: something is in the way. One transport that is connected shows that the
   * other one will be, too, and one that has not begun is only waiting for a slow machine.
   */
  get struggling(): boolean {
    return this.#tryingSince !== null && performance.now() - this.#tryingSince > STRUGGLE_AFTER;
  }

  /** Everything this participant wants to send is on its way. */
  get sending(): boolean {
    return this.#active && Object.values(this.#slots).every((slot) => slot.flowing);
  }

  get incoming(): Incoming[] {
    return [...this.#remotes.values()].map((slot) => ({
      remote: slot.remote,
      track: slot.consumer?.track ?? null,
      wanted: this.#wanted(slot.remote),
      paused: this.#paused.has(slot.remote.producerId),
      arrived: () => slot.arrived(),
    }));
  }

  /** Resolves when both transports exist and everything present has been announced. */
  async connect(start: RoomAtStart): Promise<void> {
    this.#loading = this.#loadDevice(start.rtpCapabilities);
    this.#takeRoom(start.producers, new Set());
    await this.#createTransports(this.#options.forceTcp);
  }

  /** Carries the call from now on. */
  activate(): void {
    if (this.#active || this.#closed) return;
    this.#active = true;
    // First what comes in: the others may be sending already.
    for (const remote of this.#remotes.values()) this.#applyWish(remote);
    for (const slot of Object.values(this.#slots)) slot.want({ idle: false });
    // Whatever was missed while nobody looked.
    void this.resync();
  }

  /** Keeps everything, sends and receives nothing. */
  standBy(): void {
    if (!this.#active || this.#closed) return;
    this.#active = false;
    for (const slot of Object.values(this.#slots)) slot.want({ idle: true });
    for (const remote of this.#remotes.values()) this.#applyWish(remote);
  }

  /** Null sends silence, so that the transport is proven even without a microphone. */
  setMicrophone(track: MediaStreamTrack | null): void {
    this.#slots.microphone.want({ track: track ?? silentTrack() ?? null });
  }

  setMuted(muted: boolean): void {
    this.#slots.microphone.want({ paused: muted });
  }

  setCamera(track: MediaStreamTrack | null): void {
    this.#slots.camera.want({ track });
  }

  setScreen(track: MediaStreamTrack | null): void {
    this.#slots.screen.want({ track });
  }

  /** Whether pictures are received at all. */
  setReceiveVideo(wanted: boolean): void {
    if (this.#pictures === wanted) return;
    this.#pictures = wanted;
    for (const remote of this.#remotes.values()) this.#applyWish(remote);
  }

  noteFrame(key: string): void {
    this.#find(key)?.noteFrame();
  }

  async stats(): Promise<SfuStats> {
    return collectStats({
      send: this.#send,
      recv: this.#recv,
      producers: Object.values(this.#slots),
      consumers: [...this.#remotes.values()],
    });
  }

  /** Transports over TCP in place of those that do not connect. */
  forceTcp(): void {
    if (!this.#closed) void this.#rebuild();
  }

  /** Lets go of everything on this side; the gateway tells the node when a participant leaves. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#recovery.close();
    for (const release of this.#release) release();
    for (const slot of Object.values(this.#slots)) slot.close();
    for (const remote of this.#remotes.values()) remote.close();
    this.#send?.close();
    this.#recv?.close();
    this.#rest.close();
    this.events.removeAll();
  }

  /** After a break of the signalling: what happened meanwhile is read off the room's present state. */
  async resync(): Promise<void> {
    // What was made since the question was asked may be missing in the answer, and is not gone.
    const known = new Set(this.#remotes.keys());
    const mine = this.#slots.microphone.producer;
    try {
      const room = await this.#rest.room();
      if (this.#closed) return;
      if (mine !== null && !room.producers.some((summary) => summary.producerId === mine.id)) {
        this.#lose(new Error("the node has let this participant go"));
      } else {
        this.#takeRoom(room.producers, known);
        this.#nudge();
      }
    } catch (error) {
      this.#stale(error);
    }
  }

  #slot(source: Source): ProducerSlot {
    const slot = new ProducerSlot({
      source,
      displayName: this.#options.displayName,
      rest: this.#rest,
      plan: (track) => this.#plan(source, track),
      onStale: (error) => this.#stale(error),
    });
    slot.want({ idle: !this.#options.active });
    return slot;
  }

  #plan(source: Source, track: MediaStreamTrack) {
    if (source === "microphone" || this.#device === null) {
      return { codecOptions: { opusFec: true, opusDtx: true, opusNack: true } };
    }
    const capabilities = this.#device.sendRtpCapabilities;
    const { video } = this.#options;
    if (source === "screen") return screenPlan(capabilities, this.#engine(), video);
    return cameraPlan(capabilities, this.#engine(), video, track.getSettings().height);
  }

  #engine(): Engine {
    return this.#device?.handlerName.startsWith("Chrome") ? "chromium" : "other";
  }

  async #loadDevice(routerRtpCapabilities: types.RtpCapabilities): Promise<Device> {
    const { handlerFactory } = this.#options;
    const device = handlerFactory
      ? await loaded(new Device({ handlerFactory }), routerRtpCapabilities)
      : await sharedDevice(routerRtpCapabilities);
    this.#device = device;
    return device;
  }

  async #createTransports(forceTcp: boolean): Promise<void> {
    const generation = ++this.#generation;
    // The device is loaded while the node makes the transports; whichever is slower decides.
    const [send, recv, device] = await Promise.all([
      this.#rest.createTransport("send", forceTcp),
      this.#rest.createTransport("recv", forceTcp),
      this.#loading,
    ]);
    if (device === null || this.#closed || generation !== this.#generation) return;
    this.#send = this.#wire("send", device.createSendTransport(this.#transportOptions(send)));
    this.#recv = this.#wire("recv", device.createRecvTransport(this.#transportOptions(recv)));
    this.#send.on("produce", (request, resolve, reject) => {
      const { kind, rtpParameters } = request;
      const appData = request.appData as AppData;
      this.#rest
        .produce(send.transportId, { kind, rtpParameters, appData, paused: this.#startsPaused(appData) })
        .then((result) => resolve({ id: result.producerId }), reject);
    });
    this.#attach();
  }

  #transportOptions(info: Awaited<ReturnType<NodeRest["createTransport"]>>): types.TransportOptions {
    return {
      id: info.transportId,
      iceParameters: info.iceParameters,
      iceCandidates: info.iceCandidates,
      dtlsParameters: info.dtlsParameters,
      iceServers: this.#options.iceServers,
      iceTransportPolicy: this.#options.relayOnly ? "relay" : "all",
    };
  }

  #wire(direction: TransportDirection, transport: types.Transport): types.Transport {
    transport.on("connect", ({ dtlsParameters }, resolve, reject) => {
      this.#rest.connectTransport(transport.id, dtlsParameters).then(resolve, reject);
    });
    transport.on("connectionstatechange", (state) => {
      const current = direction === "send" ? this.#send : this.#recv;
      if (current !== transport && current !== null) return;
      this.#recovery.handleState(direction, state);
      void this.#checkProof();
    });
    return transport;
  }

  /** Somebody who enters muted is never heard for a moment. */
  #startsPaused(appData: AppData): boolean {
    return appData.source !== undefined && this.#slots[appData.source].beginPaused();
  }

  #attach(): void {
    if (this.#send === null || this.#recv === null || this.#device === null) return;
    for (const slot of Object.values(this.#slots)) slot.setTransport(this.#send);
    const side = { transport: this.#recv, rtpCapabilities: this.#device.recvRtpCapabilities };
    for (const remote of this.#remotes.values()) remote.setSide(side);
  }

  /** Both are connected, for the first time or anew. */
  async #checkProof(): Promise<void> {
    const [send, recv] = [this.#send, this.#recv];
    const states = [send?.connectionState, recv?.connectionState];
    const trying = states.some((state) => state !== undefined && state !== "new" && state !== "closed");
    if (states.includes("connected") || !trying) this.#tryingSince = null;
    else this.#tryingSince ??= performance.now();
    if (send?.connectionState !== "connected" || recv?.connectionState !== "connected") {
      this.#provenBy = null;
      return;
    }
    if (this.#provenBy !== null) return;
    this.#provenBy = "udp";
    const protocol = await transportProtocol(send);
    if (this.#closed || this.#send !== send || this.#recv !== recv) return;
    this.#provenBy = protocol;
    this.events.emit("proven", { protocol });
  }

  #listen(): void {
    const { feed, views } = this.#options;
    this.#release.push(
      feed.on("new-producer", (event) => this.#add(event, event.paused ?? false, !this.#synced)),
      feed.on("producer-closed", (event) => this.#remove(event.producerId)),
      feed.on("consumer-paused", (event) => this.#flow(event, true)),
      feed.on("consumer-resumed", (event) => this.#flow(event, false)),
      views.events.on("change", ({ key }) => {
        const slot = this.#find(key);
        if (slot !== undefined) this.#applyWish(slot);
      }),
    );
    const network = () => this.#recovery.handleNetworkChange();
    globalThis.addEventListener("online", network);
    this.#release.push(() => globalThis.removeEventListener("online", network));
  }

  /** `known` are those that the room would have named if they were still there. */
  #takeRoom(producers: ProducerSummary[], known: ReadonlySet<string>): void {
    for (const summary of producers) this.#add(summary, summary.paused, !this.#synced);
    const present = new Set(producers.map((summary) => summary.producerId));
    for (const producerId of known) {
      if (!present.has(producerId)) this.#remove(producerId);
    }
    this.#synced = true;
  }

  /** What was given up while the node could not be reached is tried again. */
  #nudge(): void {
    for (const slot of Object.values(this.#slots)) slot.want({});
    for (const remote of this.#remotes.values()) remote.retry();
  }

  #add(
    summary: { producerId: string; participantId: string; kind: MediaKind; appData?: AppData | null },
    paused: boolean,
    initial: boolean,
  ): void {
    // The replay after joining overlaps with the room's list and with live events.
    if (summary.participantId === this.#rest.participantId || this.#remotes.has(summary.producerId)) return;
    const remote: RemoteProducer = {
      producerId: summary.producerId,
      participantId: summary.participantId,
      kind: summary.kind,
      source: sourceOf(summary.kind, summary.appData ?? undefined),
      displayName: summary.appData?.displayName ?? "",
    };
    const slot = this.#consumerSlot(remote);
    this.#remotes.set(remote.producerId, slot);
    if (paused) this.#paused.add(remote.producerId);
    this.events.emit("media-added", { ...remote, paused, initial });
    this.#applyWish(slot);
    if (this.#recv !== null && this.#device !== null) {
      slot.setSide({ transport: this.#recv, rtpCapabilities: this.#device.recvRtpCapabilities });
    }
  }

  #consumerSlot(remote: RemoteProducer): ConsumerSlot {
    const { producerId } = remote;
    const slot: ConsumerSlot = new ConsumerSlot({
      remote,
      rest: this.#rest,
      onTrack: (track) => {
        const receiver = slot.consumer?.rtpReceiver ?? null;
        this.events.emit("media-track", { remote, track, receiver });
      },
      onProducerPaused: (paused) => this.#told(producerId, paused, "producer"),
      onGone: () => this.#remove(producerId),
      onStale: (error) => this.#stale(error),
    });
    return slot;
  }

  #remove(producerId: string): void {
    const slot = this.#remotes.get(producerId);
    if (slot === undefined) return;
    this.#remotes.delete(producerId);
    this.#paused.delete(producerId);
    slot.close();
    this.events.emit("media-removed", slot.remote);
  }

  #flow(event: ConsumerPaused, paused: boolean): void {
    const { producerId, reason } = event;
    // Our own pauses come back as events; they say nothing about the other side.
    if (reason === "client") return;
    this.#remotes.get(producerId)?.hearOfFlow();
    this.#told(producerId, paused, reason);
  }

  #told(producerId: string, paused: boolean, reason: PauseReason): void {
    const slot = this.#remotes.get(producerId);
    if (slot === undefined) return;
    if (reason === "producer" && paused) this.#paused.add(producerId);
    else if (reason === "producer") this.#paused.delete(producerId);
    this.events.emit("media-flow", { remote: slot.remote, paused, reason });
  }

  #find(key: string): ConsumerSlot | undefined {
    return [...this.#remotes.values()].find(
      ({ remote }) => mediaKey(remote.participantId, remote.source) === key,
    );
  }

  #wanted(remote: RemoteProducer): boolean {
    if (!this.#active) return false;
    if (remote.kind === "audio") return true;
    const key = mediaKey(remote.participantId, remote.source);
    return this.#pictures && this.#options.views.size(key) !== null;
  }

  #applyWish(slot: ConsumerSlot): void {
    const { participantId, source, kind } = slot.remote;
    const size = this.#options.views.size(mediaKey(participantId, source));
    if (kind === "video" && size !== null) slot.showAt(size.height);
    slot.want(this.#wanted(slot.remote), !this.#active);
  }

  async #restartIce(direction: TransportDirection): Promise<void> {
    const transport = direction === "send" ? this.#send : this.#recv;
    if (transport === null || transport.closed || transport.connectionState === "new") return;
    try {
      const iceParameters = await this.#rest.restartIce(transport.id);
      await transport.restartIce({ iceParameters });
    } catch (error) {
      if (meansRejoin(error)) this.#stale(error);
      else this.#recovery.handleStepFailed("restarting");
    }
  }

  async #rebuild(): Promise<void> {
    this.#detach();
    try {
      await this.#createTransports(true);
    } catch (error) {
      if (meansRejoin(error)) this.#stale(error);
      else this.#recovery.handleStepFailed("rebuilding");
    }
  }

  #detach(): void {
    for (const slot of Object.values(this.#slots)) slot.setTransport(null);
    for (const remote of this.#remotes.values()) remote.setSide(null);
    const [send, recv] = [this.#send, this.#recv];
    this.#send = null;
    this.#recv = null;
    this.#provenBy = null;
    this.#tryingSince = null;
    send?.close();
    recv?.close();
  }

  /** An answer that shows the node has another idea of us. */
  #stale(error: unknown): void {
    if (meansRejoin(error)) this.#lose(error);
  }

  #lose(error: unknown): void {
    if (!this.#closed) this.events.emit("lost", { error });
  }
}

/** What this browser can do with a router of these capabilities does not change while the page lives. */
const devices = new Map<string, Promise<Device>>();

/** Finding it out takes the browser two connections; so the next call to such a router finds it known. */
function sharedDevice(routerRtpCapabilities: types.RtpCapabilities): Promise<Device> {
  const key = JSON.stringify(routerRtpCapabilities);
  const known = devices.get(key);
  if (known !== undefined) return known;
  const device = Device.factory().then((made) => loaded(made, routerRtpCapabilities));
  devices.set(key, device);
  // A failure may be of the moment; the next call tries again.
  device.catch(() => devices.delete(key));
  return device;
}

async function loaded(device: Device, routerRtpCapabilities: types.RtpCapabilities): Promise<Device> {
  await device.load({ routerRtpCapabilities });
  return device;
}
