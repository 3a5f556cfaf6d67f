/** Everything the page knows outside a call: who one is, conversations, people, who rings. Plain data. */
import type { OutcomeKind, Phase } from "../call/state";
import type {
  Account,
  CallSummary,
  CallType,
  ConversationDto,
  GatewayConfig,
  Person,
  TrackedLink,
} from "../signalling/generated";
import type { Route } from "./route";

/** Why something the user asked for did not work, in words of the person who tried. */
export type Problem = "unreachable" | "refused" | "invalid" | "busy" | "expired" | "gone" | "full";

export type Session =
  /** A remembered login is being tried, or nothing is known yet. */
  | { kind: "opening" }
  | { kind: "out"; busy: boolean; problem: Problem | null }
  | { kind: "in"; account: Account };

export interface History {
  calls: CallSummary[];
  total: number;
  busy: boolean;
  problem: Problem | null;
}

/** Somebody calls this user. */
export interface IncomingCall {
  callId: string;
  conversationId: string;
  type: CallType;
  callerName: string;
  callerAvatar: string | null;
  /** When ringing ends, milliseconds since the epoch. */
  expiresAt: number;
}

/** The dialog in which a conversation is made. */
export interface Draft {
  query: string;
  /** Null until the first answer. */
  found: Person[] | null;
  picked: Person[];
  title: string;
  busy: boolean;
  problem: Problem | null;
}

/** One who came by a link. */
export interface Guest {
  /** `opening` the link; `form`: name and language; `entering`; `waiting`: inside, not in the call; `closed`: no way in. */
  step: "opening" | "form" | "entering" | "waiting" | "closed";
  link: TrackedLink | null;
  username: string;
  /** The live call, if there is one. */
  callId: string | null;
  participantCount: number;
  problem: Problem | null;
}

export type AppNoticeKind =
  OutcomeKind | "link-copied" | "copy-failed" | "link-failed" | "call-failed" | "missed-call";

/** A short message; `name` and `durationSeconds` as its kind needs them. */
export interface AppNotice {
  id: number;
  kind: AppNoticeKind;
  name: string;
  durationSeconds: number | null;
}

export type GatewayLinkState = "connecting" | "ready" | "interrupted" | "refused";

export interface AppState {
  route: Route;
  config: GatewayConfig | null;
  session: Session;
  language: string;
  link: GatewayLinkState;
  /** Null until the first answer. */
  conversations: ConversationDto[] | null;
  conversationsProblem: Problem | null;
  histories: Record<string, History | undefined>;
  /** The share link of a conversation, once made. */
  links: Record<string, string | undefined>;
  draft: Draft | null;
  /** First come, first shown. */
  incoming: IncomingCall[];
  /** Calls whose banner the user has put away. */
  dismissed: string[];
  /** What the call session is doing, and with which call. */
  callPhase: Phase;
  callId: string | null;
  guest: Guest | null;
  toasts: AppNotice[];
  announcement: AppNotice | null;
  nextNotice: number;
}

export const EMPTY_HISTORY: History = { calls: [], total: 0, busy: false, problem: null };
export const EMPTY_DRAFT: Draft = {
  query: "",
  found: null,
  picked: [],
  title: "",
  busy: false,
  problem: null,
};

export function initialAppState(route: Route, language: string): AppState {
  const guest: Guest = {
    step: "opening",
    link: null,
    username: "",
    callId: null,
    participantCount: 0,
    problem: null,
  };
  return {
    route,
    config: null,
    session: { kind: "opening" },
    language,
    link: "connecting",
    conversations: null,
    conversationsProblem: null,
    histories: {},
    links: {},
    draft: null,
    incoming: [],
    dismissed: [],
    callPhase: "idle",
    callId: null,
    guest: route.page === "guest" ? guest : null,
    toasts: [],
    announcement: null,
    nextNotice: 1,
  };
}

export function conversationOf(state: AppState, id: string): ConversationDto | null {
  return state.conversations?.find((each) => each.conversationId === id) ?? null;
}

/** The user has a call: is calling, joining or talking. */
export function inCall(state: Pick<AppState, "callPhase">): boolean {
  return state.callPhase === "calling" || state.callPhase === "joining" || state.callPhase === "in-call";
}

/** Whether the ringtone is to be heard: somebody calls, and one is not talking to somebody else. */
export function rings(state: AppState): boolean {
  return state.incoming.length > 0 && !inCall(state);
}
