import type { ErrorCode } from "./wire";

/** Why a request to the server did not succeed. Never carries tokens or addresses. */
export type SignallingErrorKind = "network" | "timeout" | "aborted" | "api" | "malformed";

interface SignallingErrorDetails {
  /** Stable code of the server's error envelope, for kind "api". */
  code?: string;
  /** HTTP status, for kinds "api" and "malformed". */
  status?: number;
  /** Milliseconds the server asks to wait before the next attempt. */
  retryAfter?: number;
  /** Ids the failure is about, such as the call that runs already. */
  about?: Partial<Record<string, string>>;
}

export class SignallingError extends Error {
  override readonly name = "SignallingError";
  readonly kind: SignallingErrorKind;
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;
  readonly about: Partial<Record<string, string>>;

  constructor(kind: SignallingErrorKind, message: string, details: SignallingErrorDetails = {}) {
    super(message);
    this.kind = kind;
    this.code = details.code;
    this.status = details.status;
    this.retryAfter = details.retryAfter;
    this.about = details.about ?? {};
  }
}

export function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  return (
    error instanceof SignallingError && error.code !== undefined && (codes as string[]).includes(error.code)
  );
}

/** True when the node no longer knows this call or this participant, so that only joining anew can help. */
export function meansRejoin(error: unknown): boolean {
  return hasCode(error, "ROOM_NOT_FOUND", "UNAUTHORIZED", "TRANSPORT_NOT_FOUND");
}
