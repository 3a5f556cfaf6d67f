/** Somebody who came by a link: the link, a name, waiting for the call, the call. */
import type { AppAction, AppStep } from "./actions";
import type { AppState, Guest } from "./state";

type GuestAction = Extract<AppAction, { type: `guest-${string}` }>;

export function reduceGuest(state: AppState, action: GuestAction): AppStep {
  const { guest, route } = state;
  if (guest === null || route.page !== "guest") return { state, effects: [] };
  switch (action.type) {
    case "guest-link-opened": {
      const allowed = action.link.permissions.joinCalls;
      return change(state, {
        ...guest,
        link: action.link,
        callId: action.link.activeCall ?? null,
        step: allowed ? "form" : "closed",
        problem: allowed ? null : "refused",
      });
    }
    case "guest-entered":
      return entered(state, guest, action);
    case "guest-inside": {
      const inside: Guest = {
        ...guest,
        link: action.link,
        username: action.username,
        step: "waiting",
        callId: null,
        problem: null,
      };
      const { conversationId } = action.link;
      return {
        state: { ...state, guest: inside },
        effects: [{ type: "connect" }, { type: "watch-guest-call", conversationId }],
      };
    }
    case "guest-failed":
      return change(state, { ...guest, step: action.step, problem: action.problem });
    case "guest-call-changed":
      return change(state, { ...guest, callId: action.callId, participantCount: action.participantCount });
    case "guest-join-asked":
      if (guest.link === null || guest.callId === null) return { state, effects: [] };
      return { state, effects: [{ type: "join-as-guest", link: guest.link, callId: guest.callId }] };
    case "guest-retried":
      return {
        state: { ...state, guest: { ...guest, step: "opening", problem: null } },
        effects: [{ type: "open-link", token: route.linkToken }],
      };
  }
}

function change(state: AppState, guest: Guest): AppStep {
  return { state: { ...state, guest }, effects: [] };
}

function entered(
  state: AppState,
  guest: Guest,
  { firstName, lastName, language }: Extract<GuestAction, { type: "guest-entered" }>,
): AppStep {
  const first = firstName.trim();
  if (guest.link === null || first === "") return { state, effects: [] };
  const next: AppState = { ...state, language, guest: { ...guest, step: "entering", problem: null } };
  const effect = {
    type: "enter-as-guest",
    link: guest.link,
    firstName: first,
    lastName: lastName.trim(),
    language,
  } as const;
  return { state: next, effects: [effect] };
}
