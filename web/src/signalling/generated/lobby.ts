// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { IceServer } from "./call";
import type { CallId, ParticipantId, Text, Timestamp, Token } from "./id";

/** Asks to enter a room, which is created if nobody is in it. */
export type JoinRequest = {
  /** Which room; everybody who says the same meets. */
  room: Text,
  /** How the others see one. */
  name: Text,
};

/** What a client needs to take part. */
export type JoinResponse = {
  /** The call in the room. */
  callId: CallId,
  /** Who one is in it. */
  participantId: ParticipantId,
  /** The token for the media node. */
  token: Token,
  /** When the token ends; ask for another one before. */
  tokenExpiresAt: Timestamp,
  /** Where the media node is; empty for the server that answered. */
  url: string,
  /** STUN and TURN servers for the client's transports. */
  iceServers: Array<IceServer>,
};

/** A new token in place of one that is about to end. */
export type RefreshResponse = {
  /** The token for the media node. */
  token: Token,
  /** When it ends. */
  tokenExpiresAt: Timestamp,
};

/** What the server is like. */
export type ConfigResponse = {
  /** The version of the software. */
  version: string,
  /** The version of the messages; clients that know another one should be reloaded. */
  protocol: number,
  /** Most participants of one room. */
  maxParticipants: number,
  /** What may be used. */
  features: Features,
};

/** What a server offers beyond the basics. */
export type Features = {
  /** Video codecs by MIME type, preferred ones first. */
  videoCodecs: Array<string>,
  /** Whether media may go over TCP. */
  iceTcp: boolean,
  /** Whether screens may be shared. */
  screenShare: boolean,
};
