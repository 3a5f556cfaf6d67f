/** Making a conversation: looking for people, picking them, giving the group a name. */
import type { AppAction, AppEffect, AppStep } from "./actions";
import type { Route } from "./route";
import { type AppState, type Draft, EMPTY_DRAFT } from "./state";

type DraftAction = Extract<AppAction, { type: `draft-${string}` | "people-found" | "conversation-made" }>;

export function reduceDraft(state: AppState, action: DraftAction): AppStep {
  if (action.type === "draft-opened")
    return { state: { ...state, draft: EMPTY_DRAFT }, effects: [{ type: "search", query: "" }] };
  const { draft } = state;
  if (draft === null) return { state, effects: [] };
  switch (action.type) {
    case "draft-closed":
      return { state: { ...state, draft: null }, effects: [] };
    case "draft-searched":
      return change(state, { ...draft, query: action.query }, { type: "search", query: action.query.trim() });
    case "people-found":
      // The answer to what was typed before is of no use any more.
      if (action.query !== draft.query.trim()) return { state, effects: [] };
      return change(state, { ...draft, found: action.people, problem: null });
    case "draft-toggled": {
      const { userId } = action.person;
      const without = draft.picked.filter((person) => person.userId !== userId);
      const picked = without.length < draft.picked.length ? without : [...without, action.person];
      return change(state, { ...draft, picked });
    }
    case "draft-titled":
      return change(state, { ...draft, title: action.title });
    case "draft-submitted":
      return submitted(state, draft);
    case "draft-failed":
      return change(state, { ...draft, busy: false, problem: action.problem });
    case "conversation-made": {
      const { conversation } = action;
      const others = (state.conversations ?? []).filter(
        (other) => other.conversationId !== conversation.conversationId,
      );
      const route: Route = { page: "conversation", conversationId: conversation.conversationId };
      const next: AppState = { ...state, draft: null, conversations: [conversation, ...others], route };
      return {
        state: next,
        effects: [
          { type: "show-route", route },
          { type: "load-history", conversationId: conversation.conversationId, offset: 0 },
        ],
      };
    }
  }
}

function change(state: AppState, draft: Draft, ...effects: AppEffect[]): AppStep {
  return { state: { ...state, draft }, effects };
}

function submitted(state: AppState, draft: Draft): AppStep {
  if (draft.busy || draft.picked.length === 0) return { state, effects: [] };
  const memberIds = draft.picked.map((person) => person.userId);
  const title = draft.title.trim() === "" ? suggestedTitle(draft) : draft.title.trim();
  return change(
    state,
    { ...draft, busy: true, problem: null },
    { type: "create-conversation", memberIds, title },
  );
}

/** Longest title the gateway takes. */
const MAX_TITLE = 64;

/** A group without a name is called after its people. */
export function suggestedTitle(draft: Draft): string {
  return draft.picked
    .map((person) => person.username)
    .join(", ")
    .slice(0, MAX_TITLE)
    .trim();
}
