// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { ProducerSummary } from "./clientNode";
import type { CallId, ConversationId, GuestId, ParticipantId, RouterId, Text, Timestamp, Token, TransitionId, UserId } from "./id";
import type { RtpCapabilities } from "./rtp";

/** With pictures, or voices only. */
export type CallType = "video" | "audio";

/** Which way media takes (contract §3.3). */
export type Mode = "p2p" | "sfu";

/** Where the mode machine stands (contract §3.4); differs from the mode only during a switch. */
export type TransitionState = "p2p" | "switching_to_sfu" | "sfu" | "switching_to_p2p";

/** How far a call is (contract §3.1). */
export type CallStatus = "initiated" | "ringing" | "active" | "ended" | "failed";

/** Why a call is over (contract §3.1). */
export type EndReason = "normal" | "timeout" | "error" | "forced" | "missed" | "rejected" | "cancelled";

/** How a past call reads in a history (contract §3.1). */
export type Outcome = "completed" | "missed" | "rejected" | "cancelled" | "failed";

/** How far a participant is (contract §3.2). */
export type ParticipantStatus = "connecting" | "connected" | "disconnected" | "failed";

/** What a participant is in a call. */
export type ParticipantRole = "initiator" | "participant";

/** Why somebody is no longer in a call. */
export type LeaveReason = "left" | "network-failure" | "kicked";

/** Why a call changes its mode. */
export type SwitchReason = "participant-count-changed" | "manual" | "quality-fallback" | "media-server-failover";

/** Who offers when a direct connection is built. */
export type PeerRole = "initiator" | "receiver";

/** Why somebody does not take a call. */
export type RejectReason = "busy" | "declined" | "unavailable";

/** What a participant turns on and off. */
export type MediaType = "audio" | "video" | "screen";

/** What a call begins with (contract §2.4). */
export type CallSettings = {
  /** Whether the caller's microphone is on; yes if absent. */
  audioEnabled?: boolean,
  /** Whether the caller's camera is on; by the type of the call if absent. */
  videoEnabled?: boolean,
  /** Whether the caller shares the screen; no if absent. */
  screenShareEnabled?: boolean,
};

/** What a participant sends. */
export type MediaState = {
  /** The microphone is on. */
  audioEnabled: boolean,
  /** The camera is on. */
  videoEnabled: boolean,
  /** The screen is shared. */
  screenShareEnabled: boolean,
};

/** A registered user as others see one. */
export type UserSummary = {
  /** Who. */
  userId: UserId,
  /** The name others see. */
  username: Text,
  /** Where the picture is. */
  avatar?: string,
};

/** One person in a call. */
export type ParticipantDto = {
  /** Who, within the call. */
  participantId: ParticipantId,
  /** The user; absent for guests. */
  userId?: UserId,
  /** The guest; absent for users. */
  anonymousUserId?: GuestId,
  /** The name others see. */
  username: Text,
  /** Where the picture is. */
  avatar?: string,
  /** Whether this is a guest. */
  isAnonymous: boolean,
  /** The language of captions, ISO 639-1. */
  language?: string,
  /** Began the call, or joined it. */
  role: ParticipantRole,
  /** How far. */
  status: ParticipantStatus,
  /** Since when; kept when the same person comes back. */
  joinedAt: Timestamp,
  /** Until when; absent for those who hold a seat. */
  leftAt?: Timestamp,
  /** The microphone is on. */
  audioEnabled: boolean,
  /** The camera is on. */
  videoEnabled: boolean,
  /** The screen is shared. */
  screenShareEnabled: boolean,
};

/** How to reach the call's room on its media node. Made for one participant and sent to nobody else. */
export type MediaServerConfig = {
  /** The room's router. */
  routerId: RouterId,
  /** What to load the device with. */
  rtpCapabilities: RtpCapabilities,
  /** Base of the node's REST paths; empty for the gateway's own origin. */
  url: string,
  /** Opens the node for this participant. */
  token: Token,
  /** When the token ends. */
  tokenExpiresAt: Timestamp,
  /** What there is to consume already. */
  producers: Array<ProducerSummary>,
};

/** A whole call (contract §2.4 `CallDTO`). */
export type CallDto = {
  /** Which call. */
  callId: CallId,
  /** Where it takes place. */
  conversationId: ConversationId,
  /** With pictures or without. */
  type: CallType,
  /** The committed mode. */
  mode: Mode,
  /** How far it is. */
  status: CallStatus,
  /** Who began it. */
  initiator: UserSummary,
  /** Everybody who was ever in it, in order of joining. */
  participants: Array<ParticipantDto>,
  /** The way to the media node; `null` unless the reader is in it and it is needed. */
  mediaServerConfig: MediaServerConfig | null,
  /** What it began with. */
  settings?: CallSettings,
  /** When it was begun. */
  createdAt: Timestamp,
  /** When the second person came. */
  startedAt?: Timestamp,
  /** When it ended; `null` while it lives. */
  endedAt: Timestamp | null,
  /** Whole seconds since the start, or of the whole call. */
  duration: number,
  /** Why it ended. */
  endReason?: EndReason,
  /** Who ended it. */
  endedBy?: UserId,
  /** When the credentials in the same answer end. */
  expiresAt: Timestamp,
};

/** What somebody needs who is now in a call (contract §2.4 `JoinDTO`). */
export type JoinDto = {
  /** Who one is in the call. */
  participantId: ParticipantId,
  /** Which call. */
  callId: CallId,
  /** Where it takes place. */
  conversationId: ConversationId,
  /** With pictures or without. */
  type: CallType,
  /** Which way media is to take for the one who joins: the target while a switch for them is under way. */
  mode: Mode,
  /** How far the call is. */
  status: CallStatus,
  /** Those who hold a seat, in order of joining. */
  participants: Array<ParticipantDto>,
  /** Since when one is in it. */
  joinedAt: Timestamp,
  /** When the call became active. */
  startedAt?: Timestamp,
  /** STUN and TURN servers. */
  iceServers: Array<IceServer>,
  /** When the credentials of these servers end. */
  expiresAt: Timestamp,
  /** The same as within `mediaServerConfig`. */
  rtpCapabilities?: RtpCapabilities,
  /** The way to the media node, where it is known already: also while the call is direct, to prove it. */
  mediaServerConfig?: MediaServerConfig,
  /** The switch to acknowledge, if one is under way. */
  transition?: PendingTransition,
};

/** A switch that waits for acknowledgements. */
export type PendingTransition = {
  /** Which; goes into the acknowledgement. */
  transitionId: TransitionId,
  /** Where it leads. */
  newMode: Mode,
  /** When it is given up. */
  switchDeadline: Timestamp,
};

/** A STUN or TURN server, as `RTCPeerConnection` takes it. */
export type IceServer = {
  /** Its URLs. */
  urls: Array<string>,
  /** The user name, for TURN. */
  username?: string,
  /** The password, for TURN. */
  credential?: string,
};
