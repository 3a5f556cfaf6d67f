/** What an ended call, a refusal or a failure means to the user. */
import { errorName } from "../error-name";
import { hasCode, SignallingError } from "../signalling/errors";
import type { Ended } from "../signalling/generated";
import type { CallEnd } from "./live-call";
import type { CallState, Phase } from "./state";

/** The end of a call, as the gateway tells it to somebody who was in it or called it. */
export function endOf({ reason, duration }: Pick<Ended, "reason" | "duration">, phase: Phase): CallEnd {
  const durationSeconds = duration > 0 ? duration : undefined;
  switch (reason) {
    case "missed":
      return { kind: "missed" };
    case "rejected":
      return { kind: "declined" };
    case "cancelled":
      return { kind: "cancelled" };
    case "error":
      return { kind: "failed", durationSeconds };
    case "timeout":
      return { kind: phase === "calling" ? "missed" : "ended", durationSeconds };
    case "normal":
    case "forced":
      return { kind: "ended", durationSeconds };
  }
}

/** What it means to go by one's own wish, at `now` (milliseconds since the epoch). */
export function endOfLeaving(
  state: Pick<CallState, "phase" | "call" | "participants" | "userId">,
  now: number,
): CallEnd {
  const startedAt = state.call?.startedAt ?? null;
  const durationSeconds = startedAt === null ? undefined : Math.floor((now - startedAt) / 1_000);
  if (state.phase === "calling") return { kind: "cancelled", durationSeconds };
  return { kind: goesOn(state) ? "left" : "ended", durationSeconds };
}

/** Whether the call is still there once one has gone: the gateway's own rule (contract §3.1). */
function goesOn({
  phase,
  call,
  participants,
  userId,
}: Pick<CallState, "phase" | "call" | "participants" | "userId">): boolean {
  if (call === null || call.conversationType === "direct") return false;
  // Who others are is not known yet, but there was somebody to join.
  if (phase === "joining") return true;
  // A call that has not begun ends with who began it.
  if (call.startedAt === null && call.initiatorId !== null && call.initiatorId === userId) return false;
  return participants.some(({ presence }) => presence !== "left");
}

/** Why starting or joining did not work. */
export function refusalOf(error: unknown): CallEnd {
  const code = error instanceof SignallingError ? error.code : undefined;
  if (hasCode(error, "CALLEE_UNAVAILABLE")) return { kind: "offline", code };
  if (hasCode(error, "MAX_PARTICIPANTS_REACHED")) return { kind: "full", code };
  if (hasCode(error, "ALREADY_IN_CALL", "ALREADY_PARTICIPANT")) return { kind: "elsewhere", code };
  if (hasCode(error, "CALL_ENDED", "CALL_NOT_FOUND")) return { kind: "ended", code };
  if (error instanceof SignallingError && error.kind !== "api") return { kind: "lost", code };
  return { kind: "failed", code: code ?? errorName(error) };
}

/** Whether coming back is of no use any more; null when it may be tried again. */
export function meansOver(error: unknown): CallEnd | null {
  if (!(error instanceof SignallingError) || error.kind !== "api") return null;
  if (hasCode(error, "CALL_ENDED", "CALL_NOT_FOUND")) return { kind: "ended", code: error.code };
  if (hasCode(error, "KICKED")) return { kind: "kicked", code: error.code };
  if (hasCode(error, "ALREADY_PARTICIPANT")) return { kind: "elsewhere", code: error.code };
  if (hasCode(error, "MAX_PARTICIPANTS_REACHED")) return { kind: "full", code: error.code };
  if (hasCode(error, "PERMISSION_DENIED", "UNAUTHORIZED", "PARTICIPANT_NOT_FOUND", "MODE_SWITCH_FAILED"))
    return { kind: "lost", code: error.code };
  return null;
}
