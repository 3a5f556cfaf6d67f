// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { CallDto, CallSettings, CallType, IceServer, Mode, RejectReason } from "./call";
import type { ErrorBody } from "./error";
import type { CallId, ConsumerId, ConversationId, ParticipantId, Timestamp, Token, TransitionId } from "./id";

/** Says who one is, on a socket that did not say so in its handshake. Exactly one of the two tokens. */
export type Authenticate = {
  /** Of a registered user. */
  token?: Token,
  /** Of a guest. */
  sessionToken?: Token,
  /** The language of captions, ISO 639-1. */
  language?: string,
};

/** Begins a call. */
export type Initiate = {
  /** Where. */
  conversationId: ConversationId,
  /** With pictures or without. */
  type: CallType,
  /** What it begins with. */
  settings?: CallSettings,
};

/** The call was begun. */
export type Initiated = {
  /** Which call. */
  callId: CallId,
  /** The committed mode. */
  mode: Mode,
  /** Who one is in it. */
  participantId: ParticipantId,
  /** STUN and TURN servers. */
  iceServers: Array<IceServer>,
  /** When the credentials end. */
  expiresAt: Timestamp,
  /** The whole call. */
  call: CallDto,
};

/** Enters a call, or accepts it. */
export type Join = {
  /** Which call. */
  callId: CallId,
  /** Whether the microphone is on; yes if absent. */
  audioEnabled?: boolean,
  /** Whether the camera is on; by the type of the call if absent. */
  videoEnabled?: boolean,
  /** Whether this client can use a media node; yes if absent. */
  sfuSupported?: boolean,
};

/** Does not take a call. */
export type Reject = {
  /** Which call. */
  callId: CallId,
  /** Why not; declined if absent. */
  reason?: RejectReason,
};

/** Leaves a call; from somebody who only rings it counts as declining. */
export type Leave = {
  /** Which call. */
  callId: CallId,
  /** Who one is in it; only one's own. */
  participantId?: ParticipantId,
};

/** One has left. */
export type LeaveAck = {
  /** When. */
  leftAt: Timestamp,
};

/** The call is over. */
export type EndAck = {
  /** When it ended. */
  endedAt: Timestamp,
  /** Whole seconds it lasted. */
  duration: number,
};

/** Names a call. */
export type CallRef = {
  /** Which call. */
  callId: CallId,
};

/** Names a participant. */
export type ParticipantRef = {
  /** Which call. */
  callId: CallId,
  /** Who. */
  participantId: ParticipantId,
};

/** Names a consumer. */
export type ConsumerRef = {
  /** Which. */
  consumerId: ConsumerId,
  /** In which call; one's only one if absent. */
  callId?: CallId,
};

/** A step of the negotiation between two browsers, for one other participant. */
export type SignalRequest = {
  /** Which call. */
  callId: CallId,
  /** For whom. */
  targetParticipantId: ParticipantId,
  /** The step. */
  signal: Signal,
};

/** A session description or a candidate, for `RTCPeerConnection`. */
export type Signal = {
  /** Which of the three. */
  type: SignalType,
  /** The session description of an offer or answer. */
  sdp?: string,
  /** The candidate (`RTCIceCandidateInit`), or `null` for the end of candidates. */
  candidate?: RTCIceCandidateInit | null,
  /** Which negotiation it belongs to; late steps of an older one are dropped. The transition's id during a switch. */
  negotiationId?: string,
};

/** What a signal is. */
export type SignalType = "offer" | "answer" | "ice-candidate";

/** Turns something on or off. */
export type Toggle = {
  /** Which call. */
  callId: CallId,
  /** Whether it is on. */
  enabled: boolean,
};

/** What one sends now, all at once. */
export type MediaStateChange = {
  /** Which call. */
  callId: CallId,
  /** Who one is; only one's own. */
  participantId?: ParticipantId,
  /** The microphone is on. */
  audioEnabled: boolean,
  /** The camera is on. */
  videoEnabled: boolean,
  /** The screen is shared. */
  screenShareEnabled: boolean,
};

/** The new way works here, or does not. */
export type ModeSwitchAck = {
  /** Which call. */
  callId: CallId,
  /** Who one is; only one's own. */
  participantId?: ParticipantId,
  /** Which switch; the present one if absent. Another one is ignored. */
  transitionId?: TransitionId,
  /** Whether it works. */
  success: boolean,
  /** What does not. */
  error?: string,
};

/** Whether this client's way through the media node works, found out while the call is direct. */
export type SfuProof = {
  /** Which call. */
  callId: CallId,
  /** Whether both transports are connected. */
  proven: boolean,
  /** By which protocol: `udp`, `tcp` or `relay`. */
  protocol?: string,
  /** What does not work. */
  error?: string,
};

/** What one switch did to what one sees and hears of one other participant. Milliseconds. */
export type SwitchGap = {
  /** Which call. */
  callId: CallId,
  /** Which switch. */
  transitionId: TransitionId,
  /** Whom one watched. */
  remoteParticipantId: ParticipantId,
  /** Largest time between two presented pictures around the switch; absent without pictures. */
  videoGapMs?: number,
  /** The same over the seconds before. */
  videoBaselineMs?: number,
  /** Largest hole in the sound around the switch; absent without sound. */
  audioGapMs?: number,
  /** The same over the seconds before. */
  audioBaselineMs?: number,
};

/** Something somebody said, as text. */
export type Caption = {
  /** Which call. */
  callId: CallId,
  /** Who one is; only one's own. */
  participantId?: ParticipantId,
  /** The words, at most [`super::MAX_CAPTION`] characters. */
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
  /** How sure the recogniser is, 0 to 1. */
  confidenceScore?: number,
};

/** How well media arrives, over the last seconds. */
export type QualityReport = {
  /** Which call; from the path over HTTP. */
  callId?: CallId,
  /** Who one is; only one's own. */
  participantId?: ParticipantId,
  /** Share of packets lost, 0 to 1. */
  packetLoss: number,
  /** Milliseconds. */
  jitter: number,
  /** Round trip, milliseconds. */
  rtt: number,
  /** Received, kbit/s. */
  bitrate: number,
  /** Since the call began. */
  packetsLost: number,
  /** Since the call began. */
  packetsReceived: number,
  /** Since the call began. */
  bytesSent: number,
  /** Since the call began. */
  bytesReceived: number,
  /** Since the call began. */
  framesDecoded: number,
  /** Of the largest picture, pixels. */
  frameWidth: number,
  /** Of the largest picture, pixels. */
  frameHeight: number,
  /** Whether media goes through a TURN server. */
  usingRelay: boolean,
};

/** What a client saw when a connection failed. No addresses. */
export type Diagnostics = {
  /** Which call. */
  callId: CallId,
  /** Which connection: `p2p`, `send` or `recv`. */
  transport: string,
  /** Its ICE state. */
  iceState: string,
  /** Types of the candidates tried. */
  candidateTypes: Array<string>,
  /** What went wrong. */
  error: string,
};

/** Fresh credentials. */
export type Credentials = {
  /** STUN and TURN servers. */
  iceServers: Array<IceServer>,
  /** When their credentials end. */
  expiresAt: Timestamp,
  /** The token for the media node, if the call uses one. */
  mediaToken?: Token,
  /** When it ends. */
  tokenExpiresAt?: Timestamp,
};

/** `webrtc:offer`. */
export type OfferAlias = {
  /** `RTCSessionDescriptionInit`, or the session description alone. */
  offer: RTCSessionDescriptionInit | string,
  /** One's only call if absent. */
  callId?: CallId,
  /** One's only peer if absent. */
  targetParticipantId?: ParticipantId,
};

/** `webrtc:answer`. */
export type AnswerAlias = {
  /** `RTCSessionDescriptionInit`, or the session description alone. */
  answer: RTCSessionDescriptionInit | string,
  /** One's only call if absent. */
  callId?: CallId,
  /** One's only peer if absent. */
  targetParticipantId?: ParticipantId,
};

/** `webrtc:ice-candidate`. */
export type CandidateAlias = {
  /** `RTCIceCandidateInit`, or `null`. */
  candidate: RTCIceCandidateInit | null,
  /** One's only call if absent. */
  callId?: CallId,
  /** One's only peer if absent. */
  targetParticipantId?: ParticipantId,
};

/** `call:mute`. */
export type MuteAlias = {
  /** Which call. */
  callId: CallId,
  /** Whether the microphone is off. */
  muted: boolean,
};

/** Acknowledges an event: `{"success":true,"data"?:…}` or `{"success":false,"error":…}` (contract §2.5). */
export type CallAck<T> = {
  /** Whether it was done. */
  success: boolean,
  /** What came of it. */
  data?: T,
  /** Why it was not done. */
  error?: ErrorBody,
};
