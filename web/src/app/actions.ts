/** What can happen outside a call, and what the reducer may ask to be done about it. */
import type { Outcome, Phase } from "../call/state";
import type {
  Account,
  CallHistory,
  CallType,
  ConversationDto,
  GatewayConfig,
  Ongoing,
  Person,
  TrackedLink,
} from "../signalling/generated";
import type { Route } from "./route";
import type { AppNoticeKind, AppState, GatewayLinkState, IncomingCall, Problem } from "./state";

/** Things the user does. */
export type AppUserAction =
  | { type: "login-asked"; name: string; language: string }
  | { type: "logout-asked" }
  | { type: "route-asked"; route: Route }
  | { type: "reload-asked" }
  | { type: "more-history-asked"; conversationId: string }
  | { type: "draft-opened" }
  | { type: "draft-closed" }
  | { type: "draft-searched"; query: string }
  | { type: "draft-toggled"; person: Person }
  | { type: "draft-titled"; title: string }
  | { type: "draft-submitted" }
  | { type: "link-asked"; conversationId: string }
  | { type: "call-asked"; conversationId: string; callType: CallType }
  | { type: "join-asked"; conversationId: string; callId: string }
  | { type: "accept-asked"; callId: string }
  | { type: "decline-asked"; callId: string }
  | { type: "banner-dismissed"; callId: string }
  | { type: "guest-entered"; firstName: string; lastName: string; language: string }
  | { type: "guest-join-asked" }
  | { type: "guest-retried" }
  | { type: "toast-dismissed"; id: number };

/** Things the browser, the gateway and the call do. */
export type AppOutsideAction =
  | { type: "opened" }
  | { type: "config-loaded"; config: GatewayConfig }
  | { type: "logged-in"; account: Account }
  /** Nobody is logged in; `problem` says why, if anybody was or tried to. */
  | { type: "logged-out"; problem: Problem | null }
  | { type: "link-changed"; link: GatewayLinkState }
  | { type: "route-changed"; route: Route }
  | { type: "conversations-loaded"; conversations: ConversationDto[] }
  | { type: "conversations-failed"; problem: Problem }
  | { type: "directory-changed" }
  | { type: "presence-changed"; userId: string; online: boolean }
  | { type: "ongoing-changed"; ongoing: Ongoing }
  | { type: "history-loaded"; conversationId: string; page: CallHistory }
  | { type: "history-failed"; conversationId: string; problem: Problem }
  | { type: "history-outdated"; conversationId: string }
  | { type: "people-found"; query: string; people: Person[] }
  | { type: "conversation-made"; conversation: ConversationDto }
  | { type: "draft-failed"; problem: Problem }
  | { type: "link-made"; conversationId: string; url: string }
  | { type: "ringing"; call: IncomingCall }
  | { type: "ring-ended"; callId: string; missed: boolean }
  | { type: "call-changed"; phase: Phase; callId: string | null }
  | { type: "call-over"; conversationId: string; outcome: Outcome; shown: boolean }
  | { type: "guest-link-opened"; link: TrackedLink }
  | { type: "guest-inside"; link: TrackedLink; username: string }
  | { type: "guest-failed"; problem: Problem; step: "closed" | "form" }
  | { type: "guest-call-changed"; callId: string | null; participantCount: number }
  | { type: "noticed"; kind: AppNoticeKind; name?: string };

export type AppAction = AppUserAction | AppOutsideAction;

export type AppEffect =
  | { type: "load-config" }
  | { type: "restore-login" }
  | { type: "login"; name: string; language: string }
  | { type: "connect" }
  | { type: "logout" }
  | { type: "load-conversations" }
  | { type: "load-history"; conversationId: string; offset: number }
  | { type: "search"; query: string }
  | { type: "create-conversation"; memberIds: string[]; title: string }
  | { type: "make-link"; conversationId: string }
  | { type: "copy"; text: string }
  | { type: "show-route"; route: Route }
  | { type: "start-call"; conversation: ConversationDto; callType: CallType }
  | { type: "join-call"; conversation: ConversationDto; callId: string; callType: CallType }
  | { type: "decline"; callId: string }
  | { type: "open-link"; token: string }
  | { type: "enter-as-guest"; link: TrackedLink; firstName: string; lastName: string; language: string }
  | { type: "watch-guest-call"; conversationId: string }
  | { type: "join-as-guest"; link: TrackedLink; callId: string }
  | { type: "later"; milliseconds: number; action: AppAction };

export interface AppStep {
  state: AppState;
  effects: readonly AppEffect[];
}
