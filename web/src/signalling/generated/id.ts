// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

/** A call, and the room and router that serve it: 1 to 64 letters, digits, `-` or `_`. */
export type CallId = string;

/** A participant of a call: 1 to 64 letters, digits, `-` or `_`. */
export type ParticipantId = string;

/** The router of a room. */
export type RouterId = string;

/** A WebRTC transport. */
export type TransportId = string;

/** A track sent to the router. */
export type ProducerId = string;

/** A track received from the router. */
export type ConsumerId = string;

/** A registered user. */
export type UserId = string;

/** A guest who came by a link (`anonymousUserId`). */
export type GuestId = string;

/** A conversation. */
export type ConversationId = string;

/** A link by which guests come into a conversation. */
export type ShareLinkId = string;

/** One switch between the modes of a call. */
export type TransitionId = string;

/** A stored caption. */
export type TranscriptionId = string;

/** A point in time between the years 1970 and 9999, to the millisecond; written `2026-01-31T23:59:59.999Z`. */
export type Timestamp = string;

/** A signed token; not written to logs. */
export type Token = string;

/** A text a person typed: 1 to 64 characters, trimmed, without control characters. */
export type Text = string;
