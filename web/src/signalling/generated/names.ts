// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { JoinDto } from "./call";
import type { Ack, ActiveSpeaker, ConsumerPaused, JoinRoom, LeaveRoom, NewProducer, ProducerClosed } from "./clientNode";
import type { ActiveSpeakerEvent, AnsweredElsewhere, Authenticated, CallError, CallInitiated, DirectoryChanged, Ended, Incoming, MediaServer, MediaToggled, ModeSwitch, ModeSwitched, Ongoing, ParticipantJoined, ParticipantLeft, ParticipantMediaState, Presence, Rejected, SignalEvent, Started, TranscriptionEvent } from "./event";
import type { AnswerAlias, Authenticate, CallRef, CandidateAlias, Caption, ConsumerRef, Credentials, Diagnostics, EndAck, Initiate, Initiated, Join, Leave, LeaveAck, MediaStateChange, ModeSwitchAck, MuteAlias, OfferAlias, ParticipantRef, QualityReport, Reject, SfuProof, SignalRequest, SwitchGap, Toggle } from "./request";

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

/** Events of the gateway: name and payload. */
export interface GatewayEvents {
  "authenticated": Authenticated;
  "call:initiated": CallInitiated;
  "call:incoming": Incoming;
  "call:joined": JoinDto;
  "call:participant-joined": ParticipantJoined;
  "call:started": Started;
  "call:rejected": Rejected;
  "call:answered-elsewhere": AnsweredElsewhere;
  "call:signal": SignalEvent;
  "call:media-toggled": MediaToggled;
  "call:participant-media-state": ParticipantMediaState;
  "call:media-server": MediaServer;
  "call:mode-switch": ModeSwitch;
  "call:mode-switched": ModeSwitched;
  "new-producer": NewProducer;
  "producer-closed": ProducerClosed;
  "consumer-paused": ConsumerPaused;
  "consumer-resumed": ConsumerPaused;
  "call:participant-left": ParticipantLeft;
  "call:rejoined": JoinDto;
  "call:transcription": TranscriptionEvent;
  "call:active-speaker": ActiveSpeakerEvent;
  "call:ongoing": Ongoing;
  "call:ended": Ended;
  "call:error": CallError;
  "directory:changed": DirectoryChanged;
  "directory:presence": Presence;
}

/** Every name of an event of the gateway. */
export const GATEWAY_EVENTS = [
  "authenticated",
  "call:initiated",
  "call:incoming",
  "call:joined",
  "call:participant-joined",
  "call:started",
  "call:rejected",
  "call:answered-elsewhere",
  "call:signal",
  "call:media-toggled",
  "call:participant-media-state",
  "call:media-server",
  "call:mode-switch",
  "call:mode-switched",
  "new-producer",
  "producer-closed",
  "consumer-paused",
  "consumer-resumed",
  "call:participant-left",
  "call:rejoined",
  "call:transcription",
  "call:active-speaker",
  "call:ongoing",
  "call:ended",
  "call:error",
  "directory:changed",
  "directory:presence",
] as const;

/** Events to the gateway: payload, and the data of the acknowledgement. */
export interface GatewayRequests {
  "authenticate": { payload: Authenticate, ack: null };
  "call:initiate": { payload: Initiate, ack: Initiated };
  "call:join": { payload: Join, ack: JoinDto };
  "call:accept": { payload: Join, ack: JoinDto };
  "call:reject": { payload: Reject, ack: null };
  "call:leave": { payload: Leave, ack: LeaveAck };
  "call:end": { payload: CallRef, ack: EndAck };
  "call:signal": { payload: SignalRequest, ack: null };
  "call:toggle-audio": { payload: Toggle, ack: null };
  "call:toggle-video": { payload: Toggle, ack: null };
  "call:toggle-screen-share": { payload: Toggle, ack: null };
  "call:media-state-change": { payload: MediaStateChange, ack: null };
  "call:connected": { payload: ParticipantRef, ack: null };
  "call:mode-switch-ack": { payload: ModeSwitchAck, ack: null };
  "call:mode-switched": { payload: ModeSwitchAck, ack: null };
  "call:retry-switch": { payload: CallRef, ack: null };
  "call:sfu-proof": { payload: SfuProof, ack: null };
  "call:switch-gap": { payload: SwitchGap, ack: null };
  "call:rejoin": { payload: ParticipantRef, ack: JoinDto };
  "resume-consumer": { payload: ConsumerRef, ack: null };
  "pause-consumer": { payload: ConsumerRef, ack: null };
  "call:transcription": { payload: Caption, ack: null };
  "call:quality-report": { payload: QualityReport, ack: null };
  "call:diagnostics": { payload: Diagnostics, ack: null };
  "call:refresh-credentials": { payload: CallRef, ack: Credentials };
  "call:kick": { payload: ParticipantRef, ack: null };
  "webrtc:offer": { payload: OfferAlias, ack: null };
  "webrtc:answer": { payload: AnswerAlias, ack: null };
  "webrtc:ice-candidate": { payload: CandidateAlias, ack: null };
  "call:mute": { payload: MuteAlias, ack: null };
  "call:video-toggle": { payload: Toggle, ack: null };
}

/** Method and path of each endpoint of the media node; placeholders are in braces. */
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
  EndDrain: { method: "DELETE", path: "/api/drain" },
  Stats: { method: "GET", path: "/api/stats" },
  Health: { method: "GET", path: "/health" },
  Ready: { method: "GET", path: "/ready" },
  Metrics: { method: "GET", path: "/metrics" },
} as const;

/** Method and path of each endpoint of the gateway; placeholders are in braces. */
export const GATEWAY_ENDPOINTS = {
  StartCall: { method: "POST", path: "/api/calls" },
  Calls: { method: "GET", path: "/api/calls" },
  FetchCall: { method: "GET", path: "/api/calls/{callId}" },
  EndCall: { method: "DELETE", path: "/api/calls/{callId}" },
  JoinCall: { method: "POST", path: "/api/calls/{callId}/participants" },
  RemoveParticipant: { method: "DELETE", path: "/api/calls/{callId}/participants/{participantId}" },
  LeaveCall: { method: "POST", path: "/api/calls/{callId}/leave" },
  SetMode: { method: "PUT", path: "/api/calls/{callId}/mode" },
  AddTranscription: { method: "POST", path: "/api/calls/{callId}/transcriptions" },
  ReportQuality: { method: "POST", path: "/api/calls/{callId}/quality-metrics" },
  ConversationCalls: { method: "GET", path: "/api/conversations/{conversationId}/calls" },
  ActiveCall: { method: "GET", path: "/api/conversations/{conversationId}/active-call" },
  TrackedLink: { method: "GET", path: "/api/links/tracked/{token}" },
  JoinAnonymous: { method: "POST", path: "/api/conversations/{conversationId}/join-anonymous" },
  IceServers: { method: "GET", path: "/api/ice-servers" },
  BandwidthTest: { method: "GET", path: "/api/bandwidth-test" },
  Config: { method: "GET", path: "/api/config" },
  ExportCallData: { method: "GET", path: "/api/users/me/call-data" },
  EraseCallData: { method: "DELETE", path: "/api/users/me/call-data" },
  DevLogin: { method: "POST", path: "/api/auth/dev-login" },
  Me: { method: "GET", path: "/api/users/me" },
  Users: { method: "GET", path: "/api/users" },
  Conversations: { method: "GET", path: "/api/conversations" },
  CreateConversation: { method: "POST", path: "/api/conversations" },
  CreateLink: { method: "POST", path: "/api/conversations/{conversationId}/links" },
  AdminOverview: { method: "GET", path: "/api/admin/overview" },
  AdminFlags: { method: "GET", path: "/api/admin/flags" },
  SetAdminFlags: { method: "PUT", path: "/api/admin/flags" },
  DrainNode: { method: "POST", path: "/api/admin/nodes/{nodeId}/drain" },
  EndDrainNode: { method: "DELETE", path: "/api/admin/nodes/{nodeId}/drain" },
  RegisterNode: { method: "POST", path: "/api/nodes/register" },
  Health: { method: "GET", path: "/health" },
  Ready: { method: "GET", path: "/ready" },
  Metrics: { method: "GET", path: "/metrics" },
} as const;

/** The version of the messages. */
export const PROTOCOL = 1;
