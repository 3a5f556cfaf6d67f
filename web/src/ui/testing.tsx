/** The whole page around components in tests: a call as `testing/page.tsx` makes it, and everything outside one. */
import type { ReactNode } from "react";
import type { AppEffect } from "../app/actions";
import { type AppState, initialAppState } from "../app/state";
import { AppStore } from "../app/store";
import type { CallState } from "../call/state";
import type { ConversationDto, Person } from "../signalling/generated";
import { open, type Page } from "../testing/page";
import { AppContext } from "./context";

export interface WholePage extends Page {
  app: AppStore;
  appEffects: AppEffect[];
}

export const ADA: Person = { userId: "ada", username: "Ada", online: true };
export const BOB: Person = { userId: "bob", username: "Bob", online: true };

export const TEAM: ConversationDto = {
  conversationId: "team",
  type: "group",
  title: "Team",
  role: "member",
  members: [ADA, BOB],
  updatedAt: "2026-01-01T10:00:00.000Z",
};

export const WITH_BOB: ConversationDto = {
  ...TEAM,
  conversationId: "with-bob",
  type: "direct",
  title: "Bob",
};

export function loggedIn(change: Partial<AppState> = {}): AppState {
  return {
    ...initialAppState({ page: "home" }, "en"),
    session: { kind: "in", account: { userId: "ada", username: "Ada", language: "en" } },
    link: "ready",
    conversations: [TEAM, WITH_BOB],
    ...change,
  };
}

export function openWhole(
  children: ReactNode,
  { app = loggedIn(), call = {} }: { app?: AppState; call?: Partial<CallState> } = {},
): WholePage {
  const store = new AppStore(app);
  const appEffects: AppEffect[] = [];
  store.perform((effect) => appEffects.push(effect));
  const services = { store, touched: () => undefined, measureSpeed: () => Promise.resolve(2_000) };
  const page = open(<AppContext value={services}>{children}</AppContext>, call);
  return { ...page, app: store, appEffects };
}
