/** A plain, serialisable picture of what is sent and received, for the debug surface and for tests. */
import type { types } from "mediasoup-client";
import type { MediaKind, Source, TransportDirection } from "../signalling/wire";
import type { ConsumerSlot } from "./consumer-slot";
import type { ProducerSlot } from "./producer-slot";

export interface TransportStats {
  direction: TransportDirection;
  transportId: string;
  connectionState: types.ConnectionState;
  /** Transport protocol of the selected candidate pair. */
  protocol: string | null;
  /** Milliseconds. */
  roundTripTime: number | null;
  /** Bit/s the browser's congestion control allows; send side only. */
  availableOutgoingBitrate: number | null;
}

export interface LayerStats {
  rid: string | null;
  frameWidth: number | null;
  frameHeight: number | null;
  framesEncoded: number;
  packetsSent: number;
  bytesSent: number;
  scalabilityMode: string | null;
}

export interface ProducerStats {
  producerId: string;
  source: Source;
  kind: MediaKind;
  codec: string;
  paused: boolean;
  layers: LayerStats[];
}

export interface ConsumerStats {
  consumerId: string;
  producerId: string;
  participantId: string;
  displayName: string;
  source: Source;
  kind: MediaKind;
  codec: string;
  framesDecoded: number;
  keyFramesDecoded: number;
  frameWidth: number | null;
  frameHeight: number | null;
  totalAudioEnergy: number;
  packetsReceived: number;
  packetsLost: number;
  bytesReceived: number;
  jitter: number | null;
  freezeCount: number;
  /** Milliseconds from resume to the first decoded picture; null before it and for audio. */
  firstFrameMs: number | null;
  protocol: string | null;
}

export interface SfuStats {
  transports: TransportStats[];
  producers: ProducerStats[];
  consumers: ConsumerStats[];
}

/** One thing sent over a direct connection. */
export interface DirectSenderStats extends LayerStats {
  source: Source;
  kind: MediaKind;
}

export interface DirectReceiverStats {
  source: Source;
  kind: MediaKind;
  framesDecoded: number;
  frameWidth: number | null;
  frameHeight: number | null;
  totalAudioEnergy: number;
  packetsReceived: number;
  packetsLost: number;
  bytesReceived: number;
  freezeCount: number;
}

export interface DirectStats {
  peerId: string;
  role: "initiator" | "receiver";
  connectionState: RTCPeerConnectionState;
  /** Of the selected candidate pair: `host`, `srflx`, `prflx` or `relay`. */
  localCandidateType: string | null;
  remoteCandidateType: string | null;
  protocol: string | null;
  /** UDP and TCP ports of the selected pair; addresses are left out. */
  localPort: number | null;
  remotePort: number | null;
  /** Milliseconds. */
  roundTripTime: number | null;
  senders: DirectSenderStats[];
  receivers: DirectReceiverStats[];
}

interface Sides {
  send: types.Transport | null;
  recv: types.Transport | null;
  producers: ProducerSlot[];
  consumers: ConsumerSlot[];
}

type Entry = Record<string, unknown> & { type?: string; id?: string };

export async function collectStats(sides: Sides): Promise<SfuStats> {
  const [send, recv] = await Promise.all([transportStats(sides.send), transportStats(sides.recv)]);
  const [producers, consumers] = await Promise.all([
    Promise.all(sides.producers.map(producerStats)),
    Promise.all(sides.consumers.map((slot) => consumerStats(slot, recv?.protocol ?? null))),
  ]);
  return {
    transports: [send, recv].filter((stats) => stats !== null),
    producers: producers.filter((stats) => stats !== null),
    consumers: consumers.filter((stats) => stats !== null),
  };
}

async function entries(source: { getStats: () => Promise<RTCStatsReport> }): Promise<Entry[]> {
  const found: Entry[] = [];
  try {
    (await source.getStats()).forEach((entry: Entry) => found.push(entry));
  } catch {
    // Closed while we asked; there is nothing to tell then.
  }
  return found;
}

async function transportStats(transport: types.Transport | null): Promise<TransportStats | null> {
  if (transport === null || transport.closed) return null;
  const found = await entries(transport);
  const pair = selectedPair(found);
  const local = found.find((entry) => entry.id === pair?.localCandidateId);
  const roundTrip = number(pair?.currentRoundTripTime);
  return {
    direction: transport.direction,
    transportId: transport.id,
    connectionState: transport.connectionState,
    protocol: text(local?.protocol),
    roundTripTime: roundTrip === null ? null : roundTrip * 1000,
    availableOutgoingBitrate: number(pair?.availableOutgoingBitrate),
  };
}

/** What a direct connection carries; which is which is told by the order of its transceivers. */
export async function directStats(
  connection: RTCPeerConnection,
  peerId: string,
  role: DirectStats["role"],
): Promise<DirectStats> {
  const found = await entries(connection);
  const pair = selectedPair(found);
  const candidate = (id: unknown) => found.find((entry) => entry.id === id);
  const [local, remote] = [candidate(pair?.localCandidateId), candidate(pair?.remoteCandidateId)];
  const mids = connection.getTransceivers().map(({ mid }) => mid);
  const sourceOf = (entry: Entry): Source =>
    SOURCES_IN_ORDER[mids.indexOf(text(entry.mid))] ?? (entry.kind === "audio" ? "microphone" : "camera");
  const kindOf = (entry: Entry): MediaKind => (entry.kind === "audio" ? "audio" : "video");
  const roundTrip = number(pair?.currentRoundTripTime);
  return {
    peerId,
    role,
    connectionState: connection.connectionState,
    localCandidateType: text(local?.candidateType),
    remoteCandidateType: text(remote?.candidateType),
    protocol: text(local?.protocol),
    localPort: number(local?.port),
    remotePort: number(remote?.port),
    roundTripTime: roundTrip === null ? null : roundTrip * 1000,
    senders: found
      .filter((entry) => entry.type === "outbound-rtp")
      .map((entry) => ({ source: sourceOf(entry), kind: kindOf(entry), ...layerStats(entry) })),
    receivers: found
      .filter((entry) => entry.type === "inbound-rtp")
      .map((entry) => ({
        source: sourceOf(entry),
        kind: kindOf(entry),
        framesDecoded: number(entry.framesDecoded) ?? 0,
        frameWidth: number(entry.frameWidth),
        frameHeight: number(entry.frameHeight),
        totalAudioEnergy: number(entry.totalAudioEnergy) ?? 0,
        packetsReceived: number(entry.packetsReceived) ?? 0,
        packetsLost: number(entry.packetsLost) ?? 0,
        bytesReceived: number(entry.bytesReceived) ?? 0,
        freezeCount: number(entry.freezeCount) ?? 0,
      })),
  };
}

const SOURCES_IN_ORDER = ["microphone", "camera", "screen"] as const;

/** How media gets to the node: `relay` by way of a TURN server, else the protocol. */
export async function transportProtocol(transport: types.Transport): Promise<string> {
  const found = await entries(transport);
  const pair = selectedPair(found);
  const local = found.find((entry) => entry.id === pair?.localCandidateId);
  if (local?.candidateType === "relay") return "relay";
  return text(local?.protocol) ?? "udp";
}

function selectedPair(found: Entry[]): Entry | undefined {
  const transport = found.find((entry) => entry.type === "transport" && entry.selectedCandidatePairId);
  if (transport) return found.find((entry) => entry.id === transport.selectedCandidatePairId);
  // Firefox marks the pair itself.
  const pairs = found.filter((entry) => entry.type === "candidate-pair");
  return pairs.find((pair) => pair.selected === true) ?? pairs.find((pair) => pair.nominated === true);
}

async function producerStats(slot: ProducerSlot): Promise<ProducerStats | null> {
  const { producer } = slot;
  if (producer === null || producer.closed) return null;
  const found = await entries(producer);
  return {
    producerId: producer.id,
    source: slot.source,
    kind: producer.kind,
    codec: codecOf(producer.rtpParameters),
    paused: producer.paused,
    layers: found.filter((entry) => entry.type === "outbound-rtp").map(layerStats),
  };
}

function layerStats(entry: Entry): LayerStats {
  return {
    rid: text(entry.rid),
    frameWidth: number(entry.frameWidth),
    frameHeight: number(entry.frameHeight),
    framesEncoded: number(entry.framesEncoded) ?? 0,
    packetsSent: number(entry.packetsSent) ?? 0,
    bytesSent: number(entry.bytesSent) ?? 0,
    scalabilityMode: text(entry.scalabilityMode),
  };
}

async function consumerStats(slot: ConsumerSlot, protocol: string | null): Promise<ConsumerStats | null> {
  const { consumer, remote } = slot;
  if (consumer === null || consumer.closed) return null;
  const inbound = (await entries(consumer)).find((entry) => entry.type === "inbound-rtp");
  return {
    consumerId: consumer.id,
    producerId: remote.producerId,
    participantId: remote.participantId,
    displayName: remote.displayName,
    source: remote.source,
    kind: remote.kind,
    codec: codecOf(consumer.rtpParameters),
    framesDecoded: number(inbound?.framesDecoded) ?? 0,
    keyFramesDecoded: number(inbound?.keyFramesDecoded) ?? 0,
    frameWidth: number(inbound?.frameWidth),
    frameHeight: number(inbound?.frameHeight),
    totalAudioEnergy: number(inbound?.totalAudioEnergy) ?? 0,
    packetsReceived: number(inbound?.packetsReceived) ?? 0,
    packetsLost: number(inbound?.packetsLost) ?? 0,
    bytesReceived: number(inbound?.bytesReceived) ?? 0,
    jitter: number(inbound?.jitter),
    freezeCount: number(inbound?.freezeCount) ?? 0,
    firstFrameMs: slot.firstFrameMs,
    protocol,
  };
}

/** Lower-case name without the kind: "vp8", "opus". */
function codecOf(parameters: types.RtpParameters): string {
  return parameters.codecs[0]?.mimeType.split("/")[1]?.toLowerCase() ?? "";
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
