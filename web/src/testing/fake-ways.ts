/** Connections in memory: the test says when they connect, carry something, or fail. */
import { Emitter } from "../emitter";
import type { Direct } from "../call/direct-way";
import type { Sfu, SfuWish } from "../call/sfu-way";
import type { P2pEvents, P2pOptions, P2pRemote, P2pState } from "../media/p2p";
import type { MediaStatus } from "../media/recovery";
import type { Incoming, SfuEvents } from "../media/sfu";
import type { Signal } from "../signalling/generated";
import type { Source } from "../signalling/wire";
import { fakeTrack } from "./tracks";

function receiver(kind: "audio" | "video", count: () => number): RTCRtpReceiver {
  const stats = () =>
    Promise.resolve(
      new Map([["in", { type: "inbound-rtp", kind, framesDecoded: count(), packetsReceived: count() }]]),
    );
  return { getStats: stats, getSynchronizationSources: () => [] } as unknown as RTCRtpReceiver;
}

export class FakeDirect implements Direct {
  readonly events = new Emitter<P2pEvents>();
  readonly options: P2pOptions;
  readonly negotiationId: string;
  readonly connection = {
    getStats: () => Promise.resolve(new Map()),
    getTransceivers: () => [],
  } as unknown as RTCPeerConnection;
  readonly signals: Signal[] = [];
  readonly tracks = new Map<Source, MediaStreamTrack | null>();
  readonly remotes: P2pRemote[];
  state: P2pState = "connecting";
  received = 0;
  receivesVideo = true;
  networkChanges = 0;
  closed = false;

  constructor(options: P2pOptions) {
    this.options = options;
    this.negotiationId = options.negotiationId;
    this.remotes = (["microphone", "camera", "screen"] as const).map((source) => {
      const kind = source === "microphone" ? "audio" : "video";
      return { source, track: fakeTrack(kind), receiver: receiver(kind, () => this.received) };
    });
  }

  start(): void {
    for (const remote of this.remotes) this.events.emit("remote", remote);
  }

  move(state: P2pState): void {
    this.state = state;
    this.events.emit("state", state);
  }

  /** Connects, and pictures and sound come in. */
  carry(): void {
    this.received = 10;
    this.move("connected");
  }

  setTrack(source: Source, track: MediaStreamTrack | null): void {
    this.tracks.set(source, track);
  }

  setReceiveVideo(wanted: boolean): void {
    this.receivesVideo = wanted;
  }

  handleSignal(signal: Signal): void {
    this.signals.push(signal);
  }

  handleNetworkChange(): void {
    this.networkChanges += 1;
  }

  setIceServers(): void {
    // Of no consequence here.
  }

  close(): void {
    this.closed = true;
    this.events.removeAll();
  }
}

export class FakeSfu implements Sfu {
  readonly events = new Emitter<SfuEvents>();
  readonly wish: SfuWish;
  readonly log: string[] = [];
  active: boolean;
  status: MediaStatus = "connecting";
  connected = false;
  struggling = false;
  sending = false;
  incoming: Incoming[] = [];
  closed = false;

  constructor(wish: SfuWish) {
    this.wish = wish;
    this.active = wish.active;
    this.sending = wish.active;
  }

  connect(): Promise<void> {
    this.log.push("connect");
    return Promise.resolve();
  }

  /** Both transports are up. */
  prove(protocol = "udp"): void {
    this.connected = true;
    this.status = "connected";
    this.events.emit("status", "connected");
    this.events.emit("proven", { protocol });
  }

  /** Somebody's source is received; `arrived` says whether anything has come. */
  receive(participantId: string, source: Source, state: { arrived: boolean; paused?: boolean }): void {
    const kind = source === "microphone" ? "audio" : "video";
    const remote = {
      producerId: `${participantId}-${source}`,
      participantId,
      kind,
      source,
      displayName: "",
    } as const;
    const track = fakeTrack(kind);
    this.incoming = this.incoming.filter(
      (each) => each.remote.participantId !== participantId || each.remote.source !== source,
    );
    this.incoming.push({
      remote,
      track,
      wanted: true,
      paused: state.paused ?? false,
      arrived: () => Promise.resolve(state.arrived),
    });
    this.events.emit("media-track", { remote, track, receiver: receiver(kind, () => 0) });
  }

  lose(): void {
    this.connected = false;
    this.events.emit("lost", { error: new Error("lost") });
  }

  activate(): void {
    this.log.push("activate");
    this.active = true;
    this.sending = true;
  }

  standBy(): void {
    this.log.push("standBy");
    this.active = false;
    this.sending = false;
  }

  setMicrophone(): void {
    this.log.push("microphone");
  }
  setCamera(): void {
    this.log.push("camera");
  }
  setScreen(): void {
    this.log.push("screen");
  }
  setMuted(muted: boolean): void {
    this.log.push(muted ? "muted" : "unmuted");
  }
  setReceiveVideo(wanted: boolean): void {
    this.log.push(wanted ? "pictures" : "no pictures");
  }
  noteFrame(key: string): void {
    this.log.push(`frame ${key}`);
  }
  stats() {
    return Promise.resolve({ transports: [], producers: [], consumers: [] });
  }
  forceTcp(): void {
    this.log.push("tcp");
  }
  resync(): Promise<void> {
    this.log.push("resync");
    return Promise.resolve();
  }
  close(): void {
    this.closed = true;
    this.events.removeAll();
  }
}
