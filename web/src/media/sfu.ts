/**
 * One participant's connection to one call on the media node: two transports, what it sends, what it receives.
 *
 * Knows mediasoup-client and the node's signalling; nothing about pages. Lives as long as one lobby ticket: when
 * the node has forgotten the participant it says `lost`, and whoever holds it joins anew with another ticket.
 */
import { Device, type types } from "mediasoup-client";
import { Emitter } from "../emitter";
import { meansRejoin } from "../signalling/errors";
import type { NodeRest } from "../signalling/rest";
import type { NodeSocket, SocketLink } from "../signalling/socket";
import type {
  AppData,
  ConsumerPaused,
  MediaKind,
  PauseReason,
  RoomInfo,
  Source,
  TransportDirection,
} from "../signalling/wire";
import { silentTrack } from "./audio-context";
import { ConsumerSlot, type RemoteProducer, sourceOf } from "./consumer-slot";
import { cameraPlan, type Engine, screenPlan, type VideoPreferences } from "./encodings";
import { ProducerSlot } from "./producer-slot";
import { type MediaStatus, Recovery } from "./recovery";
import { collectStats, type SfuStats } from "./stats";
import type { ViewBook } from "./views";

/** A socket that comes back within this is not worth a word to the user. */
const SOCKET_PATIENCE = 2_500;

export interface SfuOptions {
  rest: NodeRest;
  socket: NodeSocket;
  views: ViewBook;
  displayName: string;
  iceServers: RTCIceServer[];
  forceTcp: boolean;
  video: VideoPreferences;
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
  "media-flow": { producerId: string; paused: boolean; reason: PauseReason };
  "media-removed": { producerId: string };
  "active-speaker": { participantId: string | null };
  /** Everything the node knows of has been announced; what is not in the list no longer exists. */
  synced: { producerIds: string[] };
  /** Only a new join can help. */
  lost: { error: unknown };
}

export class SfuConnection {
  readonly events = new Emitter<SfuEvents>();
  readonly #options: SfuOptions;
  readonly #rest: NodeRest;
  readonly #slots: Record<Source, ProducerSlot>;
  readonly #remotes = new Map<string, ConsumerSlot>();
  readonly #recovery: Recovery;
  readonly #release: (() => void)[] = [];
  #loading: Promise<Device> | null = null;
  #device: Device | null = null;
  #send: types.Transport | null = null;
  #recv: types.Transport | null = null;
  #generation = 0;
  #synced = false;
  #mediaStatus: MediaStatus = "connecting";
  #socketDown = false;
  #socketTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: SfuOptions) {
    this.#options = options;
    this.#rest = options.rest;
    this.#slots = {
      microphone: this.#slot("microphone"),
      camera: this.#slot("camera"),
      screen: this.#slot("screen"),
    };
    this.#recovery = new Recovery({
      restartIce: (direction) => void this.#restartIce(direction),
      rebuild: () => void this.#rebuild(),
      rejoin: () => this.#lose(new Error("media could not be brought back")),
      status: (status) => {
        this.#mediaStatus = status;
        this.#publishStatus();
      },
    });
    this.#listen();
  }

  /** Resolves when both transports exist and everything present has been announced. */
  async join(): Promise<void> {
    const room = this.#rest.room();
    this.#loading = this.#loadDevice(room);
    const [present] = await Promise.all([room, this.#createTransports(this.#options.forceTcp)]);
    if (!this.#closed) this.#takeRoom(present);
  }

  /** Null sends silence, so that the participant stays visible to the others. */
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

  noteFrame(producerId: string): void {
    this.#remotes.get(producerId)?.noteFrame();
  }

  async stats(): Promise<SfuStats> {
    return collectStats({
      send: this.#send,
      recv: this.#recv,
      producers: Object.values(this.#slots),
      consumers: [...this.#remotes.values()],
    });
  }

  /** Says goodbye to the node and lets go of everything. */
  async leave(): Promise<void> {
    const farewell = this.#rest.leave();
    this.close();
    await farewell;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#socketTimer);
    this.#recovery.close();
    for (const release of this.#release) release();
    for (const slot of Object.values(this.#slots)) slot.close();
    for (const remote of this.#remotes.values()) remote.close();
    this.#send?.close();
    this.#recv?.close();
    this.#options.socket.close();
    this.#rest.close();
    this.events.removeAll();
  }

  #slot(source: Source): ProducerSlot {
    return new ProducerSlot({
      source,
      displayName: this.#options.displayName,
      rest: this.#rest,
      plan: (track) => this.#plan(source, track),
      onStale: (error) => this.#stale(error),
    });
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

  async #loadDevice(room: Promise<RoomInfo>): Promise<Device> {
    const { handlerFactory } = this.#options;
    const device = handlerFactory ? new Device({ handlerFactory }) : await Device.factory();
    await device.load({ routerRtpCapabilities: (await room).rtpCapabilities });
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
    };
  }

  #wire(direction: TransportDirection, transport: types.Transport): types.Transport {
    transport.on("connect", ({ dtlsParameters }, resolve, reject) => {
      this.#rest.connectTransport(transport.id, dtlsParameters).then(resolve, reject);
    });
    transport.on("connectionstatechange", (state) => {
      const current = direction === "send" ? this.#send : this.#recv;
      if (current === transport || current === null) this.#recovery.handleState(direction, state);
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

  #listen(): void {
    const { socket, views } = this.#options;
    this.#release.push(
      socket.events.on("new-producer", (event) => this.#add(event, event.paused ?? false, !this.#synced)),
      socket.events.on("producer-closed", (event) => this.#remove(event.producerId)),
      socket.events.on("consumer-paused", (event) => this.#flow(event, true)),
      socket.events.on("consumer-resumed", (event) => this.#flow(event, false)),
      socket.events.on("active-speaker", ({ participantId }) =>
        this.events.emit("active-speaker", { participantId }),
      ),
      socket.events.on("link", (link) => this.#socketLink(link)),
      views.events.on("change", ({ producerId }) => this.#applyView(producerId)),
    );
    const network = () => this.#recovery.handleNetworkChange();
    globalThis.addEventListener("online", network);
    this.#release.push(() => globalThis.removeEventListener("online", network));
  }

  #socketLink(link: SocketLink): void {
    clearTimeout(this.#socketTimer);
    if (link === "interrupted") {
      this.#socketTimer = setTimeout(() => this.#setSocketDown(true), SOCKET_PATIENCE);
    } else if (link === "joined") {
      this.#setSocketDown(false);
      if (this.#synced) void this.#resync();
    }
  }

  #setSocketDown(down: boolean): void {
    this.#socketDown = down;
    this.#publishStatus();
  }

  /** Media may flow while the node's events do not arrive; that is half a call and said so. */
  #publishStatus(): void {
    const connected = this.#mediaStatus === "connected";
    this.events.emit("status", connected && this.#socketDown ? "reconnecting" : this.#mediaStatus);
  }

  #takeRoom(room: RoomInfo): void {
    for (const summary of room.producers) this.#add(summary, summary.paused, !this.#synced);
    const present = new Set(room.producers.map((summary) => summary.producerId));
    for (const producerId of [...this.#remotes.keys()]) {
      if (this.#synced && !present.has(producerId)) this.#remove(producerId);
    }
    this.#synced = true;
    this.events.emit("synced", { producerIds: [...this.#remotes.keys()] });
  }

  /** After a break of the socket: what happened meanwhile is read off the room's present state. */
  async #resync(): Promise<void> {
    try {
      const room = await this.#rest.room();
      if (this.#closed) return;
      const own = room.producers.filter((summary) => summary.participantId === this.#rest.participantId);
      const mine = this.#slots.microphone.producer;
      if (mine !== null && !own.some((summary) => summary.producerId === mine.id)) {
        this.#lose(new Error("the node has let this participant go"));
      } else {
        this.#takeRoom(room);
        this.#nudge();
      }
    } catch (error) {
      this.#stale(error);
    }
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
    this.events.emit("media-added", { ...remote, paused, initial });
    this.#applyView(remote.producerId);
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
      onProducerPaused: (paused) =>
        this.events.emit("media-flow", { producerId, paused, reason: "producer" }),
      onGone: () => this.#remove(producerId),
      onStale: (error) => this.#stale(error),
    });
    return slot;
  }

  #remove(producerId: string): void {
    const slot = this.#remotes.get(producerId);
    if (slot === undefined) return;
    this.#remotes.delete(producerId);
    slot.close();
    this.events.emit("media-removed", { producerId });
  }

  #flow(event: ConsumerPaused, paused: boolean): void {
    const { producerId, reason } = event;
    // Our own pauses come back as events; they say nothing about the other side.
    if (reason !== "client") this.events.emit("media-flow", { producerId, paused, reason });
  }

  #applyView(producerId: string): void {
    const slot = this.#remotes.get(producerId);
    if (slot === undefined) return;
    const size = this.#options.views.size(producerId);
    if (size !== null) slot.showAt(size.height);
    slot.wantFlow(size !== null);
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
