// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { CallType, EndReason, IceServer, LeaveReason, MediaServerConfig, MediaType, Mode, ParticipantDto, ParticipantStatus, PeerRole, RejectReason, SwitchReason, UserSummary } from "./call";
import type { ErrorBody, ErrorCode } from "./error";
import type { CallId, ConversationId, GuestId, ParticipantId, Text, Timestamp, TransitionId, UserId } from "./id";
import type { Signal } from "./request";
import type { RtpCapabilities } from "./rtp";

/** Whether the socket may speak. */
export type Authenticated = {
  /** Whether it may. */
  success: boolean,
  /** As whom. */
  user?: AuthenticatedUser,
  /** Why not. */
  error?: ErrorBody,
};

/** Who a socket speaks for. */
export type AuthenticatedUser = {
  /** A `UserId` or a `GuestId`. */
  id: string,
  /** The name others see. */
  username: Text,
  /** Whether this is a guest. */
  isAnonymous: boolean,
};

/** A call was begun. */
export type CallInitiated = {
  /** Which call. */
  callId: CallId,
  /** Where. */
  conversationId: ConversationId,
  /** The committed mode. */
  mode: Mode,
  /** With pictures or without. */
  type: CallType,
  /** By whom. */
  initiator: UserSummary,
  /** Who is in it. */
  participants: Array<ParticipantDto>,
  /** When. */
  createdAt: Timestamp,
};

/** A device is to ring. */
export type Incoming = {
  /** Which call. */
  callId: CallId,
  /** Where. */
  conversationId: ConversationId,
  /** With pictures or without. */
  type: CallType,
  /** Who calls. */
  caller: UserSummary,
  /** When ringing ends. */
  expiresAt: Timestamp,
};

/** Somebody came. */
export type ParticipantJoined = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  participant: ParticipantDto,
  /** How many hold a seat now. */
  totalParticipants: number,
};

/** The call is active. */
export type Started = {
  /** Which call. */
  callId: CallId,
  /** The committed mode. */
  mode: Mode,
  /** Since when. */
  startedAt: Timestamp,
  /** Who holds a seat. */
  participants: Array<ParticipantDto>,
  /** The way to the media node, where it is known already. */
  mediaServerConfig?: MediaServerConfig,
};

/** Somebody does not take the call. */
export type Rejected = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  userId: UserId,
  /** The name others see. */
  username: Text,
  /** Why not. */
  reason: RejectReason,
};

/** Another device of the same person took or declined the call. */
export type AnsweredElsewhere = {
  /** Which call. */
  callId: CallId,
};

/** A step of the negotiation between two browsers. */
export type SignalEvent = {
  /** Which call. */
  callId: CallId,
  /** From whom; written by the gateway. */
  fromParticipantId: ParticipantId,
  /** The step. */
  signal: Signal,
};

/** Somebody turned something on or off. */
export type MediaToggled = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  participantId: ParticipantId,
  /** What. */
  mediaType: MediaType,
  /** Whether it is on. */
  enabled: boolean,
};

/** What somebody sends, and whether they are there. */
export type ParticipantMediaState = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  participantId: ParticipantId,
  /** The name others see. */
  username: Text,
  /** Connected or gone for a moment. */
  status?: ParticipantStatus,
  /** The microphone is on. */
  audioEnabled: boolean,
  /** The camera is on. */
  videoEnabled: boolean,
  /** The screen is shared. */
  screenShareEnabled: boolean,
};

/** The way through the media node, to be built and proven while the call stays direct. */
export type MediaServer = {
  /** Which call. */
  callId: CallId,
  /** The way there; `null` when there is none any more and what was built is to be let go. */
  mediaServerConfig: MediaServerConfig | null,
};

/** Build the new way beside the old one, then acknowledge. */
export type ModeSwitch = {
  /** Which call. */
  callId: CallId,
  /** What it was. */
  oldMode: Mode,
  /** What it is to become. */
  newMode: Mode,
  /** The same as `newMode`. */
  mode: Mode,
  /** Why. */
  reason: SwitchReason,
  /** The same as within `mediaServerConfig`. */
  rtpCapabilities?: RtpCapabilities,
  /** The way to the media node. */
  mediaServerConfig?: MediaServerConfig,
  /** Whether one makes the offer; towards `p2p` only. */
  initiator?: boolean,
  /** The same as a word. */
  role?: PeerRole,
  /** Whom one connects to; towards `p2p` only. */
  peerParticipantId?: ParticipantId,
  /** STUN and TURN servers. */
  iceServers?: Array<IceServer>,
  /** When the switch is given up. */
  switchDeadline: Timestamp,
  /** Which switch. */
  transitionId: TransitionId,
};

/** A switch was committed, or given up. */
export type ModeSwitched = {
  /** Which call. */
  callId: CallId,
  /** Whether it was committed. */
  success: boolean,
  /** The mode now. */
  mode: Mode,
  /** Which switch. */
  transitionId: TransitionId,
  /** Why it was given up: a code, or `participant-joined`. */
  error?: string,
  /** When it will be tried again by itself. */
  retryAt?: Timestamp,
};

/** Somebody is no longer in the call. */
export type ParticipantLeft = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  participantId: ParticipantId,
  /** The user; absent for guests. */
  userId?: UserId,
  /** The guest; absent for users. */
  anonymousUserId?: GuestId,
  /** The name others see. */
  username: Text,
  /** When. */
  leftAt: Timestamp,
  /** How many hold a seat now. */
  totalParticipants: number,
  /** Why. */
  reason?: LeaveReason,
};

/** Something somebody said, as text. */
export type TranscriptionEvent = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  participantId: ParticipantId,
  /** The name others see. */
  username: Text,
  /** The words. */
  text: string,
  /** Their language, ISO 639-1. */
  language: string,
  /** The same in another language. */
  translation?: string,
  /** The language of the translation. */
  targetLanguage?: string,
  /** When it was said. */
  timestamp: Timestamp,
  /** Whether the words will not change any more. */
  isFinal: boolean,
};

/** Who is speaking. */
export type ActiveSpeakerEvent = {
  /** Which call. */
  callId: CallId,
  /** The speaker, or `null` for silence. */
  participantId: ParticipantId | null,
};

/** There is a call in the conversation, or no longer. */
export type Ongoing = {
  /** Which call. */
  callId: CallId,
  /** Where. */
  conversationId: ConversationId,
  /** How many hold a seat. */
  participantCount: number,
  /** When it became active. */
  startedAt: Timestamp | null,
  /** The committed mode. */
  mode: Mode,
  /** Whether it can be joined. */
  active: boolean,
};

/** The call is over. */
export type Ended = {
  /** Which call. */
  callId: CallId,
  /** Where it was. */
  conversationId: ConversationId,
  /** Why. */
  reason: EndReason,
  /** By whom. */
  endedBy?: UserId,
  /** When. */
  endedAt: Timestamp,
  /** Whole seconds it lasted. */
  duration: number,
};

/** Something failed, and nobody asked for an acknowledgement. */
export type CallError = {
  /** Which call. */
  callId?: CallId,
  /** For programs. */
  code: ErrorCode,
  /** For people. */
  message: string,
  /** What it is about. */
  details?: { [key in string]: string },
  /** Seconds after which it may succeed. */
  retryAfter?: number,
};

/** One's conversations have changed. */
export type DirectoryChanged = {
  /** Which one; all of them if absent. */
  conversationId?: ConversationId,
};

/** Somebody came online or went. */
export type Presence = {
  /** Who. */
  userId: UserId,
  /** Whether a device is connected. */
  online: boolean,
};
