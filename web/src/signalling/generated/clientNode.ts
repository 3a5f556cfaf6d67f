// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { ErrorBody } from "./error";
import type { CallId, ConsumerId, ParticipantId, ProducerId, RouterId, Timestamp, TransportId } from "./id";
import type { ConsumerType, MediaKind, RtpCapabilities, RtpParameters } from "./rtp";

/** The ICE credentials of the server's side of a transport. */
export type IceParameters = {
  /** The user name fragment. */
  usernameFragment: string,
  /** The password. */
  password: string,
  /** Always `true`: the server answers checks and sends none (RFC 8445 §2.5). */
  iceLite: boolean,
};

/** An address at which the server can be reached. */
export type IceCandidate = {
  /** Equal for candidates that share base and protocol. */
  foundation: string,
  /** Preference, higher first (RFC 8445 §5.1.2). */
  priority: number,
  /** The announced address or host name. */
  address: string,
  /** The same as `address`, under the name that older clients read. */
  ip: string,
  /** Which transport protocol. */
  protocol: CandidateProtocol,
  /** Its port. */
  port: number,
  /** Always a host candidate. */
  type: CandidateType,
  /** For TCP: who opens the connection. */
  tcpType?: TcpType,
};

/** The transport protocol of a candidate. */
export type CandidateProtocol = "udp" | "tcp";

/** How a candidate was found. */
export type CandidateType = "host";

/** Who opens a TCP connection (RFC 6544 §4.5). */
export type TcpType = "passive";

/** One side's part of a DTLS handshake. */
export type DtlsParameters = {
  /** Which end of the handshake it takes; the server leaves the choice to the client. */
  role: DtlsRole,
  /** Digests of its certificate; at least one. */
  fingerprints: Array<DtlsFingerprint>,
};

/** An end of a DTLS handshake. */
export type DtlsRole = "auto" | "client" | "server";

/** The digest of a certificate (RFC 8122 §5). */
export type DtlsFingerprint = {
  /** `sha-256`, or another hash function of RFC 8122. */
  algorithm: string,
  /** The digest: bytes in hexadecimal with colons between them. */
  value: string,
};

/** The answer to creating a room. */
export type CreateRoomResponse = {
  /** The same as the call's id. */
  roomId: CallId,
  /** The room's router. */
  routerId: RouterId,
  /** What the router offers; what a client loads its device with. */
  rtpCapabilities: RtpCapabilities,
};

/** The answer to fetching a room. */
export type RoomResponse = {
  /** The same as the call's id. */
  roomId: CallId,
  /** The room's router. */
  routerId: RouterId,
  /** What the router offers; what a client loads its device with. */
  rtpCapabilities: RtpCapabilities,
  /** Participants with at least one transport. */
  participantCount: number,
  /** When the room was created. */
  createdAt: Timestamp,
  /** What there is to consume, so that late joiners need not await events. */
  producers: Array<ProducerSummary>,
};

/** A producer, to those who may consume it. */
export type ProducerSummary = {
  /** Its id. */
  producerId: ProducerId,
  /** Its owner. */
  participantId: ParticipantId,
  /** Audio or video. */
  kind: MediaKind,
  /** Whether its owner has paused it. */
  paused: boolean,
  /** What its owner says about it. */
  appData: AppData,
};

/** What a producer's owner says about it. Members beyond those named here are passed on as they are. */
export type AppData = {
  /** What the track shows or carries; by default microphone for audio and camera for video. */
  source?: TrackSource,
  /** The owner's name as others see it. */
  displayName?: string,
};

/** Where a track comes from. A participant has at most one producer of each. */
export type TrackSource = "microphone" | "camera" | "screen";

/** Asks for a transport. */
export type CreateTransportRequest = {
  /** Who will own it. */
  participantId: ParticipantId,
  /** Which way media will flow. */
  direction: TransportDirection,
  /** Whether to be given TCP candidates only; `false` if absent. */
  forceTcp?: boolean,
  /** Of no effect; `direction` decides. */
  producing?: boolean,
  /** Of no effect; `direction` decides. */
  consuming?: boolean,
};

/** Which way media flows on a transport, as the client sees it. */
export type TransportDirection = "send" | "recv";

/** A new transport; the fields are those of mediasoup-client's transport options, `transportId` apart. */
export type CreateTransportResponse = {
  /** Its id. */
  transportId: TransportId,
  /** The server's ICE credentials. */
  iceParameters: IceParameters,
  /** Where the server can be reached. */
  iceCandidates: Array<IceCandidate>,
  /** The server's certificate. */
  dtlsParameters: DtlsParameters,
  /** Always `null`: there are no data channels. */
  sctpParameters: null,
};

/** Hands over the client's certificate. */
export type ConnectTransportRequest = {
  /** The client's certificate and role. */
  dtlsParameters: DtlsParameters,
};

/** Announces a track. */
export type ProduceRequest = {
  /** Who sends it. */
  participantId: ParticipantId,
  /** Audio or video; unusable is answered with `INVALID_RTP_PARAMETERS`. */
  kind: MediaKind,
  /** How it is sent; unusable is answered with `INVALID_RTP_PARAMETERS`. */
  rtpParameters: RtpParameters,
  /** What to tell others about it. */
  appData?: AppData,
  /** Whether it starts paused; `false` if absent. */
  paused?: boolean,
};

/** A new producer. */
export type ProduceResponse = {
  /** Its id. */
  producerId: ProducerId,
  /** Audio or video. */
  kind: MediaKind,
};

/** Asks to receive a track. */
export type ConsumeRequest = {
  /** Who wants to receive it. */
  participantId: ParticipantId,
  /** Which track. */
  producerId: ProducerId,
  /** What the client is able to receive; unusable is answered with `INVALID_RTP_CAPABILITIES`. */
  rtpCapabilities: RtpCapabilities,
};

/** A new consumer; it is paused until resumed. */
export type ConsumeResponse = {
  /** Its id. */
  consumerId: ConsumerId,
  /** The track's producer. */
  producerId: ProducerId,
  /** Audio or video. */
  kind: MediaKind,
  /** How the track will be received. */
  rtpParameters: RtpParameters,
  /** What there is to choose from. */
  type: ConsumerType,
  /** Whether the owner has paused the producer. */
  producerPaused: boolean,
};

/** New ICE credentials after a change of network. */
export type RestartIceResponse = {
  /** The server's new ICE credentials. */
  iceParameters: IceParameters,
};

/** The best layers a consumer wants to receive. */
export type PreferredLayersRequest = {
  /** Spatial layer or simulcast stream; 0 is the smallest picture. */
  spatialLayer: number,
  /** Temporal layer; 0 is the lowest frame rate. All of them if absent. */
  temporalLayer?: number,
};

/** What a node is busy with. */
export type StatsResponse = {
  /** Worker threads that are alive. */
  workers: number,
  /** Rooms. */
  rooms: number,
  /** Participants of all rooms. */
  participants: number,
  /** Transports of all participants. */
  transports: number,
  /** Producers of all participants. */
  producers: number,
  /** Consumers of all participants. */
  consumers: number,
  /** Share of all cores in use, 0 to 1. */
  cpu: number,
  /** Resident memory, bytes. */
  memory: number,
  /** Whether new rooms are refused until the server stops. */
  draining: boolean,
  /** Rooms that take one of the node's places; those that only stand by do not. */
  occupiedRooms: number,
  /** How many places there are; an older node does not tell, and says 0. */
  maxRooms: number,
  /** Where the node stands; empty if it was not told. */
  region: string,
  /** Its process, drawn by lot, as it registers with; an older node does not tell. */
  instance: string,
  /** How busy each living worker is; an older node does not tell. */
  workerLoads: Array<WorkerLoad>,
};

/** How busy a worker thread is, over at least the last second. */
export type WorkerLoad = {
  /** Which worker, counted from 0. */
  worker: number,
  /** Share of the time it was not waiting, 0 to 1. */
  busy: number,
  /** Packets received per second. */
  packetsIn: number,
  /** Packets sent per second. */
  packetsOut: number,
  /** How long received packets waited for it, on average, milliseconds. */
  queueDelayMs: number,
  /** Participants it serves. */
  participants: number,
  /** Consumers that flow from it. */
  consumers: number,
};

/** The answer to `POST` and `DELETE /api/drain`. */
export type DrainResponse = {
  /** Whether new rooms are refused now. */
  draining: boolean,
  /** Rooms that take one of the node's places. */
  rooms: number,
};

/** Whether the server lives, or is ready for calls. */
export type HealthResponse = {
  /** `ok`, or why not. */
  status: HealthStatus,
  /** The version of the software. */
  version: string,
};

/** How a server is. */
export type HealthStatus = "ok" | "starting" | "draining" | "overloaded" | "failed";

/** Asks for the events of a room. What is there already is announced at once. */
export type JoinRoom = {
  /** The room's call. */
  callId: CallId,
  /** Who asks; a service leaves it out and hears everything. */
  participantId?: ParticipantId,
};

/** Asks for no more events of a room; transports stay. */
export type LeaveRoom = {
  /** The room's call. */
  callId: CallId,
  /** Who asks; absent for a service. */
  participantId?: ParticipantId,
};

/** Acknowledges an event. */
export type Ack = {
  /** Whether it was done. */
  success: boolean,
  /** Why not. */
  error?: ErrorBody,
};

/** There is a track to consume. May come twice for one track; the id tells. */
export type NewProducer = {
  /** The room's call. */
  callId: CallId,
  /** The track's owner. */
  participantId: ParticipantId,
  /** The track's producer. */
  producerId: ProducerId,
  /** Audio or video. */
  kind: MediaKind,
  /** Whether the owner has paused it. */
  paused?: boolean,
  /** What the owner says about it. */
  appData?: AppData,
};

/** A track is gone, and its consumers with it. */
export type ProducerClosed = {
  /** The room's call. */
  callId: CallId,
  /** The track's owner. */
  participantId: ParticipantId,
  /** The track's producer. */
  producerId: ProducerId,
  /** Audio or video. */
  kind: MediaKind,
};

/** A consumer no longer receives, or receives again. */
export type ConsumerPaused = {
  /** The room's call. */
  callId: CallId,
  /** The consumer's owner. */
  participantId: ParticipantId,
  /** The consumer. */
  consumerId: ConsumerId,
  /** The track's producer. */
  producerId: ProducerId,
  /** Why it stopped, or what no longer stops it. */
  reason: PauseReason,
};

/** Why a consumer does not receive. */
export type PauseReason = "producer" | "bandwidth" | "client" | "server-load";

/** Who is speaking. */
export type ActiveSpeaker = {
  /** The room's call. */
  callId: CallId,
  /** The speaker, or `null` for silence. */
  participantId: ParticipantId | null,
  /** How loud, dBov: 0 is the loudest, -127 silence (RFC 6464). */
  volume: number,
};
