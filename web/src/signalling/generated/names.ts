// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { Ack, ActiveSpeaker, ConsumerPaused, JoinRoom, LeaveRoom, NewProducer, ProducerClosed } from "./clientNode";

/** Events of the media node, for `Socket<NodeEvents, NodeRequests>` of socket.io-client. */
export interface NodeEvents {
  "new-producer": (payload: NewProducer) => void;
  "producer-closed": (payload: ProducerClosed) => void;
  "consumer-paused": (payload: ConsumerPaused) => void;
  "consumer-resumed": (payload: ConsumerPaused) => void;
  "active-speaker": (payload: ActiveSpeaker) => void;
}

/** Events to the media node. */
export interface NodeRequests {
  "join-room": (payload: JoinRoom, ack?: (answer: Ack) => void) => void;
  "leave-room": (payload: LeaveRoom, ack?: (answer: Ack) => void) => void;
}

/** Method and path of each endpoint; placeholders are in braces. */
export const ENDPOINTS = {
  CreateRoom: { method: "POST", path: "/api/rooms/{callId}/create" },
  FetchRoom: { method: "GET", path: "/api/rooms/{callId}" },
  DestroyRoom: { method: "DELETE", path: "/api/rooms/{callId}" },
  CreateTransport: { method: "POST", path: "/api/rooms/{callId}/transports" },
  ConnectTransport: { method: "POST", path: "/api/rooms/{callId}/transports/{transportId}/connect" },
  RestartIce: { method: "POST", path: "/api/rooms/{callId}/transports/{transportId}/restart-ice" },
  Produce: { method: "POST", path: "/api/rooms/{callId}/transports/{transportId}/produce" },
  CloseProducer: { method: "DELETE", path: "/api/rooms/{callId}/producers/{producerId}" },
  PauseProducer: { method: "POST", path: "/api/rooms/{callId}/producers/{producerId}/pause" },
  ResumeProducer: { method: "POST", path: "/api/rooms/{callId}/producers/{producerId}/resume" },
  Consume: { method: "POST", path: "/api/rooms/{callId}/consume" },
  ResumeConsumer: { method: "POST", path: "/api/rooms/{callId}/consumers/{consumerId}/resume" },
  PauseConsumer: { method: "POST", path: "/api/rooms/{callId}/consumers/{consumerId}/pause" },
  PreferredLayers: { method: "POST", path: "/api/rooms/{callId}/consumers/{consumerId}/preferred-layers" },
  RequestKeyFrame: { method: "POST", path: "/api/rooms/{callId}/consumers/{consumerId}/request-key-frame" },
  Leave: { method: "POST", path: "/api/rooms/{callId}/participants/{participantId}/leave" },
  Drain: { method: "POST", path: "/api/drain" },
  Stats: { method: "GET", path: "/api/stats" },
  Health: { method: "GET", path: "/health" },
  Ready: { method: "GET", path: "/ready" },
  Metrics: { method: "GET", path: "/metrics" },
} as const;

/** Paths of the lobby. */
export const LOBBY = {
  join: "/api/lobby/join",
  refresh: "/api/lobby/refresh",
  config: "/api/config",
} as const;

/** The version of the messages. */
export const PROTOCOL = 1;
