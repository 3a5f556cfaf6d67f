import { describe, expect, it } from "vitest";
import type { CallHistory, ConversationDto, Ongoing, Person } from "../signalling/generated";
import type { AppAction, AppEffect } from "./actions";
import { reduceApp } from "./reducer";
import { type AppState, conversationOf, type IncomingCall, initialAppState, rings } from "./state";

const ADA: Person = { userId: "ada", username: "Ada", online: true };
const BOB: Person = { userId: "bob", username: "Bob", online: false };
const TEAM: ConversationDto = {
  conversationId: "team",
  type: "group",
  title: "Team",
  role: "member",
  members: [ADA, BOB],
  updatedAt: "2026-01-01T10:00:00.000Z",
};
const DIRECT: ConversationDto = {
  ...TEAM,
  conversationId: "direct",
  type: "direct",
  title: "Bob",
  updatedAt: "2026-01-02T10:00:00.000Z",
};
const RING: IncomingCall = {
  callId: "k",
  conversationId: "team",
  type: "audio",
  callerName: "Bob",
  callerAvatar: null,
  expiresAt: 0,
};
const NO_CALLS: CallHistory = { calls: [], total: 0, limit: 20, offset: 0 };

function inside(change: Partial<AppState> = {}): AppState {
  return {
    ...initialAppState({ page: "home" }, "en"),
    session: { kind: "in", account: { userId: "ada", username: "Ada", language: "en" } },
    link: "ready",
    conversations: [TEAM, DIRECT],
    ...change,
  };
}

function run(state: AppState, ...actions: AppAction[]): { state: AppState; effects: AppEffect[] } {
  const effects: AppEffect[] = [];
  let now = state;
  for (const action of actions) {
    const step = reduceApp(now, action);
    now = step.state;
    effects.push(...step.effects);
  }
  return { state: now, effects };
}

const kinds = (effects: AppEffect[]) => effects.map(({ type }) => type);

describe("opening", () => {
  it("tries the remembered login", () => {
    expect(kinds(run(initialAppState({ page: "home" }, "en"), { type: "opened" }).effects)).toEqual([
      "load-config",
      "restore-login",
    ]);
  });

  it("opens a guest's link instead", () => {
    const { effects } = run(initialAppState({ page: "guest", linkToken: "t" }, "en"), { type: "opened" });
    expect(effects).toContainEqual({ type: "open-link", token: "t" });
    expect(kinds(effects)).not.toContain("restore-login");
  });
});

describe("login", () => {
  const out = {
    ...initialAppState({ page: "home" }, "en"),
    session: { kind: "out", busy: false, problem: null },
  } as const;

  it("asks with a trimmed name, and not without one", () => {
    const asked = run(out, { type: "login-asked", name: "  Ada ", language: "fr" });
    expect(asked.effects).toEqual([{ type: "login", name: "Ada", language: "fr" }]);
    expect(asked.state.session).toEqual({ kind: "out", busy: true, problem: null });
    expect(run(out, { type: "login-asked", name: "  ", language: "fr" }).effects).toEqual([]);
  });

  it("connects, and loads what the page needs", () => {
    const account = { userId: "ada", username: "Ada", language: "en" };
    const { state, effects } = run(
      { ...out, route: { page: "conversation", conversationId: "team" } },
      { type: "logged-in", account },
    );
    expect(state.session).toEqual({ kind: "in", account });
    expect(kinds(effects)).toEqual(["load-history", "connect", "load-conversations"]);
  });

  it("forgets everything when it ends, but not where one was", () => {
    const route = { page: "conversation", conversationId: "team" } as const;
    const { state, effects } = run(inside({ route, incoming: [RING] }), {
      type: "logged-out",
      problem: "expired",
    });
    expect(state).toMatchObject({ route, conversations: null, incoming: [] });
    expect(state.session).toEqual({ kind: "out", busy: false, problem: "expired" });
    expect(effects).toEqual([{ type: "logout" }]);
  });

  it("does not end in the middle of a call by the button", () => {
    expect(run(inside({ callPhase: "in-call" }), { type: "logout-asked" }).state.session.kind).toBe("in");
    expect(run(inside(), { type: "logout-asked" }).state.session.kind).toBe("out");
  });

  it("ends when the gateway refuses the token", () => {
    const { state } = run(inside(), { type: "link-changed", link: "refused" });
    expect(state.session).toEqual({ kind: "out", busy: false, problem: "expired" });
  });

  it("catches up after a break", () => {
    const { effects } = run(
      inside(),
      { type: "link-changed", link: "interrupted" },
      { type: "link-changed", link: "ready" },
    );
    expect(kinds(effects)).toEqual(["load-conversations"]);
  });
});

describe("routes", () => {
  const team = { page: "conversation", conversationId: "team" } as const;

  it("asked for are shown in the address, and their history is loaded", () => {
    const { state, effects } = run(inside(), { type: "route-asked", route: team });
    expect(state.route).toEqual(team);
    expect(effects).toEqual([
      { type: "load-history", conversationId: "team", offset: 0 },
      { type: "show-route", route: team },
    ]);
    expect(run(inside({ route: team }), { type: "route-asked", route: team }).effects).toEqual([]);
  });

  it("of the back button are followed", () => {
    const { state, effects } = run(inside(), { type: "route-changed", route: team });
    expect(state.route).toEqual(team);
    expect(kinds(effects)).toEqual(["load-history"]);
  });
});

describe("conversations", () => {
  it("come latest first", () => {
    const { state } = run(inside({ conversations: null }), {
      type: "conversations-loaded",
      conversations: [TEAM, DIRECT],
    });
    expect(state.conversations?.map(({ conversationId }) => conversationId)).toEqual(["direct", "team"]);
  });

  it("know who is online", () => {
    const { state } = run(inside(), { type: "presence-changed", userId: "bob", online: true });
    expect(conversationOf(state, "team")?.members[1]?.online).toBe(true);
    expect(conversationOf(state, "direct")?.members[1]?.online).toBe(true);
  });

  const going: Ongoing = {
    callId: "k",
    conversationId: "team",
    participantCount: 2,
    startedAt: "2026-01-01T10:00:00.000Z",
    mode: "p2p",
    active: true,
  };

  it("know their live call, until it ends", () => {
    const live = run(inside(), { type: "ongoing-changed", ongoing: going });
    expect(conversationOf(live.state, "team")?.activeCall).toMatchObject({
      callId: "k",
      participantCount: 2,
    });
    const over = run(live.state, { type: "ongoing-changed", ongoing: { ...going, active: false } });
    expect(conversationOf(over.state, "team")?.activeCall).toBeUndefined();
  });

  it("keep a newer call when an older one is reported over", () => {
    const { state } = run(
      inside(),
      { type: "ongoing-changed", ongoing: { ...going, callId: "new" } },
      { type: "ongoing-changed", ongoing: { ...going, active: false } },
    );
    expect(conversationOf(state, "team")?.activeCall?.callId).toBe("new");
  });

  it("are loaded again when a call is in one that is not known", () => {
    const { effects } = run(inside(), {
      type: "ongoing-changed",
      ongoing: { ...going, conversationId: "new" },
    });
    expect(kinds(effects)).toEqual(["load-conversations"]);
  });
});

describe("history", () => {
  const past = (callId: string) => ({
    callId,
    mode: "p2p" as const,
    status: "ended" as const,
    participantCount: 2,
    createdAt: "",
    endedAt: null,
    duration: 1,
  });

  it("grows page by page, one at a time", () => {
    const first = run(inside(), {
      type: "history-loaded",
      conversationId: "team",
      page: { ...NO_CALLS, calls: [past("a"), past("b")], total: 3 },
    });
    const more = run(first.state, { type: "more-history-asked", conversationId: "team" });
    expect(more.effects).toEqual([{ type: "load-history", conversationId: "team", offset: 2 }]);
    expect(run(more.state, { type: "more-history-asked", conversationId: "team" }).effects).toEqual([]);
    const { state } = run(more.state, {
      type: "history-loaded",
      conversationId: "team",
      page: { ...NO_CALLS, calls: [past("c")], total: 3, offset: 2 },
    });
    expect(state.histories.team?.calls.map(({ callId }) => callId)).toEqual(["a", "b", "c"]);
  });

  it("says when it cannot be had", () => {
    const { state } = run(inside(), {
      type: "history-failed",
      conversationId: "team",
      problem: "unreachable",
    });
    expect(state.histories.team).toMatchObject({ busy: false, problem: "unreachable" });
  });
});

describe("links", () => {
  it("are made once and then only copied", () => {
    const first = run(inside(), { type: "link-asked", conversationId: "team" });
    expect(first.effects).toEqual([{ type: "make-link", conversationId: "team" }]);
    const made = run(first.state, { type: "link-made", conversationId: "team", url: "https://x/join/t" });
    expect(made.effects).toEqual([{ type: "copy", text: "https://x/join/t" }]);
    expect(run(made.state, { type: "link-asked", conversationId: "team" }).effects).toEqual([
      { type: "copy", text: "https://x/join/t" },
    ]);
  });
});

describe("making a conversation", () => {
  const open = run(inside(), { type: "draft-opened" }).state;

  it("looks for people as one types, and forgets answers to what was typed before", () => {
    const typed = run(open, { type: "draft-searched", query: "bo " });
    expect(typed.effects).toEqual([{ type: "search", query: "bo" }]);
    expect(
      run(typed.state, { type: "people-found", query: "b", people: [BOB] }).state.draft?.found,
    ).toBeNull();
    expect(run(typed.state, { type: "people-found", query: "bo", people: [BOB] }).state.draft?.found).toEqual(
      [BOB],
    );
  });

  it("makes a group of the picked ones, under their names unless it has one", () => {
    const eve: Person = { userId: "eve", username: "Eve", online: true };
    const picked = run(open, { type: "draft-toggled", person: BOB }, { type: "draft-toggled", person: eve });
    expect(run(picked.state, { type: "draft-submitted" }).effects).toEqual([
      { type: "create-conversation", memberIds: ["bob", "eve"], title: "Bob, Eve" },
    ]);
    const named = run(picked.state, { type: "draft-titled", title: " Tea " }, { type: "draft-submitted" });
    expect(named.effects).toEqual([{ type: "create-conversation", memberIds: ["bob", "eve"], title: "Tea" }]);
    // A second click while the first is under way.
    expect(run(named.state, { type: "draft-submitted" }).effects).toEqual([]);
  });

  it("needs somebody, and lets go of them again", () => {
    expect(run(open, { type: "draft-submitted" }).effects).toEqual([]);
    const twice = run(open, { type: "draft-toggled", person: BOB }, { type: "draft-toggled", person: BOB });
    expect(twice.state.draft?.picked).toEqual([]);
  });

  it("leads to the conversation, which is listed once", () => {
    const { state, effects } = run(open, { type: "conversation-made", conversation: DIRECT });
    expect(state).toMatchObject({ draft: null, route: { page: "conversation", conversationId: "direct" } });
    expect(state.conversations?.map(({ conversationId }) => conversationId)).toEqual(["direct", "team"]);
    expect(kinds(effects)).toEqual(["show-route", "load-history"]);
  });

  it("keeps what was picked when it does not work", () => {
    const { state } = run(
      open,
      { type: "draft-toggled", person: BOB },
      { type: "draft-submitted" },
      { type: "draft-failed", problem: "busy" },
    );
    expect(state.draft).toMatchObject({ busy: false, problem: "busy", picked: [BOB] });
  });
});

describe("incoming calls", () => {
  it("ring, each once, in the order they came", () => {
    const { state } = run(
      inside(),
      { type: "ringing", call: RING },
      { type: "ringing", call: { ...RING, callId: "l" } },
      { type: "ringing", call: RING },
    );
    expect(state.incoming.map(({ callId }) => callId)).toEqual(["k", "l"]);
    expect(rings(state)).toBe(true);
  });

  it("of one's own making are no news", () => {
    expect(run(inside({ callId: "k" }), { type: "ringing", call: RING }).state.incoming).toEqual([]);
  });

  it("do not sound while one is talking", () => {
    expect(rings(run(inside({ callPhase: "in-call" }), { type: "ringing", call: RING }).state)).toBe(false);
  });

  it("are accepted into their conversation", () => {
    const { state, effects } = run(inside({ incoming: [RING] }), { type: "accept-asked", callId: "k" });
    expect(state).toMatchObject({ incoming: [], route: { page: "conversation", conversationId: "team" } });
    expect(effects).toContainEqual({ type: "join-call", conversation: TEAM, callId: "k", callType: "audio" });
  });

  it("are declined", () => {
    const { state, effects } = run(inside({ incoming: [RING] }), { type: "decline-asked", callId: "k" });
    expect(state.incoming).toEqual([]);
    expect(effects).toEqual([{ type: "decline", callId: "k" }]);
  });

  it("stop when answered elsewhere, without a word; missed ones are told of", () => {
    const ringing = inside({ incoming: [RING] });
    expect(run(ringing, { type: "ring-ended", callId: "k", missed: false }).state).toMatchObject({
      incoming: [],
      toasts: [],
    });
    const { state } = run(ringing, { type: "ring-ended", callId: "k", missed: true });
    expect(state.toasts).toMatchObject([{ kind: "missed-call", name: "Bob" }]);
    // Ended calls that do not ring here are none of our business.
    expect(run(inside(), { type: "ring-ended", callId: "k", missed: true }).state.toasts).toEqual([]);
  });
});

describe("calls", () => {
  it("are started, but not a second beside the first", () => {
    const asked: AppAction = { type: "call-asked", conversationId: "direct", callType: "video" };
    expect(run(inside(), asked).effects).toEqual([
      { type: "start-call", conversation: DIRECT, callType: "video" },
    ]);
    expect(run(inside({ callPhase: "calling" }), asked).effects).toEqual([]);
  });

  it.each(["ended", "left", "cancelled", "elsewhere"] as const)("%s are told of in passing", (kind) => {
    const outcome = { kind, name: "Bob", durationSeconds: 7, code: null };
    const { state } = run(inside(), { type: "call-over", conversationId: "direct", outcome, shown: false });
    expect(state.toasts).toMatchObject([{ kind, name: "Bob", durationSeconds: 7 }]);
  });

  it("begin without words about the last one", () => {
    const toasts = [{ id: 1, kind: "ended" as const, name: "Bob", durationSeconds: 7 }];
    const { state } = run(inside({ toasts }), { type: "call-changed", phase: "calling", callId: null });
    expect(state.toasts).toEqual([]);
  });

  it("bring the banner back when they are over", () => {
    const put = run(inside(), { type: "banner-dismissed", callId: "k" });
    expect(put.state.dismissed).toEqual(["k"]);
    const outcome = { kind: "lost", name: "", durationSeconds: null, code: null } as const;
    const { state, effects } = run(put.state, {
      type: "call-over",
      conversationId: "team",
      outcome,
      shown: true,
    });
    expect(state).toMatchObject({ dismissed: [], toasts: [] });
    expect(effects).toContainEqual({
      type: "later",
      milliseconds: 700,
      action: { type: "history-outdated", conversationId: "team" },
    });
  });
});

describe("guests", () => {
  const link = {
    conversationId: "team",
    linkId: "l",
    title: "Team",
    permissions: { joinCalls: true, shareScreen: false },
  };
  const opening = initialAppState({ page: "guest", linkToken: "t" }, "en");
  const form = run(opening, { type: "guest-link-opened", link }).state;

  it("give their name, wait, and join", () => {
    const entered = run(form, { type: "guest-entered", firstName: " Maya ", lastName: "", language: "fr" });
    expect(entered.effects).toEqual([
      { type: "enter-as-guest", link, firstName: "Maya", lastName: "", language: "fr" },
    ]);
    const waiting = run(entered.state, { type: "guest-inside", link, username: "Guest_Maya" });
    expect(waiting.state.guest).toMatchObject({ step: "waiting", username: "Guest_Maya" });
    expect(kinds(waiting.effects)).toEqual(["connect", "watch-guest-call"]);
    expect(run(waiting.state, { type: "guest-join-asked" }).effects).toEqual([]);
    const live = run(waiting.state, { type: "guest-call-changed", callId: "k", participantCount: 2 });
    expect(run(live.state, { type: "guest-join-asked" }).effects).toEqual([
      { type: "join-as-guest", link, callId: "k" },
    ]);
  });

  it("without a first name stay at the form", () => {
    const { effects } = run(form, { type: "guest-entered", firstName: " ", lastName: "x", language: "fr" });
    expect(effects).toEqual([]);
  });

  it("whose link allows no calls are told so", () => {
    const closed = { ...link, permissions: { joinCalls: false, shareScreen: false } };
    const { state } = run(opening, { type: "guest-link-opened", link: closed });
    expect(state.guest).toMatchObject({ step: "closed", problem: "refused" });
  });

  it("hear of the call of their conversation only", () => {
    const waiting = run(form, { type: "guest-inside", link, username: "G" }).state;
    const ongoing = { callId: "k", participantCount: 2, startedAt: null, mode: "p2p", active: true } as const;
    const other = run(waiting, { type: "ongoing-changed", ongoing: { ...ongoing, conversationId: "x" } });
    expect(other.state.guest?.callId).toBeNull();
    const ours = run(waiting, { type: "ongoing-changed", ongoing: { ...ongoing, conversationId: "team" } });
    expect(ours.state.guest?.callId).toBe("k");
  });

  it("who are refused come back to the form", () => {
    const waiting = run(form, { type: "guest-inside", link, username: "G" }).state;
    const { state } = run(waiting, { type: "link-changed", link: "refused" });
    expect(state.guest).toMatchObject({ step: "form", problem: "expired" });
  });
});
