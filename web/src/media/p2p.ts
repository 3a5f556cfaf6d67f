/**
 * A direct connection to one other participant: microphone, camera and screen in three fixed transceivers, so that
 * nothing is negotiated anew when somebody turns something on or off.
 *
 * Knows `RTCPeerConnection` and nothing of pages or the gateway. Who was there first offers; the newcomer answers and
 * yields when two offers cross. Lives for one negotiation: what belongs to another one is ignored.
 */
import { Emitter } from "../emitter";
import type { Signal } from "../signalling/generated";
import type { Source } from "../signalling/wire";
import { limitSender, preferCodec } from "./p2p-senders";
import type { CodecName } from "./encodings";

export type P2pState = "connecting" | "connected" | "reconnecting" | "failed" | "closed";

export interface P2pRemote {
  source: Source;
  track: MediaStreamTrack;
  receiver: RTCRtpReceiver;
}

/** What went wrong, without addresses. */
export interface P2pDiagnosis {
  iceState: string;
  candidateTypes: string[];
  error: string;
}

export interface P2pEvents {
  state: P2pState;
  remote: P2pRemote;
  diagnosis: P2pDiagnosis;
}

export interface P2pOptions {
  negotiationId: string;
  role: "initiator" | "receiver";
  iceServers: RTCIceServer[];
  relayOnly: boolean;
  codec: CodecName | undefined;
  send: (signal: Signal) => void;
  /** For tests. */
  create?: (configuration: RTCConfiguration) => RTCPeerConnection;
}

/** The order of transceivers is the contract between both sides: it tells which is which. */
export const SOURCES = ["microphone", "camera", "screen"] as const satisfies readonly Source[];

export const P2P_PATIENCE = {
  /** Candidates found within this go along with the description instead of one by one. */
  gather: 40,
  /** An offer that nobody answers is repeated once, then given up. */
  answer: 15_000,
  /** ICE often recovers from a short gap by itself. */
  disconnected: 2_000,
  /** How long ICE restarts are tried. */
  restart: 10_000,
  /** Who waits for an offer waits for its repetition, too. */
  offer: 32_000,
  /** From both descriptions to the connection. */
  connect: 15_000,
} as const;

type Timer = ReturnType<typeof setTimeout>;

export class P2pConnection {
  readonly events = new Emitter<P2pEvents>();
  readonly negotiationId: string;
  readonly #options: P2pOptions;
  readonly #connection: RTCPeerConnection;
  readonly #tracks: Partial<Record<Source, MediaStreamTrack | null>> = {};
  readonly #queue: (RTCIceCandidateInit | null)[] = [];
  readonly #candidateTypes = new Set<string>();
  readonly #timers = new Map<"answer" | "gap" | "window" | "connect", Timer>();
  #state: P2pState = "connecting";
  #repeated = false;
  /** Candidates are held back until the description they belong to has gone out. */
  #described = false;
  #remoteSdp = "";
  #everConnected = false;
  #receiveVideo = true;
  #person: MediaStream | null = null;
  #screen: MediaStream | null = null;
  /** Signals are worked off one after the other, in the order in which they came. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: P2pOptions) {
    this.#options = options;
    this.negotiationId = options.negotiationId;
    const create = options.create ?? ((configuration) => new RTCPeerConnection(configuration));
    this.#connection = create({
      iceServers: options.iceServers,
      iceTransportPolicy: options.relayOnly ? "relay" : "all",
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
      // Everything is bundled: one transport needs gathering ahead of time. Ten, as older notes say, would open ten
      // times the sockets and relay allocations for nothing.
      iceCandidatePoolSize: 1,
    });
    this.#listen();
  }

  get state(): P2pState {
    return this.#state;
  }

  get connection(): RTCPeerConnection {
    return this.#connection;
  }

  /** What comes in, as far as it is negotiated. */
  get remotes(): P2pRemote[] {
    return this.#connection.getTransceivers().flatMap((transceiver, index) => {
      const source = SOURCES[index];
      if (source === undefined) return [];
      return [{ source, track: transceiver.receiver.track, receiver: transceiver.receiver }];
    });
  }

  /** Offers, or waits for the offer. */
  start(): void {
    if (this.#options.role === "receiver") {
      this.#arm("connect", P2P_PATIENCE.offer, () => this.#fail("TIMEOUT"));
      return;
    }
    for (const source of SOURCES) {
      const transceiver = this.#connection.addTransceiver(source === "microphone" ? "audio" : "video", {
        direction: "sendrecv",
        streams: [this.#streamOf(source)],
      });
      preferCodec(transceiver, this.#options.codec);
    }
    this.#applyTracks();
    this.#announce();
    void this.#enqueue(() => this.#offer());
  }

  /** Null sends nothing; the transceiver stays. */
  setTrack(source: Source, track: MediaStreamTrack | null): void {
    this.#tracks[source] = track;
    const transceiver = this.#connection.getTransceivers()[SOURCES.indexOf(source)];
    if (transceiver !== undefined && this.#state !== "closed") void this.#replace(transceiver, track, source);
  }

  /** Whether pictures are to be received at all. Negotiated anew: it is the other side that stops sending. */
  setReceiveVideo(wanted: boolean): void {
    if (this.#receiveVideo === wanted) return;
    this.#receiveVideo = wanted;
    if (this.#connection.remoteDescription === null || this.#state === "closed") return;
    this.#applyDirections();
    void this.#enqueue(() => this.#offer());
  }

  handleSignal(signal: Signal): void {
    if (signal.negotiationId !== undefined && signal.negotiationId !== this.negotiationId) return;
    void this.#enqueue(() => this.#take(signal));
  }

  /** The machine has a network again, or another one. */
  handleNetworkChange(): void {
    if (this.#everConnected && (this.#state === "connected" || this.#state === "reconnecting"))
      this.#restart();
  }

  setIceServers(iceServers: RTCIceServer[]): void {
    if (this.#state === "closed") return;
    try {
      this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
    } catch {
      // Some browsers refuse changes to a running connection; the old credentials serve until it ends.
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#clearTimers();
    this.#state = "closed";
    this.events.removeAll();
    const connection = this.#connection;
    connection.onicecandidate = null;
    connection.onconnectionstatechange = null;
    connection.oniceconnectionstatechange = null;
    connection.close();
  }

  #listen(): void {
    const connection = this.#connection;
    connection.onicecandidate = ({ candidate }) => this.#found(candidate);
    connection.onconnectionstatechange = () => this.#moved(connection.connectionState);
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#state === "closed" || this.#state === "failed") return;
      try {
        await step();
      } catch (error) {
        this.#diagnose(error instanceof Error ? `${error.name}: ${error.message}` : "negotiation failed");
      }
    });
    return this.#work;
  }

  async #offer(): Promise<void> {
    // A crossing offer is being worked off; what this one was for is negotiated with it or offered again.
    if (this.#connection.signalingState !== "stable") return;
    this.#described = false;
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    await this.#describe();
    this.#repeated = false;
    this.#awaitAnswer();
  }

  /** Sends the local description with the candidates found meanwhile. */
  async #describe(): Promise<void> {
    await this.#gathered();
    const description = this.#connection.localDescription;
    if (description === null || this.#isClosed()) return;
    this.#described = true;
    const type = description.type === "answer" ? "answer" : "offer";
    this.#send({ type, sdp: description.sdp });
    if (this.#connection.iceGatheringState === "complete") this.#send({ type: "ice-candidate" });
  }

  #gathered(): Promise<void> {
    if (this.#connection.iceGatheringState === "complete") return Promise.resolve();
    return new Promise((resolve) => setTimeout(resolve, P2P_PATIENCE.gather));
  }

  #awaitAnswer(): void {
    this.#arm("answer", P2P_PATIENCE.answer, () => {
      if (this.#connection.signalingState !== "have-local-offer") return;
      if (this.#repeated) {
        this.#fail("TIMEOUT");
        return;
      }
      this.#repeated = true;
      const sdp = this.#connection.localDescription?.sdp;
      if (sdp !== undefined) this.#send({ type: "offer", sdp });
      this.#awaitAnswer();
    });
  }

  async #take(signal: Signal): Promise<void> {
    if (signal.type === "ice-candidate") await this.#candidate(signal.candidate ?? null);
    else if (signal.sdp !== undefined) await this.#description({ type: signal.type, sdp: signal.sdp });
  }

  async #description(description: { type: "offer" | "answer"; sdp: string }): Promise<void> {
    const connection = this.#connection;
    const collides = description.type === "offer" && connection.signalingState !== "stable";
    // The newcomer takes its own offer back by taking the other one; who was there first passes the other one over.
    if (collides && this.#options.role === "initiator") return;
    if (description.type === "answer" && connection.signalingState !== "have-local-offer") return;
    if (description.type === "offer" && description.sdp === this.#remoteSdp) {
      // The same offer again: the answer got lost, or is on its way.
      if (connection.localDescription?.type === "answer")
        this.#send({ type: "answer", sdp: connection.localDescription.sdp });
      return;
    }
    await connection.setRemoteDescription(description);
    this.#remoteSdp = description.sdp;
    this.#clear("answer");
    if (!this.#everConnected)
      this.#arm("connect", P2P_PATIENCE.connect, () => this.#fail("no connection in time"));
    await this.#drainCandidates();
    // Limits stick only once the senders are negotiated.
    if (description.type === "answer") this.#applyTracks();
    if (description.type === "offer") await this.#answer();
  }

  async #answer(): Promise<void> {
    const connection = this.#connection;
    this.#applyDirections();
    this.#applyTracks();
    this.#described = false;
    await connection.setLocalDescription(await connection.createAnswer());
    this.#announce();
    await this.#describe();
  }

  /** Voice and face share a stream and are kept in step; a screen must not wait for either. */
  #streamOf(source: Source): MediaStream {
    if (source === "screen") return (this.#screen ??= new MediaStream());
    return (this.#person ??= new MediaStream());
  }

  #applyDirections(): void {
    this.#connection.getTransceivers().forEach((transceiver, index) => {
      const source = SOURCES[index];
      if (source === undefined) return;
      transceiver.sender.setStreams(this.#streamOf(source));
      const receives = index === 0 || this.#receiveVideo;
      transceiver.direction = receives ? "sendrecv" : "sendonly";
    });
  }

  #applyTracks(): void {
    this.#connection.getTransceivers().forEach((transceiver, index) => {
      const source = SOURCES[index];
      if (source !== undefined) void this.#replace(transceiver, this.#tracks[source] ?? null, source);
    });
  }

  async #replace(
    transceiver: RTCRtpTransceiver,
    track: MediaStreamTrack | null,
    source: Source,
  ): Promise<void> {
    try {
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
      await limitSender(transceiver.sender, source);
    } catch {
      // The connection is being closed, or the sender not negotiated yet: then it is done with the description.
    }
  }

  #announce(): void {
    for (const remote of this.remotes) this.events.emit("remote", remote);
  }

  async #candidate(candidate: RTCIceCandidateInit | null): Promise<void> {
    if (this.#connection.remoteDescription === null) this.#queue.push(candidate);
    else await this.#addCandidate(candidate);
  }

  async #drainCandidates(): Promise<void> {
    for (const candidate of this.#queue.splice(0)) await this.#addCandidate(candidate);
  }

  async #addCandidate(candidate: RTCIceCandidateInit | null): Promise<void> {
    try {
      // The end of candidates may come as null, as nothing, or as an empty line.
      await this.#connection.addIceCandidate(candidate ?? undefined);
    } catch {
      // Of an offer that was passed over, or of a kind this browser does not know: one path less.
    }
  }

  #found(candidate: RTCIceCandidate | null): void {
    if (candidate === null) {
      if (this.#described) this.#send({ type: "ice-candidate" });
      return;
    }
    if (candidate.type !== null) this.#candidateTypes.add(candidate.type);
    // Until the description has gone out, it carries them itself. Two browsers never accept TCP from each other.
    if (!this.#described || candidate.candidate === "" || candidate.tcpType === "active") return;
    this.#send({ type: "ice-candidate", candidate: candidate.toJSON() });
  }

  #send(signal: Signal): void {
    if (!this.#isClosed()) this.#options.send({ ...signal, negotiationId: this.negotiationId });
  }

  #moved(state: RTCPeerConnectionState): void {
    switch (state) {
      case "connected":
        this.#everConnected = true;
        for (const timer of ["connect", "gap", "window"] as const) this.#clear(timer);
        this.#become("connected");
        break;
      case "disconnected":
        if (this.#everConnected) this.#arm("gap", P2P_PATIENCE.disconnected, () => this.#restart());
        break;
      case "failed":
        this.#diagnose("the connection failed");
        if (this.#everConnected) this.#restart();
        else this.#fail("ICE failed");
        break;
      default:
        break;
    }
  }

  /** New ICE over the same connection; both ends may begin, the newcomer yields. */
  #restart(): void {
    this.#clear("gap");
    this.#become("reconnecting");
    if (!this.#timers.has("window")) this.#arm("window", P2P_PATIENCE.restart, () => this.#windowOver());
    void this.#enqueue(async () => {
      this.#connection.restartIce();
      await this.#offer();
    });
  }

  #windowOver(): void {
    // A restart that finds the old path alive never leaves "connected".
    if (this.#connection.connectionState === "connected") this.#become("connected");
    else this.#fail("not connected again in time");
  }

  #fail(error: string): void {
    if (this.#state === "failed" || this.#state === "closed") return;
    this.#diagnose(error);
    this.#clearTimers();
    this.#become("failed");
  }

  #diagnose(error: string): void {
    this.events.emit("diagnosis", {
      iceState: this.#connection.iceConnectionState,
      candidateTypes: [...this.#candidateTypes],
      error: withoutAddresses(error),
    });
  }

  #become(state: P2pState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.events.emit("state", state);
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #arm(name: "answer" | "gap" | "window" | "connect", delay: number, action: () => void): void {
    this.#clear(name);
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      action();
    }, delay);
    this.#timers.set(name, timer);
  }

  #clear(name: "answer" | "gap" | "window" | "connect"): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** Browsers put candidates and parts of descriptions into messages; addresses stay with the user. */
export function withoutAddresses(text: string): string {
  return text
    .replace(/\b\d{1,3}(\.\d{1,3}){3}\b/g, "…")
    .replace(/\b[0-9a-f]{0,4}(:[0-9a-f]{0,4}){3,7}\b/gi, "…")
    .replace(/\b[0-9a-f-]{36}\.local\b/gi, "…")
    .slice(0, 200);
}
