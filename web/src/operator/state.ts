/** Everything the operator's page shows, and what can happen to it. */
import type { AdminFlags, AdminOverview, AdminDrain } from "../signalling/generated";
import { SignallingError } from "../signalling/errors";
import type { History } from "./history";

/** Why something asked for did not happen. */
export type Problem = "unreachable" | "busy" | "gone" | "refused" | "broken";

/** Why a token does not open the page. `malformed`: no token at all. `expired`: it was good until now. `unknown`: good, but of nobody here. */
export type Refusal = "malformed" | "unauthorized" | "unknown" | "expired" | "forbidden" | Problem;

export type Session =
  { kind: "out"; busy: boolean; refusal: Refusal | null } | { kind: "in"; tokenEndsAt: number | null };

export type Connection =
  | { kind: "opening" }
  | { kind: "live" }
  /** The page is hidden. */
  | { kind: "paused" }
  /** Nothing heard since; asked again then. Milliseconds since the epoch. */
  | { kind: "lost"; problem: Problem; since: number; retryAt: number };

export interface Drain {
  /** An answer is waited for. */
  busy: boolean;
  /** What "how many of them are left" is counted from; null until it drains. */
  roomsAtStart: number | null;
  problem: Problem | null;
}

/** Something to read out, and to show for a moment. */
export interface Notice {
  id: number;
  kind: NoticeKind;
  /** What it is about: a node, a flag; else empty. */
  name: string;
}

export type NoticeKind =
  | "connection-lost"
  | "connection-back"
  | "node-lost"
  | "node-draining"
  | "node-empty"
  | "node-back"
  | "flag-on"
  | "flag-off"
  | "flag-reset"
  | "rollout-changed";

export interface OperatorState {
  session: Session;
  connection: Connection;
  overview: AdminOverview | null;
  /** When the overview came; milliseconds since the epoch, by this device's clock. */
  heardAt: number | null;
  history: History;
  /** By node. */
  drains: Readonly<Record<string, Drain | undefined>>;
  /** Changes of flags under way and failed ones, by `FlagChange.what`. */
  changes: Readonly<Record<string, { busy: boolean; problem: Problem | null } | undefined>>;
  notice: Notice | null;
}

/** What of the flags is changed: a flag's name, or one of the two parts of the rollout. */
export interface FlagChange {
  what: string;
  notice: NoticeKind;
}

export type OperatorAction =
  | { type: "token-offered" }
  | { type: "token-remembered"; tokenEndsAt: number | null }
  | { type: "refused"; refusal: Refusal }
  | { type: "heard"; overview: AdminOverview; at: number; tokenEndsAt: number | null }
  | { type: "missed"; problem: Problem; at: number; retryAt: number }
  | { type: "hidden" }
  | { type: "shown" }
  | { type: "signed-out" }
  | { type: "drain-asked"; nodeId: string }
  | { type: "drain-answered"; answer: AdminDrain }
  | { type: "drain-failed"; nodeId: string; problem: Problem }
  | { type: "flags-asked"; change: FlagChange }
  | { type: "flags-answered"; change: FlagChange; flags: AdminFlags }
  | { type: "flags-failed"; change: FlagChange; problem: Problem };

export const SIGNED_OUT: OperatorState = {
  session: { kind: "out", busy: false, refusal: null },
  connection: { kind: "opening" },
  overview: null,
  heardAt: null,
  history: [],
  drains: {},
  changes: {},
  notice: null,
};

/** Whether the token is to blame, and how. */
export function refusalOf(error: unknown): "unauthorized" | "unknown" | "forbidden" | null {
  if (!(error instanceof SignallingError)) return null;
  if (error.status === 401 && error.about.reason === "account-unknown") return "unknown";
  if (error.status === 401) return "unauthorized";
  return error.status === 403 ? "forbidden" : null;
}

export function problemOf(error: unknown): Problem {
  if (!(error instanceof SignallingError)) return "broken";
  if (error.kind === "network" || error.kind === "timeout") return "unreachable";
  switch (error.status) {
    case 502:
    case 504:
      return "unreachable";
    case 429:
    case 503:
      return "busy";
    case 404:
      return "gone";
    case 400:
    case 401:
    case 403:
    case 409:
    case 422:
      return "refused";
    default:
      return "broken";
  }
}
