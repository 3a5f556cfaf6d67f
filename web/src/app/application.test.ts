import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Emitter } from "../emitter";
import { initialState } from "../call/state";
import { CallStore } from "../call/store";
import { SignallingError } from "../signalling/errors";
import type { ConversationDto, LoginResponse } from "../signalling/generated";
import type { Rest } from "../signalling/gateway-rest";
import type { Gateway, GatewaySocketEvents } from "../signalling/gateway-socket";
import { Application, type Calls, type Outside } from "./application";
import { type Route } from "./route";
import { initialAppState } from "./state";
import { AppStore } from "./store";
import { NO_WISHES, type Wishes } from "./wishes";

const TEAM: ConversationDto = {
  conversationId: "team",
  type: "group",
  title: "Team",
  role: "admin",
  members: [],
  updatedAt: "2026-01-01T10:00:00.000Z",
};
const LOGIN: LoginResponse = {
  token: "t",
  tokenExpiresAt: "2099-01-01T00:00:00.000Z",
  user: { userId: "ada", username: "Ada", language: "en" },
};
const LINK = {
  conversationId: "team",
  linkId: "l",
  title: "Team",
  permissions: { joinCalls: true, shareScreen: false },
};
const HOME: Route = { page: "home" };
const IN_TEAM: Route = { page: "conversation", conversationId: "team" };
const LIVE = {
  callId: "k",
  mode: "p2p",
  status: "active",
  participantCount: 2,
  participants: [],
  startedAt: null,
} as const;

/** A gateway that only says what the test makes it say. */
class FakeGateway {
  readonly events = new Emitter<GatewaySocketEvents>();
  readonly link = "ready";
  readonly request = vi.fn(() => Promise.resolve(null));
  readonly close = vi.fn();
}

function stage(
  route: Route,
  { wishes = NO_WISHES, conversation = TEAM }: { wishes?: Wishes; conversation?: ConversationDto } = {},
) {
  const store = new AppStore(initialAppState(route, "en"));
  const callStore = new CallStore(
    initialState({
      name: "",
      chosen: { microphone: undefined, camera: undefined, speaker: undefined },
      microphoneOn: true,
      cameraOn: true,
    }),
  );
  const rest = {
    config: vi.fn<() => Promise<unknown>>(() => Promise.reject(new Error("not asked here"))),
    login: vi.fn(() => Promise.resolve(LOGIN)),
    conversations: vi.fn(() => Promise.resolve([conversation])),
    history: vi.fn(() => Promise.resolve({ calls: [], total: 0, limit: 20, offset: 0 })),
    users: vi.fn(() => Promise.resolve([])),
    createConversation: vi.fn(() => Promise.resolve(TEAM)),
    createLink: vi.fn(() => Promise.resolve({ linkId: "l", token: "x", path: "/join/x" })),
    trackedLink: vi.fn(() => Promise.resolve(LINK)),
    joinAnonymous: vi.fn(() =>
      Promise.resolve({ anonymousUserId: "g", sessionToken: "s", username: "Guest_Maya" }),
    ),
    activeCall: vi.fn<() => Promise<typeof LIVE | null>>(() => Promise.resolve(null)),
  };
  const gateways: FakeGateway[] = [];
  const calls = {
    state: callStore.state,
    subscribe: callStore.subscribe,
    attach: vi.fn(),
    requireRelay: vi.fn(),
    identify: vi.fn(),
    start: vi.fn(),
    join: vi.fn(),
    dismissOutcome: vi.fn(() => callStore.dispatch({ type: "outcome-dismissed" })),
  } satisfies Calls;
  const outside = {
    keeping: { tab: undefined, visits: undefined } as Outside["keeping"],
    rest: () => rest as unknown as Rest,
    gateway: () => {
      const gateway = new FakeGateway();
      gateways.push(gateway);
      return gateway as unknown as Gateway;
    },
    ringtone: { start: vi.fn(), stop: vi.fn(), unlock: vi.fn() },
    show: vi.fn(),
    copy: vi.fn(() => Promise.resolve()),
    origin: "https://call.example",
  };
  const application = new Application(store, calls, outside, wishes);
  return { store, callStore, rest, gateways, calls, outside, application };
}

type Stage = ReturnType<typeof stage>;

async function loggedIn(route: Route = HOME, settings: Parameters<typeof stage>[1] = {}): Promise<Stage> {
  const made = stage(route, settings);
  made.application.open();
  made.store.dispatch({ type: "login-asked", name: "Ada", language: "en" });
  await vi.advanceTimersByTimeAsync(0);
  return made;
}

function gatewayOf({ gateways }: Stage): FakeGateway {
  const gateway = gateways.at(-1);
  if (gateway === undefined) throw new Error("not connected");
  return gateway;
}

function ring(made: Stage, seconds = 30): void {
  gatewayOf(made).events.emit("call:incoming", {
    callId: "k",
    conversationId: "team",
    type: "video",
    caller: { userId: "bob", username: "Bob" },
    expiresAt: new Date(Date.now() + seconds * 1000).toISOString(),
  });
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("login", () => {
  it("connects and shows the conversations", async () => {
    const made = await loggedIn();
    expect(made.rest.login).toHaveBeenCalledWith("Ada", "en");
    expect(made.store.state().conversations).toEqual([TEAM]);
    expect(made.calls.identify).toHaveBeenCalledWith("ada", "Ada", null);
    expect(made.calls.attach.mock.lastCall?.[0]).toBe(made.gateways[0]);
  });

  it("says why it does not work", async () => {
    const made = stage(HOME);
    made.rest.login.mockRejectedValue(new SignallingError("network", "down"));
    made.store.dispatch({ type: "login-asked", name: "Ada", language: "en" });
    await vi.advanceTimersByTimeAsync(0);
    expect(made.store.state().session).toEqual({ kind: "out", busy: false, problem: "unreachable" });
    expect(made.gateways).toEqual([]);
  });

  it("asked for in the address happens by itself", async () => {
    const made = stage(HOME, { wishes: { ...NO_WISHES, login: "Bob" } });
    made.application.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(made.rest.login).toHaveBeenCalledWith("Bob", "en");
  });

  it("ends with the token", async () => {
    const made = await loggedIn();
    made.rest.conversations.mockRejectedValue(
      new SignallingError("api", "no", { code: "UNAUTHORIZED", status: 401 }),
    );
    gatewayOf(made).events.emit("directory:changed", {});
    await vi.advanceTimersByTimeAsync(0);
    expect(made.store.state().session).toEqual({ kind: "out", busy: false, problem: "expired" });
    expect(gatewayOf(made).close).toHaveBeenCalled();
    expect(made.calls.attach.mock.lastCall?.[0]).toBeNull();
  });

  it("takes only the newest answer about conversations", async () => {
    const made = await loggedIn();
    let late: (conversations: ConversationDto[]) => void = () => undefined;
    made.rest.conversations.mockImplementationOnce(() => new Promise((resolve) => (late = resolve)));
    made.rest.conversations.mockImplementationOnce(() => Promise.resolve([{ ...TEAM, title: "New" }]));
    const { events } = gatewayOf(made);
    events.emit("directory:changed", {});
    events.emit("directory:changed", {});
    await vi.advanceTimersByTimeAsync(0);
    late([{ ...TEAM, title: "Old" }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(made.store.state().conversations?.[0]?.title).toBe("New");
  });
});

describe("ringing", () => {
  it("sounds until the call is accepted, which joins it", async () => {
    const made = await loggedIn();
    ring(made);
    expect(made.outside.ringtone.start).toHaveBeenCalled();
    made.store.dispatch({ type: "accept-asked", callId: "k" });
    expect(made.outside.ringtone.stop).toHaveBeenCalled();
    expect(made.calls.join.mock.lastCall?.slice(1)).toEqual(["k", "video"]);
    expect(made.outside.show).toHaveBeenCalledWith("/c/team");
  });

  it("declines with the gateway", async () => {
    const made = await loggedIn();
    ring(made);
    made.store.dispatch({ type: "decline-asked", callId: "k" });
    expect(gatewayOf(made).request).toHaveBeenCalledWith("call:reject", { callId: "k", reason: "declined" });
  });

  it.each([
    ["answered elsewhere", "call:answered-elsewhere", { callId: "k" }, []],
    [
      "cancelled",
      "call:ended",
      { callId: "k", conversationId: "team", reason: "cancelled", endedAt: "", duration: 0 },
      ["missed-call"],
    ],
    [
      "declined on another device",
      "call:ended",
      { callId: "k", conversationId: "team", reason: "rejected", endedAt: "", duration: 0 },
      [],
    ],
  ] as const)("stops when %s", async (_name, event, payload, toasts) => {
    const made = await loggedIn();
    ring(made);
    gatewayOf(made).events.emit(event, payload);
    expect(made.store.state().incoming).toEqual([]);
    expect(made.store.state().toasts.map(({ kind }) => kind)).toEqual(toasts);
    expect(made.outside.ringtone.stop).toHaveBeenCalled();
  });

  it("stops by itself when no word comes", async () => {
    const made = await loggedIn();
    ring(made, 30);
    await vi.advanceTimersByTimeAsync(31_001);
    expect(made.store.state().incoming).toEqual([]);
  });
});

describe("calls", () => {
  it("start where the user may lead them", async () => {
    const made = await loggedIn(IN_TEAM);
    made.store.dispatch({ type: "call-asked", conversationId: "team", callType: "audio" });
    const place = {
      conversationId: "team",
      title: "Team",
      conversationType: "group",
      admin: true,
      mayShareScreen: true,
    };
    expect(made.calls.start).toHaveBeenCalledWith(place, "audio");
  });

  it.each([
    [{ ...TEAM }, "start"],
    [{ ...TEAM, activeCall: { ...LIVE, participants: [] } }, "join"],
  ] as const)("begin by themselves when the address asks for it, once", async (conversation, done) => {
    const wishes = { ...NO_WISHES, autojoin: true };
    const made = await loggedIn(IN_TEAM, { wishes, conversation: conversation as ConversationDto });
    gatewayOf(made).events.emit("directory:changed", {});
    await vi.advanceTimersByTimeAsync(0);
    expect(made.calls.start).toHaveBeenCalledTimes(done === "start" ? 1 : 0);
    expect(made.calls.join).toHaveBeenCalledTimes(done === "join" ? 1 : 0);
  });

  const place = {
    conversationId: "team",
    title: "Team",
    conversationType: "group",
    admin: true,
    mayShareScreen: true,
  } as const;
  const begun = { type: "call-begun", phase: "calling", place, callType: "video", callId: "k" } as const;

  it("that end as calls do lead back with a word", async () => {
    const made = await loggedIn();
    made.callStore.dispatch(begun);
    expect(made.store.state()).toMatchObject({ callPhase: "calling", callId: "k" });
    made.callStore.dispatch({
      type: "call-over",
      outcome: { kind: "ended", name: "Team", durationSeconds: 12, code: null },
    });
    expect(made.store.state().toasts).toMatchObject([{ kind: "ended", durationSeconds: 12 }]);
    expect(made.calls.dismissOutcome).toHaveBeenCalled();
    expect(made.callStore.state().phase).toBe("idle");
  });

  it("that end otherwise show their outcome", async () => {
    const made = await loggedIn();
    made.callStore.dispatch(begun);
    made.callStore.dispatch({
      type: "call-over",
      outcome: { kind: "declined", name: "Bob", durationSeconds: null, code: null },
    });
    expect(made.store.state().toasts).toEqual([]);
    expect(made.callStore.state()).toMatchObject({ phase: "ended", outcome: { kind: "declined" } });
  });
});

describe("links", () => {
  it("are made, copied and told of", async () => {
    const made = await loggedIn();
    made.store.dispatch({ type: "link-asked", conversationId: "team" });
    await vi.advanceTimersByTimeAsync(0);
    expect(made.outside.copy).toHaveBeenCalledWith("https://call.example/join/x");
    expect(made.store.state().toasts).toMatchObject([{ kind: "link-copied" }]);
  });

  it("that cannot be copied are shown", async () => {
    const made = await loggedIn();
    made.outside.copy.mockRejectedValue(new Error("no clipboard"));
    made.store.dispatch({ type: "link-asked", conversationId: "team" });
    await vi.advanceTimersByTimeAsync(0);
    expect(made.store.state().toasts).toMatchObject([
      { kind: "copy-failed", name: "https://call.example/join/x" },
    ]);
  });
});

describe("a search", () => {
  it("waits until one has stopped typing", async () => {
    const made = await loggedIn();
    made.store.dispatch({ type: "draft-opened" });
    await vi.advanceTimersByTimeAsync(0);
    for (const query of ["b", "bo", "bob"]) made.store.dispatch({ type: "draft-searched", query });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(made.rest.users.mock.calls).toEqual([[""], ["bob"]]);
  });

  it("for one person makes a direct conversation", async () => {
    const made = await loggedIn();
    made.store.dispatch({ type: "draft-opened" });
    made.store.dispatch({ type: "draft-toggled", person: { userId: "bob", username: "Bob", online: true } });
    made.store.dispatch({ type: "draft-submitted" });
    await vi.advanceTimersByTimeAsync(0);
    expect(made.rest.createConversation).toHaveBeenCalledWith({ type: "direct", memberIds: ["bob"] });
    expect(made.store.state().route).toEqual(IN_TEAM);
  });
});

describe("a guest", () => {
  const route: Route = { page: "guest", linkToken: "x" };

  async function inside(): Promise<Stage> {
    const made = stage(route);
    made.application.open();
    await vi.advanceTimersByTimeAsync(0);
    made.store.dispatch({ type: "guest-entered", firstName: "Maya", lastName: "", language: "fr" });
    await vi.advanceTimersByTimeAsync(0);
    return made;
  }

  it("comes in by the link and waits for the call", async () => {
    const made = await inside();
    expect(made.rest.joinAnonymous).toHaveBeenCalledWith("team", {
      firstName: "Maya",
      lastName: undefined,
      language: "fr",
      shareLinkId: "l",
    });
    expect(made.store.state().guest).toMatchObject({ step: "waiting", username: "Guest_Maya", callId: null });
    made.rest.activeCall.mockResolvedValue(LIVE);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(made.store.state().guest).toMatchObject({ callId: "k", participantCount: 2 });
    made.store.dispatch({ type: "guest-join-asked" });
    expect(made.calls.join.mock.lastCall?.[0]).toMatchObject({
      conversationId: "team",
      mayShareScreen: false,
    });
  });

  it("with a dead link is told so", async () => {
    const made = stage(route);
    made.rest.trackedLink.mockRejectedValue(
      new SignallingError("api", "gone", { code: "LINK_EXPIRED", status: 410 }),
    );
    made.application.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(made.store.state().guest).toMatchObject({ step: "closed", problem: "gone" });
  });

  it("whose pass has run out begins anew", async () => {
    const made = await inside();
    made.rest.activeCall.mockRejectedValue(
      new SignallingError("api", "no", { code: "UNAUTHORIZED", status: 401 }),
    );
    await vi.advanceTimersByTimeAsync(10_000);
    expect(made.store.state().guest?.step).toBe("form");
    expect(gatewayOf(made).close).toHaveBeenCalled();
  });

  it("always sees how the call went", async () => {
    const made = await inside();
    const place = {
      conversationId: "team",
      title: "Team",
      conversationType: "group",
      admin: false,
      mayShareScreen: false,
    } as const;
    made.callStore.dispatch({ type: "call-begun", phase: "joining", place, callType: "video", callId: "k" });
    made.callStore.dispatch({
      type: "call-over",
      outcome: { kind: "ended", name: "Team", durationSeconds: 3, code: null },
    });
    expect(made.callStore.state().phase).toBe("ended");
    expect(made.calls.dismissOutcome).not.toHaveBeenCalled();
  });
});

it.each([true, false])("connects through relays only where the server says so (%s)", async (relayOnly) => {
  const made = stage(HOME);
  made.rest.config.mockResolvedValue({ relayOnly });
  made.application.open();
  await vi.advanceTimersByTimeAsync(0);
  expect(made.calls.requireRelay).toHaveBeenCalledTimes(relayOnly ? 1 : 0);
});
