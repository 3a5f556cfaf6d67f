/**
 * The message shapes this client speaks: the media node's REST bodies, its Socket.IO payloads and the lobby.
 *
 * One place to import them from, so that nothing else needs to know where they are generated.
 */
import type { types } from "mediasoup-client";

export type MediaKind = "audio" | "video";

/** What a producer carries. The node keeps one producer per participant and source. */
export type Source = "microphone" | "camera" | "screen";

export interface AppData {
  source?: string;
  displayName?: string;
}

export interface ProducerSummary {
  producerId: string;
  participantId: string;
  kind: MediaKind;
  paused: boolean;
  appData?: AppData;
}

export interface RoomInfo {
  roomId: string;
  routerId: string;
  rtpCapabilities: types.RtpCapabilities;
  participantCount: number;
  createdAt: string;
  producers: ProducerSummary[];
}

export interface TransportInfo {
  transportId: string;
  iceParameters: types.IceParameters;
  iceCandidates: types.IceCandidate[];
  dtlsParameters: types.DtlsParameters;
}

export interface ProduceResult {
  producerId: string;
  kind: MediaKind;
}

export interface ConsumeResult {
  consumerId: string;
  producerId: string;
  kind: MediaKind;
  rtpParameters: types.RtpParameters;
  type: "simple" | "simulcast" | "svc";
  producerPaused: boolean;
}

export interface LobbyTicket {
  callId: string;
  participantId: string;
  token: string;
  /** ISO 8601, UTC. */
  tokenExpiresAt: string;
  /** Origin of the media node; empty means the page's own. */
  url: string;
  iceServers: RTCIceServer[];
}

export interface TokenGrant {
  token: string;
  tokenExpiresAt: string;
}

export interface NewProducer {
  callId: string;
  participantId: string;
  producerId: string;
  kind: MediaKind;
  appData?: AppData;
}

export interface ProducerClosed {
  callId: string;
  participantId: string;
  producerId: string;
  kind: MediaKind;
}

export type PauseReason = "producer" | "bandwidth" | "client" | "server-load";

export interface ConsumerFlow {
  callId: string;
  consumerId: string;
  producerId: string;
  participantId?: string;
  reason?: PauseReason;
}

export interface ActiveSpeaker {
  callId: string;
  participantId: string | null;
  volume: number;
}

export interface ServerEvents {
  "new-producer": (event: NewProducer) => void;
  "producer-closed": (event: ProducerClosed) => void;
  "consumer-paused": (event: ConsumerFlow) => void;
  "consumer-resumed": (event: ConsumerFlow) => void;
  "active-speaker": (event: ActiveSpeaker) => void;
}

export interface RoomMembership {
  callId: string;
  participantId: string;
}

export interface ClientEvents {
  "join-room": (membership: RoomMembership, ack: (reply: { success: boolean }) => void) => void;
  "leave-room": (membership: RoomMembership) => void;
}
