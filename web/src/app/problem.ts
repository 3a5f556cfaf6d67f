/** From what was thrown to what the user is told. */
import { hasCode, SignallingError } from "../signalling/errors";
import type { Problem } from "./state";

export function problemOf(error: unknown): Problem {
  if (hasCode(error, "UNAUTHORIZED")) return "expired";
  if (hasCode(error, "INVALID_REQUEST", "INVALID_INPUT")) return "invalid";
  if (hasCode(error, "LINK_EXPIRED", "NOT_FOUND", "CALL_NOT_FOUND")) return "gone";
  if (hasCode(error, "MAX_PARTICIPANTS_REACHED", "ROOM_FULL")) return "full";
  if (hasCode(error, "RATE_LIMIT_EXCEEDED", "SERVER_AT_CAPACITY", "SERVICE_UNAVAILABLE")) return "busy";
  if (error instanceof SignallingError) return error.kind === "api" ? "refused" : "unreachable";
  return "refused";
}
