// @vitest-environment jsdom
import { act, cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppEffect } from "../app/actions";
import { type AppState, EMPTY_DRAFT, type IncomingCall, initialAppState } from "../app/state";
import { AppStore } from "../app/store";
import type { CallState, OutcomeKind } from "../call/state";
import { CallStore } from "../call/store";
import { LevelBoard } from "../media/levels";
import { ViewBook } from "../media/views";
import { furnishPage } from "../testing/page";
import { callState, inCall } from "../testing/people";
import { fakeTrack } from "../testing/tracks";
import { render } from "@testing-library/react";
import { App } from "./App";
import { BOB, loggedIn, TEAM, WITH_BOB } from "./testing";
import { texts } from "./texts";

function openPage(appState: AppState = loggedIn(), call: Partial<CallState> = {}) {
  const app = new AppStore(appState);
  const appEffects: AppEffect[] = [];
  app.perform((effect) => appEffects.push(effect));
  const store = new CallStore(callState(call));
  const session = {
    views: new ViewBook(),
    levels: new LevelBoard(),
    canShareScreen: true,
    noteFrame: vi.fn(),
    noteVoice: vi.fn(),
    leave: vi.fn(),
    end: vi.fn(),
    kick: vi.fn(),
  };
  const services = { store: app, touched: vi.fn(), measureSpeed: vi.fn(() => Promise.resolve(24_000)) };
  const rendered = render(<App app={services} call={{ store, session }} />);
  return { ...rendered, app, appEffects, store, session, services };
}

const at = (conversationId: string, change: Partial<AppState> = {}) =>
  loggedIn({ route: { page: "conversation", conversationId }, ...change });
const out = (change: Partial<AppState> = {}): AppState => ({
  ...initialAppState({ page: "home" }, "en"),
  session: { kind: "out", busy: false, problem: null },
  ...change,
});
const LIVE = {
  callId: "k",
  mode: "sfu",
  status: "active",
  participantCount: 3,
  participants: [],
  startedAt: new Date(Date.now() - 65_000).toISOString(),
} as const;
const RING: IncomingCall = {
  callId: "k",
  conversationId: "with-bob",
  type: "video",
  callerName: "Bob",
  callerAvatar: null,
  expiresAt: Date.now() + 30_000,
};

beforeEach(() => {
  furnishPage();
  vi.stubGlobal("RTCPeerConnection", vi.fn());
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("login", () => {
  it("takes a name and a language", async () => {
    const { appEffects } = openPage(out());
    await userEvent.type(screen.getByLabelText(texts.login.name), "Ada");
    await userEvent.selectOptions(screen.getByLabelText(texts.login.language), "fr");
    await userEvent.keyboard("{Enter}");
    await userEvent.click(screen.getByTestId("login-submit"));
    expect(appEffects).toContainEqual({ type: "login", name: "Ada", language: "fr" });
  });

  it("asks for a missing name and goes there", async () => {
    const { appEffects } = openPage(out());
    await userEvent.click(screen.getByTestId("login-submit"));
    const field = screen.getByLabelText(texts.login.name);
    expect(screen.getByRole("alert").textContent).toBe(texts.login.needName);
    expect(document.activeElement).toBe(field);
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(appEffects).toEqual([]);
  });

  it("says why one is outside", () => {
    openPage(out({ session: { kind: "out", busy: false, problem: "expired" } }));
    expect(screen.getByTestId("login-problem").textContent).toBe(texts.problem.expired);
  });

  it("offers no form where a name is not enough", () => {
    const config = { devLogin: false } as AppState["config"];
    openPage(out({ config }));
    expect(screen.queryByTestId("login-name")).toBeNull();
    expect(screen.getByText(texts.login.closed)).toBeDefined();
  });
});

describe("home", () => {
  it("lists conversations with who is there and what goes on", () => {
    openPage(loggedIn({ conversations: [{ ...TEAM, activeCall: { ...LIVE, participants: [] } }, WITH_BOB] }));
    const [team, bob] = screen.getAllByTestId("conversation-item");
    expect(team?.textContent).toContain("2 members · 1 online");
    expect(within(team ?? document.body).getByText(texts.home.liveCall(3))).toBeDefined();
    expect(bob?.textContent).toContain(texts.home.online);
    expect(bob?.getAttribute("href")).toBe("/c/with-bob");
  });

  it("opens one with a click, and leaves clicks for new tabs to the browser", async () => {
    const { app } = openPage();
    const [team] = screen.getAllByTestId("conversation-item");
    if (team === undefined) throw new Error("no conversation");
    await userEvent.click(team);
    expect(app.state().route).toEqual({ page: "conversation", conversationId: "team" });
    expect(screen.getByRole("heading", { name: "Team" })).toBeDefined();
    expect(team.getAttribute("aria-current")).toBe("page");
  });

  it("invites to begin when there is nothing yet, and says when it cannot load", () => {
    const { appEffects, unmount } = openPage(loggedIn({ conversations: [] }));
    expect(screen.getByText(texts.home.emptyTitle)).toBeDefined();
    unmount();
    openPage(loggedIn({ conversations: null, conversationsProblem: "unreachable" }));
    expect(screen.getByRole("alert").textContent).toContain(texts.problem.unreachable);
    expect(appEffects).toEqual([]);
  });

  it("makes a conversation with the people picked", async () => {
    const { app, appEffects } = openPage(loggedIn({ draft: { ...EMPTY_DRAFT, found: [BOB] } }));
    expect(document.activeElement).toBe(screen.getByTestId("draft-search"));
    await userEvent.click(screen.getByTestId("found-person"));
    expect(screen.getByTestId("found-person").getAttribute("aria-pressed")).toBe("true");
    expect(screen.getByTestId("draft-create").textContent).toBe(texts.draft.createDirect("Bob"));
    await userEvent.click(screen.getByTestId("draft-create"));
    expect(appEffects).toContainEqual({ type: "create-conversation", memberIds: ["bob"], title: "Bob" });
    await userEvent.keyboard("{Escape}");
    expect(app.state().draft).toBeNull();
  });
});

describe("a conversation", () => {
  it.each([
    ["call-video", "video"],
    ["call-audio", "audio"],
  ] as const)("%s starts a call", async (testId, callType) => {
    const { appEffects } = openPage(at("with-bob"));
    await userEvent.click(screen.getByTestId(testId));
    expect(appEffects).toContainEqual({ type: "start-call", conversation: WITH_BOB, callType });
  });

  it.each<[string, Partial<AppState>, string]>([
    ["a public one", { conversations: [{ ...TEAM, type: "public" }] }, texts.conversation.reason.type],
    ["another call", { callPhase: "in-call" }, texts.conversation.reason.busy],
    ["no connection", { link: "interrupted" }, texts.conversation.reason.interrupted],
  ])("does not start calls in %s, and says why", (_name, change, reason) => {
    openPage(at("team", change));
    expect(screen.getByTestId<HTMLButtonElement>("call-video").disabled).toBe(true);
    expect(screen.getByTestId("call-reason").textContent).toBe(reason);
  });

  it("does not start calls in a browser that cannot", () => {
    vi.stubGlobal("RTCPeerConnection", undefined);
    openPage(at("team"));
    expect(screen.getByTestId("call-reason").textContent).toBe(texts.conversation.reason.unsupported);
  });

  it("warns when the other one is offline, but lets one leave a missed call", () => {
    const away = { ...WITH_BOB, members: WITH_BOB.members.map((member) => ({ ...member, online: false })) };
    openPage(at("with-bob", { conversations: [away] }));
    expect(screen.getByTestId("call-reason").textContent).toBe(texts.conversation.offline("Bob"));
    expect(screen.getByTestId<HTMLButtonElement>("call-video").disabled).toBe(false);
  });

  it("shows the call that goes on, and the way in; put away, it stays away", async () => {
    const conversations = [{ ...TEAM, activeCall: { ...LIVE, participants: [] } }];
    const { app, appEffects } = openPage(at("team", { conversations }));
    const banner = screen.getByTestId("ongoing-banner");
    expect(banner.textContent).toMatch(/^3 participants • 01:\d\d/);
    await userEvent.click(screen.getByTestId("banner-join"));
    expect(appEffects.find(({ type }) => type === "join-call")).toMatchObject({ callId: "k" });
    await userEvent.click(screen.getByTestId("banner-dismiss"));
    expect(screen.queryByTestId("ongoing-banner")).toBeNull();
    expect(app.state().dismissed).toEqual(["k"]);
  });

  it("has no banner for one's own call", () => {
    const conversations = [{ ...TEAM, activeCall: { ...LIVE, participants: [] } }];
    openPage(at("team", { conversations, callId: "k" }));
    expect(screen.queryByTestId("ongoing-banner")).toBeNull();
  });

  it("remembers its calls and how they went", async () => {
    const past = (callId: string, outcome: "completed" | "missed", duration: number) => ({
      callId,
      mode: "p2p" as const,
      status: "ended" as const,
      outcome,
      participantCount: 2,
      createdAt: "2026-01-01T10:00:00.000Z",
      endedAt: "2026-01-01T10:05:00.000Z",
      duration,
    });
    const calls = [past("a", "completed", 754), past("b", "missed", 0)];
    const histories = { team: { calls, total: 5, busy: false, problem: null } };
    const { appEffects } = openPage(at("team", { histories }));
    expect(screen.getAllByTestId("past-call").map(({ dataset }) => dataset.outcome)).toEqual([
      "completed",
      "missed",
    ]);
    expect(screen.getAllByTestId("past-call")[0]?.textContent).toContain("12:34");
    await userEvent.click(screen.getByRole("button", { name: texts.conversation.moreHistory }));
    expect(appEffects).toContainEqual({ type: "load-history", conversationId: "team", offset: 2 });
  });

  it("lets one check camera, microphone and connection before a call", async () => {
    const { services } = openPage(at("team"));
    await userEvent.click(screen.getByTestId("check-devices"));
    const dialog = screen.getByRole("dialog", { name: texts.check.title });
    expect(within(dialog).getByTestId("preview")).toBeDefined();
    await userEvent.click(screen.getByRole("button", { name: texts.check.measure }));
    expect(services.measureSpeed).toHaveBeenCalled();
    expect(dialog.textContent).toContain(texts.check.mbits("24"));
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("that is not one's own is not shown", () => {
    openPage(at("elsewhere"));
    expect(screen.getByText(texts.conversation.missing)).toBeDefined();
  });
});

describe("an incoming call", () => {
  it("is announced, with Accept focused", () => {
    openPage(loggedIn({ incoming: [RING] }));
    const card = screen.getByRole("alertdialog", { name: texts.incoming.label("Bob", false) });
    expect(card.closest('[aria-live="assertive"]')).not.toBeNull();
    expect(document.activeElement).toBe(screen.getByTestId("incoming-accept"));
    expect(document.title).toBe(texts.incoming.title("Bob"));
  });

  it.each([
    ["incoming-accept", "join-call"],
    ["incoming-decline", "decline"],
  ])("%s does what it says", async (testId, effect) => {
    const { app, appEffects } = openPage(loggedIn({ incoming: [RING] }));
    await userEvent.click(screen.getByTestId(testId));
    expect(appEffects.map(({ type }) => type)).toContain(effect);
    expect(app.state().incoming).toEqual([]);
    expect(screen.queryByTestId("incoming-call")).toBeNull();
  });

  it("is taken with the keyboard", async () => {
    const { appEffects } = openPage(loggedIn({ incoming: [RING] }));
    await userEvent.keyboard("{Enter}");
    expect(appEffects.map(({ type }) => type)).toContain("join-call");
  });

  it("waits its turn behind another", async () => {
    openPage(loggedIn({ incoming: [RING, { ...RING, callId: "l", callerName: "Eve" }] }));
    const [first] = screen.getAllByTestId("incoming-decline");
    if (first === undefined) throw new Error("no card");
    await userEvent.click(first);
    expect(screen.getAllByTestId("incoming-call").map(({ dataset }) => dataset.callId)).toEqual(["l"]);
    expect(document.activeElement).toBe(screen.getByTestId("incoming-accept"));
  });

  it("does not take the focus from a call", () => {
    openPage(loggedIn({ incoming: [RING], callPhase: "in-call" }), inCall());
    expect(screen.getByTestId("incoming-accept").textContent).toBe(texts.incoming.acceptInstead);
    expect(document.activeElement).not.toBe(screen.getByTestId("incoming-accept"));
  });
});

describe("an outgoing call", () => {
  const calling = (callId: string): Partial<CallState> => {
    const { call } = inCall();
    return { phase: "calling", call: call === null ? null : { ...call, callId, startedAt: null } };
  };

  it("is calling until the gateway knows it, then it rings; Cancel has the focus", async () => {
    const first = openPage(loggedIn(), calling(""));
    expect(screen.getByTestId("outgoing-state").textContent).toBe(texts.outgoing.calling);
    first.unmount();
    const { session } = openPage(loggedIn(), calling("k"));
    expect(screen.getByTestId("outgoing-state").textContent).toBe(texts.outgoing.ringing);
    expect(document.activeElement).toBe(screen.getByTestId("outgoing-cancel"));
    await userEvent.click(screen.getByTestId("outgoing-cancel"));
    expect(session.leave).toHaveBeenCalled();
  });

  it("shows one's own picture", () => {
    const off = { on: false, track: null, trouble: null };
    const camera = { on: true, track: fakeTrack("video"), trouble: null };
    openPage(loggedIn(), { ...calling("k"), local: { microphone: off, camera, screen: off } });
    expect(screen.getByTestId("outgoing-preview")).toBeDefined();
  });

  it("explains a blocked camera, and goes on", () => {
    const off = { on: false, track: null, trouble: null };
    const camera = { on: false, track: null, trouble: "denied" as const };
    openPage(loggedIn(), { ...calling("k"), local: { microphone: off, camera, screen: off } });
    expect(screen.getByTestId("permission-note").textContent).toContain(texts.trouble.camera.denied);
  });
});

describe("an outcome", () => {
  const ended = (kind: OutcomeKind): Partial<CallState> => ({
    phase: "ended",
    call: inCall().call,
    outcome: { kind, name: "Bob", durationSeconds: kind === "lost" ? 754 : null, code: null },
  });

  it.each(["declined", "missed", "offline", "busy", "kicked", "lost", "full", "failed"] as const)(
    "%s is told, with something to do next",
    async (kind) => {
      const { store } = openPage(loggedIn(), ended(kind));
      expect(screen.getByRole("heading", { level: 1 }).textContent).toBe(texts.outcome.title[kind]);
      expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1 }));
      await userEvent.click(screen.getByTestId("outcome-back"));
      expect(store.state().phase).toBe("idle");
    },
  );

  it("of a lost connection says how long it was, and the way back in", async () => {
    const { appEffects } = openPage(
      loggedIn({ conversations: [{ ...TEAM, conversationId: "conversation" }] }),
      ended("lost"),
    );
    expect(screen.getByText(texts.outcome.lasted("12:34"))).toBeDefined();
    expect(screen.getByText(texts.outcome.tips.title)).toBeDefined();
    await userEvent.click(screen.getByTestId("outcome-rejoin"));
    expect(appEffects.find(({ type }) => type === "join-call")).toMatchObject({ callId: "call" });
  });

  it("of a call nobody took offers to call again", async () => {
    const { appEffects } = openPage(
      loggedIn({ conversations: [{ ...TEAM, conversationId: "conversation" }] }),
      ended("missed"),
    );
    await userEvent.click(screen.getByTestId("outcome-again"));
    expect(appEffects.map(({ type }) => type)).toContain("start-call");
  });

  it.each([
    ["ended", "Call ended • 3:24"],
    ["left", "You left the call • 3:24"],
  ] as const)("%s in passing is a toast that is also read out and can be put away", async (kind, text) => {
    const toast = { id: 1, kind, name: "Bob", durationSeconds: 204 };
    openPage(loggedIn({ toasts: [toast], announcement: toast }));
    expect(screen.getAllByText(text)).toHaveLength(2);
    await userEvent.click(screen.getByRole("button", { name: texts.close }));
    expect(screen.queryByTestId("app-toasts")).toBeNull();
  });
});

describe("a guest", () => {
  const link = {
    conversationId: "team",
    linkId: "l",
    title: "Team",
    permissions: { joinCalls: true, shareScreen: false },
  };
  const guest = (change: Partial<NonNullable<AppState["guest"]>>): AppState => {
    const state = initialAppState({ page: "guest", linkToken: "t" }, "en");
    const form = {
      step: "form",
      link,
      username: "",
      callId: null,
      participantCount: 0,
      problem: null,
    } as const;
    return { ...state, guest: { ...form, ...change } };
  };

  it("gives a name and a language", async () => {
    const { appEffects } = openPage(guest({}));
    await userEvent.click(screen.getByTestId("guest-continue"));
    expect(screen.getByRole("alert").textContent).toBe(texts.guest.needName);
    await userEvent.type(screen.getByTestId("guest-first-name"), "Maya");
    await userEvent.selectOptions(screen.getByTestId("guest-language"), "de");
    await userEvent.click(screen.getByTestId("guest-continue"));
    expect(appEffects).toContainEqual({
      type: "enter-as-guest",
      link,
      firstName: "Maya",
      lastName: "",
      language: "de",
    });
  });

  it("waits for the call and is asked as soon as there is one", async () => {
    const { app, appEffects } = openPage(guest({ step: "waiting", username: "Guest_Maya" }));
    expect(screen.getByRole("heading").textContent).toBe(texts.guest.waitingTitle);
    act(() => app.dispatch({ type: "guest-call-changed", callId: "k", participantCount: 2 }));
    expect(screen.getByRole("heading").textContent).toBe(texts.guest.inCallTitle);
    expect(document.activeElement).toBe(screen.getByTestId("guest-join"));
    await userEvent.click(screen.getByTestId("guest-join"));
    expect(appEffects).toContainEqual({ type: "join-as-guest", link, callId: "k" });
  });

  it("who left a call hears that it goes on, and can go back into it", async () => {
    const { call } = inCall();
    const outcome = { kind: "left", name: "Team", durationSeconds: 5, code: null } as const;
    const { appEffects } = openPage(guest({ step: "waiting", callId: "call" }), {
      phase: "ended",
      call,
      outcome,
    });
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("You left the call");
    expect(screen.getByText("The call in Team goes on without you.")).toBeDefined();
    await userEvent.click(screen.getByTestId("outcome-rejoin"));
    expect(appEffects).toContainEqual({ type: "join-as-guest", link, callId: "call" });
  });

  it("with a dead link can try again", async () => {
    const { appEffects } = openPage(guest({ step: "closed", link: null, problem: "gone" }));
    expect(screen.getByRole("heading").textContent).toBe(texts.guest.closedTitle);
    await userEvent.click(screen.getByRole("button", { name: texts.retry }));
    expect(appEffects).toEqual([{ type: "open-link", token: "t" }]);
  });
});

it("says in the tab where one is", () => {
  openPage(at("team"));
  expect(document.title).toBe(`Team · ${texts.product}`);
});
