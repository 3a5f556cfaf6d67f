/** The page outside calls as a pure function: what happened and what is known give what is known now and what to do. */
import type { OutcomeKind } from "../call/state";
import type { ActiveCall, ConversationDto, Ongoing } from "../signalling/generated";
import type { AppAction, AppEffect, AppStep } from "./actions";
import { reduceDraft } from "./draft";
import { reduceGuest } from "./guest";
import { appNotice } from "./notices";
import { type Route, sameRoute } from "./route";
import {
  type AppState,
  conversationOf,
  EMPTY_HISTORY,
  type IncomingCall,
  inCall,
  initialAppState,
} from "./state";

/** Missed calls and the like show up in the history a moment after the event. */
const HISTORY_DELAY = 700;

export function reduceApp(state: AppState, action: AppAction): AppStep {
  switch (action.type) {
    case "opened":
      return opened(state);
    case "config-loaded":
      return still({ ...state, config: action.config });
    case "login-asked":
    case "logged-in":
    case "logged-out":
    case "logout-asked":
    case "link-changed":
      return reduceSession(state, action);
    case "route-asked":
      return sameRoute(state.route, action.route)
        ? still(state)
        : also(arrived(state, action.route), { type: "show-route", route: action.route });
    case "route-changed":
      return arrived(state, action.route);
    case "reload-asked":
    case "directory-changed":
      return act(state, { type: "load-conversations" });
    case "conversations-loaded":
    case "conversations-failed":
    case "presence-changed":
    case "ongoing-changed":
    case "more-history-asked":
    case "history-loaded":
    case "history-failed":
    case "history-outdated":
    case "link-asked":
    case "link-made":
      return reduceDirectory(state, action);
    case "draft-opened":
    case "draft-closed":
    case "draft-searched":
    case "draft-toggled":
    case "draft-titled":
    case "draft-submitted":
    case "draft-failed":
    case "people-found":
    case "conversation-made":
      return reduceDraft(state, action);
    case "ringing":
    case "ring-ended":
    case "accept-asked":
    case "decline-asked":
    case "call-asked":
    case "join-asked":
    case "banner-dismissed":
    case "call-changed":
    case "call-over":
      return reduceCalls(state, action);
    case "guest-entered":
    case "guest-join-asked":
    case "guest-retried":
    case "guest-link-opened":
    case "guest-inside":
    case "guest-failed":
    case "guest-call-changed":
      return reduceGuest(state, action);
    case "toast-dismissed":
      return still({ ...state, toasts: state.toasts.filter((toast) => toast.id !== action.id) });
    case "noticed":
      return appNotice(state, { kind: action.kind, name: action.name });
  }
}

export function still(state: AppState): AppStep {
  return { state, effects: [] };
}

export function act(state: AppState, ...effects: AppEffect[]): AppStep {
  return { state, effects };
}

/** Appends what a further step has to do. */
export function also(step: AppStep, ...effects: AppEffect[]): AppStep {
  return { state: step.state, effects: [...step.effects, ...effects] };
}

function opened(state: AppState): AppStep {
  const { route } = state;
  if (route.page === "guest")
    return act(state, { type: "load-config" }, { type: "open-link", token: route.linkToken });
  return act(state, { type: "load-config" }, { type: "restore-login" });
}

type SessionAction = Extract<
  AppAction,
  { type: "login-asked" | "logged-in" | "logged-out" | "logout-asked" | "link-changed" }
>;

function reduceSession(state: AppState, action: SessionAction): AppStep {
  switch (action.type) {
    case "login-asked": {
      const name = action.name.trim();
      if (name === "" || state.session.kind === "in") return still(state);
      const next: AppState = {
        ...state,
        language: action.language,
        session: { kind: "out", busy: true, problem: null },
      };
      return act(next, { type: "login", name, language: action.language });
    }
    case "logged-in":
      return also(
        arrived({ ...state, session: { kind: "in", account: action.account } }, state.route),
        { type: "connect" },
        { type: "load-conversations" },
      );
    case "logged-out": {
      const fresh = initialAppState(state.route, state.language);
      const session = { kind: "out", busy: false, problem: action.problem } as const;
      const next: AppState = { ...fresh, config: state.config, session, nextNotice: state.nextNotice };
      return act(next, { type: "logout" });
    }
    case "logout-asked":
      return inCall(state) ? still(state) : reduceSession(state, { type: "logged-out", problem: null });
    case "link-changed":
      return linkChanged(state, action.link);
  }
}

function linkChanged(state: AppState, link: AppState["link"]): AppStep {
  const before = state.link;
  const next = { ...state, link };
  if (link === "refused") {
    if (state.guest !== null)
      return reduceGuest(next, { type: "guest-failed", problem: "expired", step: "form" });
    return reduceSession(next, { type: "logged-out", problem: "expired" });
  }
  // What happened meanwhile was not told; also who rings is asked anew by the gateway's own events.
  if (link === "ready" && before === "interrupted" && state.session.kind === "in")
    return act(next, { type: "load-conversations" });
  return still(next);
}

/** Also loads what the page shows there. */
function arrived(state: AppState, route: Route): AppStep {
  const next: AppState = { ...state, route };
  if (route.page !== "conversation" || state.session.kind !== "in") return still(next);
  return loadHistory(next, route.conversationId, 0);
}

function loadHistory(state: AppState, conversationId: string, offset: number): AppStep {
  const before = state.histories[conversationId] ?? EMPTY_HISTORY;
  const histories = { ...state.histories, [conversationId]: { ...before, busy: true, problem: null } };
  return act({ ...state, histories }, { type: "load-history", conversationId, offset });
}

type DirectoryAction = Extract<
  AppAction,
  {
    type:
      | `conversations-${string}`
      | `presence-${string}`
      | `ongoing-${string}`
      | `link-asked`
      | "link-made"
      | `${string}history-${string}`;
  }
>;

function reduceDirectory(state: AppState, action: DirectoryAction): AppStep {
  switch (action.type) {
    case "conversations-loaded":
      return still({
        ...state,
        conversations: latestFirst(action.conversations),
        conversationsProblem: null,
      });
    case "conversations-failed":
      return still({ ...state, conversationsProblem: action.problem });
    case "presence-changed":
      return still(withPresence(state, action.userId, action.online));
    case "ongoing-changed":
      return ongoingChanged(state, action.ongoing);
    case "more-history-asked": {
      const history = state.histories[action.conversationId] ?? EMPTY_HISTORY;
      return history.busy ? still(state) : loadHistory(state, action.conversationId, history.calls.length);
    }
    case "history-loaded":
      return still(withHistory(state, action));
    case "history-failed": {
      const before = state.histories[action.conversationId] ?? EMPTY_HISTORY;
      const history = { ...before, busy: false, problem: action.problem };
      return still({ ...state, histories: { ...state.histories, [action.conversationId]: history } });
    }
    case "history-outdated":
      return loadHistory(state, action.conversationId, 0);
    case "link-asked": {
      const known = state.links[action.conversationId];
      if (known !== undefined) return act(state, { type: "copy", text: known });
      return act(state, { type: "make-link", conversationId: action.conversationId });
    }
    case "link-made": {
      const links = { ...state.links, [action.conversationId]: action.url };
      return act({ ...state, links }, { type: "copy", text: action.url });
    }
  }
}

function latestFirst(conversations: readonly ConversationDto[]): ConversationDto[] {
  return [...conversations].sort((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
}

function withPresence(state: AppState, userId: string, online: boolean): AppState {
  const conversations = state.conversations?.map((conversation) =>
    conversation.members.some((member) => member.userId === userId && member.online !== online)
      ? {
          ...conversation,
          members: conversation.members.map((member) =>
            member.userId === userId ? { ...member, online } : member,
          ),
        }
      : conversation,
  );
  return { ...state, conversations: conversations ?? null };
}

function ongoingChanged(state: AppState, ongoing: Ongoing): AppStep {
  if (state.guest !== null) {
    if (ongoing.conversationId !== state.guest.link?.conversationId) return still(state);
    const callId = ongoing.active ? ongoing.callId : null;
    return reduceGuest(state, {
      type: "guest-call-changed",
      callId,
      participantCount: ongoing.participantCount,
    });
  }
  const conversation = conversationOf(state, ongoing.conversationId);
  if (conversation === null) return act(state, { type: "load-conversations" });
  // The end of an older call must not hide a newer one.
  if (
    !ongoing.active &&
    conversation.activeCall !== undefined &&
    conversation.activeCall.callId !== ongoing.callId
  )
    return still(state);
  const changed = withActiveCall(
    state,
    conversation,
    ongoing.active ? activeCall(conversation, ongoing) : undefined,
  );
  const ended = !ongoing.active && state.histories[ongoing.conversationId] !== undefined;
  return ended ? also(still(changed), laterHistory(ongoing.conversationId)) : still(changed);
}

function activeCall(conversation: ConversationDto, ongoing: Ongoing): ActiveCall {
  const { callId, mode, participantCount, startedAt } = ongoing;
  const before = conversation.activeCall;
  const participants = before?.callId === callId ? before.participants : [];
  return {
    callId,
    mode,
    participantCount,
    startedAt,
    participants,
    status: startedAt === null ? "ringing" : "active",
  };
}

function withActiveCall(
  state: AppState,
  conversation: ConversationDto,
  call: ActiveCall | undefined,
): AppState {
  const changed: ConversationDto = { ...conversation, activeCall: call };
  const conversations =
    state.conversations?.map((other) => (other === conversation ? changed : other)) ?? null;
  return { ...state, conversations };
}

function withHistory(state: AppState, action: Extract<AppAction, { type: "history-loaded" }>): AppState {
  const { conversationId, page } = action;
  const before = state.histories[conversationId] ?? EMPTY_HISTORY;
  const kept = page.offset === 0 ? [] : before.calls.slice(0, page.offset);
  const history = { calls: [...kept, ...page.calls], total: page.total, busy: false, problem: null };
  return { ...state, histories: { ...state.histories, [conversationId]: history } };
}

/** From the newest on, once the gateway has written it down. */
function laterHistory(conversationId: string): AppEffect {
  const action: AppAction = { type: "history-outdated", conversationId };
  return { type: "later", milliseconds: HISTORY_DELAY, action };
}

type CallAction = Extract<
  AppAction,
  {
    type:
      | "ringing"
      | "ring-ended"
      | "accept-asked"
      | "decline-asked"
      | "call-asked"
      | "join-asked"
      | "banner-dismissed"
      | "call-changed"
      | "call-over";
  }
>;

function reduceCalls(state: AppState, action: CallAction): AppStep {
  switch (action.type) {
    case "ringing":
      return ringing(state, action.call);
    case "ring-ended":
      return ringEnded(state, action.callId, action.missed);
    case "accept-asked": {
      const call = state.incoming.find((each) => each.callId === action.callId);
      if (call === undefined) return still(state);
      return joinCall(withoutRing(state, call.callId), call);
    }
    case "decline-asked":
      return act(withoutRing(state, action.callId), { type: "decline", callId: action.callId });
    case "call-asked": {
      const conversation = conversationOf(state, action.conversationId);
      if (conversation === null || inCall(state)) return still(state);
      return act(state, { type: "start-call", conversation, callType: action.callType });
    }
    case "join-asked":
      return joinCall(withoutRing(state, action.callId), { ...action, type: "video" });
    case "banner-dismissed":
      return still({ ...state, dismissed: [...state.dismissed, action.callId] });
    case "call-changed": {
      const next = { ...state, callPhase: action.phase, callId: action.callId };
      // What was said about the last call has no place in the next.
      return still(inCall(next) && !inCall(state) ? { ...next, toasts: [] } : next);
    }
    case "call-over":
      return callOver(state, action);
  }
}

function joinCall(state: AppState, call: Pick<IncomingCall, "conversationId" | "callId" | "type">): AppStep {
  const conversation = conversationOf(state, call.conversationId);
  if (conversation === null) return still(state);
  const { callId, type: callType } = call;
  const route: Route = { page: "conversation", conversationId: conversation.conversationId };
  const join: AppEffect = { type: "join-call", conversation, callId, callType };
  if (sameRoute(state.route, route)) return act(state, join);
  return act({ ...state, route }, { type: "show-route", route }, join);
}

function ringing(state: AppState, call: IncomingCall): AppStep {
  // The same call is told of twice (`call:initiated` and `call:incoming`); one's own is no news.
  if (state.callId === call.callId || state.incoming.some((each) => each.callId === call.callId))
    return still(state);
  const step = act({ ...state, incoming: [...state.incoming, call] });
  return conversationOf(state, call.conversationId) === null
    ? also(step, { type: "load-conversations" })
    : step;
}

function withoutRing(state: AppState, callId: string): AppState {
  return { ...state, incoming: state.incoming.filter((call) => call.callId !== callId) };
}

function ringEnded(state: AppState, callId: string, missed: boolean): AppStep {
  const call = state.incoming.find((each) => each.callId === callId);
  if (call === undefined) return still(state);
  const next = withoutRing(state, callId);
  return missed ? appNotice(next, { kind: "missed-call", name: call.callerName }) : still(next);
}

/** Outcomes that need no screen of their own: said in passing, and back to where one was. */
const IN_PASSING: readonly OutcomeKind[] = ["ended", "left", "cancelled", "elsewhere"];

export function isInPassing(kind: OutcomeKind): boolean {
  return IN_PASSING.includes(kind);
}

function callOver(state: AppState, action: Extract<AppAction, { type: "call-over" }>): AppStep {
  const { outcome, conversationId, shown } = action;
  const next: AppState = { ...state, dismissed: [] };
  const step = shown
    ? still(next)
    : appNotice(next, { kind: outcome.kind, name: outcome.name, durationSeconds: outcome.durationSeconds });
  if (state.session.kind !== "in" || conversationId === "") return step;
  const reload: AppAction = { type: "reload-asked" };
  return also(
    step,
    { type: "later", milliseconds: HISTORY_DELAY, action: reload },
    laterHistory(conversationId),
  );
}
