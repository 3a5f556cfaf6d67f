/** `RTCPeerConnection` in memory, as far as a direct connection uses it; the test moves its states. */
import { fakeTrack } from "./tracks";

export class FakeTransceiver {
  direction: RTCRtpTransceiverDirection = "sendrecv";
  readonly stopped = false;
  readonly sender: {
    track: MediaStreamTrack | null;
    streams: unknown[];
    replaceTrack: (track: MediaStreamTrack | null) => Promise<void>;
    setStreams: (...streams: unknown[]) => void;
    getParameters: () => { encodings: Record<string, unknown>[] };
    setParameters: (parameters: { encodings: Record<string, unknown>[] }) => Promise<void>;
  };
  readonly receiver: { track: MediaStreamTrack; getStats: () => Promise<Map<string, unknown>> };
  readonly kind: string;
  parameters: { encodings: Record<string, unknown>[] } = { encodings: [{}] };

  constructor(kind: string) {
    this.kind = kind;
    const sender: FakeTransceiver["sender"] = {
      track: null,
      streams: [],
      replaceTrack: (track) => {
        sender.track = track;
        return Promise.resolve();
      },
      setStreams: (...streams) => {
        sender.streams = streams;
      },
      getParameters: () => structuredClone(this.parameters),
      setParameters: (parameters) => {
        this.parameters = parameters;
        return Promise.resolve();
      },
    };
    this.sender = sender;
    this.receiver = {
      track: fakeTrack(kind === "audio" ? "audio" : "video"),
      getStats: () => Promise.resolve(new Map()),
    };
  }
}

let offers = 0;

export class FakePeer {
  readonly configuration: RTCConfiguration;
  readonly transceivers: FakeTransceiver[] = [];
  readonly candidates: unknown[] = [];
  readonly log: string[] = [];
  localDescription: { type: string; sdp: string } | null = null;
  remoteDescription: { type: string; sdp: string } | null = null;
  signalingState = "stable";
  iceGatheringState = "complete";
  iceConnectionState = "new";
  connectionState = "new";
  restarts = 0;
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;

  constructor(configuration: RTCConfiguration) {
    this.configuration = configuration;
  }

  asPeer(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }

  addTransceiver(kind: string, init?: { streams?: unknown[] }): FakeTransceiver {
    const transceiver = new FakeTransceiver(kind);
    transceiver.sender.streams = init?.streams ?? [];
    this.transceivers.push(transceiver);
    return transceiver;
  }

  createOffer(): Promise<{ type: string; sdp: string }> {
    offers += 1;
    return Promise.resolve({ type: "offer", sdp: `offer-${offers}` });
  }

  createAnswer(): Promise<{ type: string; sdp: string }> {
    return Promise.resolve({ type: "answer", sdp: `answer-to-${this.remoteDescription?.sdp ?? ""}` });
  }

  setLocalDescription(description: { type: string; sdp: string }): Promise<void> {
    this.log.push(`local ${description.type}`);
    this.localDescription = description;
    this.signalingState = description.type === "offer" ? "have-local-offer" : "stable";
    return Promise.resolve();
  }

  setRemoteDescription(description: { type: string; sdp: string }): Promise<void> {
    this.log.push(`remote ${description.type}`);
    this.remoteDescription = description;
    if (description.type === "offer") {
      this.signalingState = "have-remote-offer";
      while (this.transceivers.length < 3)
        this.addTransceiver(this.transceivers.length === 0 ? "audio" : "video");
    } else {
      this.signalingState = "stable";
    }
    return Promise.resolve();
  }

  addIceCandidate(candidate: unknown): Promise<void> {
    if (this.remoteDescription === null) return Promise.reject(new Error("no remote description"));
    this.candidates.push(candidate);
    return Promise.resolve();
  }

  restartIce(): void {
    this.restarts += 1;
  }

  getConfiguration(): RTCConfiguration {
    return this.configuration;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    Object.assign(this.configuration, configuration);
  }

  getStats(): Promise<Map<string, unknown>> {
    return Promise.resolve(new Map<string, unknown>());
  }

  move(state: string): void {
    this.connectionState = state;
    this.iceConnectionState = state;
    this.onconnectionstatechange?.();
  }

  close(): void {
    this.connectionState = "closed";
    this.signalingState = "closed";
  }
}
