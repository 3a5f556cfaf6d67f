// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { CallSettings, CallStatus, CallType, EndReason, IceServer, MediaServerConfig, Mode, Outcome, ParticipantDto, UserSummary } from "./call";
import type { CallId, ConversationId, GuestId, ParticipantId, ShareLinkId, Text, Timestamp, Token, TranscriptionId, UserId } from "./id";

/** The answer to `POST /api/calls`. */
export type StartCallResponse = {
  /** STUN and TURN servers. */
  iceServers: Array<IceServer>,
  /** Who one is in it. */
  participantId: ParticipantId,
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

/** `POST /api/calls/:callId/participants`. */
export type JoinCallRequest = {
  /** Whether the microphone is on; yes if absent. */
  audioEnabled?: boolean,
  /** Whether the camera is on; by the type of the call if absent. */
  videoEnabled?: boolean,
};

/** Somebody is no longer in the call. */
export type LeftResponse = {
  /** One fixed sentence. */
  message: string,
  /** Who. */
  participantId: ParticipantId,
  /** When. */
  leftAt: Timestamp,
};

/** The call is over. */
export type EndedResponse = {
  /** One fixed sentence. */
  message: string,
  /** Which. */
  callId: CallId,
  /** When it ended. */
  endedAt: Timestamp,
  /** Whole seconds it lasted. */
  duration: number,
};

/** One page of past and present calls, newest first. */
export type CallHistory = {
  /** The page. */
  calls: Array<CallSummary>,
  /** How many there are altogether. */
  total: number,
  /** How many a page holds. */
  limit: number,
  /** How many were skipped. */
  offset: number,
};

/** A call in a history. */
export type CallSummary = {
  /** Which. */
  callId: CallId,
  /** The committed mode, or the last one. */
  mode: Mode,
  /** How far it is. */
  status: CallStatus,
  /** How it went; absent while it lives. */
  outcome?: Outcome,
  /** How many were in it, ever. */
  participantCount: number,
  /** When it was begun. */
  createdAt: Timestamp,
  /** When it ended. */
  endedAt: Timestamp | null,
  /** Whole seconds. */
  duration: number,
};

/** The live call of a conversation. */
export type ActiveCall = {
  /** Which. */
  callId: CallId,
  /** The committed mode. */
  mode: Mode,
  /** How far it is. */
  status: CallStatus,
  /** How many hold a seat. */
  participantCount: number,
  /** Who holds a seat. */
  participants: Array<ParticipantDto>,
  /** When it became active. */
  startedAt: Timestamp | null,
};

/** `PUT /api/calls/:callId/mode`. */
export type SetModeRequest = {
  /** The mode to switch to. */
  mode: Mode,
};

/** The call has the asked mode, or is on its way there. */
export type SetModeResponse = {
  /** Which call. */
  callId: CallId,
  /** The asked mode. */
  mode: Mode,
  /** When the switch began. */
  switchedAt: Timestamp,
  /** The way to the media node. */
  mediaServerConfig?: MediaServerConfig,
};

/** `POST /api/calls/:callId/transcriptions`, by a service. */
export type TranscriptionRequest = {
  /** Who said it. */
  participantId: ParticipantId,
  /** The words. */
  text: string,
  /** Their language. */
  language: string,
  /** When. */
  timestamp: Timestamp,
  /** How sure the recogniser is, 0 to 1. */
  confidenceScore?: number,
};

/** A caption was taken. */
export type TranscriptionResponse = {
  /** Its id. */
  transcriptionId: TranscriptionId,
  /** The same in other languages. */
  translations: { [key in string]: string },
};

/** `GET /api/ice-servers`. */
export type IceServersResponse = {
  /** STUN and TURN servers. */
  iceServers: Array<IceServer>,
  /** When their credentials end. */
  expiresAt: Timestamp,
};

/** `GET /api/links/tracked/:token`. */
export type TrackedLink = {
  /** Where the link leads. */
  conversationId: ConversationId,
  /** Which link. */
  linkId: ShareLinkId,
  /** The conversation's title. */
  title: Text,
  /** What guests may do. */
  permissions: GuestPermissions,
  /** A live call, if there is one. */
  activeCall?: CallId,
};

/** What guests may do. */
export type GuestPermissions = {
  /** Take part in calls. */
  joinCalls: boolean,
  /** Share the screen. */
  shareScreen: boolean,
};

/** `POST /api/conversations/:id/join-anonymous`. */
export type JoinAnonymousRequest = {
  /** The guest's first name. */
  firstName: Text,
  /** The guest's last name. */
  lastName?: Text,
  /** The language of captions, ISO 639-1. */
  language: string,
  /** Which link lets the guest in. */
  shareLinkId: ShareLinkId,
};

/** A guest was let in. */
export type JoinAnonymousResponse = {
  /** Who the guest is. */
  anonymousUserId: GuestId,
  /** Opens the gateway for the guest. */
  sessionToken: Token,
  /** The name others see. */
  username: Text,
};

/** `GET /api/config`. */
export type GatewayConfig = {
  /** The software's version. */
  version: string,
  /** The version of the messages. */
  protocol: number,
  /** Most people in a call. */
  maxParticipants: number,
  /** Whether a name is enough to log in. */
  devLogin: boolean,
  /** Whether clients may connect through TURN servers only, so that nobody learns anybody's address. */
  relayOnly: boolean,
  /** Languages captions can be translated into; empty without a translator. */
  translationLanguages: Array<string>,
  /** Switches (contract §8.9), by name. */
  flags: { [key in string]: boolean },
  /** What the media nodes offer. */
  videoCodecs: Array<string>,
  /** Milliseconds two people must be alone before a call goes back to direct. */
  hysteresisMs: number,
};
