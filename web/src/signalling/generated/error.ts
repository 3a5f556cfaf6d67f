// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

/** What went wrong, for programs: the name never changes its meaning. */
export type ErrorCode = "INVALID_REQUEST" | "INVALID_RTP_CAPABILITIES" | "INVALID_RTP_PARAMETERS" | "UNAUTHORIZED" | "FORBIDDEN" | "NOT_FOUND" | "ROOM_NOT_FOUND" | "TRANSPORT_NOT_FOUND" | "PRODUCER_NOT_FOUND" | "CONSUMER_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "ROOM_ALREADY_EXISTS" | "PRODUCER_ALREADY_EXISTS" | "ROOM_FULL" | "PAYLOAD_TOO_LARGE" | "UNSUPPORTED_CODEC" | "RATE_LIMIT_EXCEEDED" | "RESOURCE_LIMIT_REACHED" | "INTERNAL_SERVER_ERROR" | "TRANSPORT_CONNECTION_FAILED" | "PRODUCER_CREATION_FAILED" | "CONSUMER_CREATION_FAILED" | "SERVER_AT_CAPACITY" | "CALL_NOT_FOUND" | "CALL_ALREADY_ACTIVE" | "CALL_ENDED" | "PARTICIPANT_NOT_FOUND" | "ALREADY_PARTICIPANT" | "MAX_PARTICIPANTS_REACHED" | "INVALID_MODE" | "MODE_SWITCH_FAILED" | "MEDIA_SERVER_ERROR" | "TRANSCRIPTION_ERROR" | "TRANSLATION_ERROR" | "SIGNALING_ERROR" | "PERMISSION_DENIED" | "KICKED" | "TIMEOUT" | "INVALID_INPUT" | "INVALID_CONVERSATION_TYPE" | "ALREADY_IN_CALL" | "CALLEE_UNAVAILABLE" | "TRANSITION_IN_PROGRESS" | "SFU_DISABLED" | "SERVICE_UNAVAILABLE" | "CONFLICT" | "LINK_EXPIRED";

/** What went wrong. */
export type ErrorBody = {
  /** For programs. */
  code: ErrorCode,
  /** For people; no addresses, no internals. */
  message: string,
  /** What it is about. */
  details?: { [key in string]: string },
  /** Seconds after which the request may succeed; only with `RATE_LIMIT_EXCEEDED`. */
  retryAfter?: number,
};

/** An answer with data: `{"success":true,"data":…}`. */
export type Success<T> = {
  /** Always `true`. */
  success: true,
  /** The answer. */
  data: T,
};

/** An answer without data: `{"success":true,"message":…}`. */
export type Done = {
  /** Always `true`. */
  success: true,
  /** What was done: one fixed sentence per endpoint. */
  message: string,
};

/** A refusal or failure: `{"success":false,"error":…}`. */
export type Failure = {
  /** Always `false`. */
  success: false,
  /** What went wrong. */
  error: ErrorBody,
};

/** Either envelope, for whoever reads answers. */
export type Answer<T> = Success<T> | Failure;
