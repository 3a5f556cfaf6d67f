// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeviceError } from "../media/devices";
import { SignallingError } from "../signalling/errors";
import type { CallDto, Initiated, JoinDto, MediaServerConfig } from "../signalling/generated";
import { FakeGateway, refusal } from "../testing/fake-gateway";
import { FakeDirect, FakeSfu } from "../testing/fake-ways";
import { callState, dto, joinDto } from "../testing/people";
import { fakeTrack } from "../testing/tracks";
import { CallSession, type Outside } from "./session";
import type { CallPlace, CallState } from "./state";
import { CallStore } from "./store";

const PLACE: CallPlace = {
  conversationId: "conversation",
  title: "Tea",
  conversationType: "group",
  admin: false,
  mayShareScreen: true,
};
const FLAGS = { autojoin: false, forceTcp: false, relay: false, simulcast: true, codec: undefined };
const CONFIG: MediaServerConfig = {
  routerId: "r1",
  rtpCapabilities: { codecs: [], headerExtensions: [] },
  url: "",
  token: "media-token",
  tokenExpiresAt: "2099-01-01T00:00:00.000Z",
  producers: [],
};

function rig(change: Partial<Outside> = {}, state: Partial<CallState> = {}) {
  const store = new CallStore(callState(state));
  const gateway = new FakeGateway();
  const directs: FakeDirect[] = [];
  const sfus: FakeSfu[] = [];
  const leaveCall = vi.fn(() => Promise.resolve());
  const session = new CallSession(store, FLAGS, {
    openMicrophone: () => Promise.resolve(fakeTrack("audio")),
    openCamera: () => Promise.resolve(fakeTrack("video")),
    openScreen: () => Promise.resolve(fakeTrack("video")),
    openDirect: (options) => {
      const direct = new FakeDirect(options);
      directs.push(direct);
      return direct;
    },
    openSfu: () => (wish) => {
      const sfu = new FakeSfu(wish);
      sfus.push(sfu);
      return sfu;
    },
    ...change,
  });
  gateway.answer("call:initiate", initiated);
  gateway.answer("call:join", () => joinDto({ participants: [dto("bob"), dto("me")] }));
  session.attach(gateway, { leaveCall });
  return { store, session, gateway, directs, sfus, leaveCall };
}

function initiated(): Initiated {
  const call = {
    callId: "call",
    type: "video",
    initiator: { userId: "ada", username: "Ada" },
    participants: [dto("me")],
  } as unknown as CallDto;
  return {
    callId: "call",
    mode: "p2p",
    participantId: "me",
    iceServers: [],
    expiresAt: "2099-01-01T00:00:00.000Z",
    call,
  };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

async function joined(change: Partial<JoinDto> = {}, outside: Partial<Outside> = {}) {
  const made = rig(outside);
  made.gateway.answer("call:join", () => joinDto({ participants: [dto("bob"), dto("me")], ...change }));
  made.session.join(PLACE, "call");
  await settle();
  return made;
}

const about = { callId: "call" };

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe("starting a call", () => {
  it("rings, says what is on, and begins when somebody comes", async () => {
    const { session, store, gateway, directs } = rig();
    session.start(PLACE, "video");
    expect(store.state()).toMatchObject({ phase: "calling", call: { title: "Tea" } });
    await settle();
    expect(gateway.payloads("call:initiate")).toEqual([
      { conversationId: "conversation", type: "video", settings: { audioEnabled: true, videoEnabled: true } },
    ]);
    expect(store.state().phase).toBe("calling");
    gateway.events.emit("call:participant-joined", {
      ...about,
      participant: dto("bob"),
      totalParticipants: 2,
    });
    gateway.events.emit("call:started", {
      ...about,
      mode: "p2p",
      startedAt: "2026-01-01T00:00:00.000Z",
      participants: [],
    });
    expect(store.state().phase).toBe("in-call");
    expect(directs[0]?.options.role).toBe("initiator");
    expect(directs[0]?.tracks.get("camera")?.kind).toBe("video");
  });

  it("joins the call of somebody who was quicker", async () => {
    const { session, store, gateway } = rig();
    gateway.answer("call:initiate", () => {
      throw refusal("CALL_ALREADY_ACTIVE", { callId: "theirs" });
    });
    session.start(PLACE, "video");
    await settle();
    expect(gateway.payloads("call:join")).toMatchObject([{ callId: "theirs" }]);
    expect(store.state().phase).toBe("in-call");
  });

  it.each([
    [refusal("CALLEE_UNAVAILABLE"), "offline"],
    [refusal("ALREADY_IN_CALL"), "elsewhere"],
    [refusal("SERVICE_UNAVAILABLE"), "failed"],
    [new SignallingError("timeout", ""), "lost"],
  ])("that is refused (%s) ends as %s", async (error, kind) => {
    const { session, store, gateway } = rig();
    gateway.answer("call:initiate", () => {
      throw error;
    });
    session.start(PLACE, "video");
    await settle();
    expect(store.state()).toMatchObject({ phase: "ended", outcome: { kind, name: "Tea" } });
  });

  it.each([
    ["missed", "missed"],
    ["rejected", "declined"],
    ["cancelled", "cancelled"],
    ["timeout", "missed"],
    ["error", "failed"],
  ] as const)("that ends with %s reads %s", async (reason, kind) => {
    const { session, store, gateway } = rig();
    session.start(PLACE, "video");
    await settle();
    gateway.events.emit("call:ended", {
      ...about,
      conversationId: "conversation",
      reason,
      endedAt: "2026-01-01T00:00:00.000Z",
      duration: 0,
    });
    expect(store.state()).toMatchObject({ phase: "ended", outcome: { kind, durationSeconds: null } });
  });

  it("tells a direct caller who is busy, and a group caller who declines", async () => {
    const direct = rig();
    direct.session.start({ ...PLACE, conversationType: "direct" }, "video");
    await settle();
    direct.gateway.events.emit("call:rejected", { ...about, userId: "bob", username: "Bob", reason: "busy" });
    expect(direct.store.state()).toMatchObject({ phase: "ended", outcome: { kind: "busy", name: "Bob" } });
    const group = rig();
    group.session.start(PLACE, "video");
    await settle();
    group.gateway.events.emit("call:rejected", {
      ...about,
      userId: "bob",
      username: "Bob",
      reason: "declined",
    });
    expect(group.store.state().phase).toBe("calling");
    expect(group.store.state().toasts).toMatchObject([{ kind: "declined", name: "Bob" }]);
  });

  it("given up while the gateway thinks, leaves nothing behind", async () => {
    const { session, store, gateway, directs } = rig();
    session.join(PLACE, "call");
    session.leave();
    await settle();
    expect(store.state().phase).toBe("ended");
    expect(gateway.payloads("call:leave").length).toBeGreaterThan(0);
    expect(directs).toEqual([]);
  });
});

describe("in a call", () => {
  it("goes in with what is on, and without devices that fail", async () => {
    const refuse = () => Promise.reject(new DeviceError("denied", "denied"));
    const { store, gateway } = await joined({}, { openMicrophone: refuse, openCamera: refuse });
    await settle();
    expect(store.state().phase).toBe("in-call");
    expect(store.state().local.camera.trouble).toBe("denied");
    expect(gateway.payloads("call:media-state-change").at(-1)).toMatchObject({
      audioEnabled: false,
      videoEnabled: false,
    });
  });

  it("mutes the track itself, at once, and tells the others", async () => {
    const { store, gateway } = await joined();
    store.dispatch({ type: "capture-toggled", capture: "microphone" });
    expect(store.state().local.microphone.track?.enabled).toBe(false);
    expect(gateway.payloads("call:media-state-change").at(-1)).toMatchObject({ audioEnabled: false });
    store.dispatch({ type: "capture-toggled", capture: "microphone" });
    expect(store.state().local.microphone.track?.enabled).toBe(true);
  });

  it("ends where the last of ten quick toggles pointed", async () => {
    const { store, gateway, directs } = await joined();
    for (let count = 0; count < 10; count += 1)
      store.dispatch({ type: "capture-toggled", capture: "camera" });
    await settle();
    expect(gateway.payloads("call:media-state-change").at(-1)).toMatchObject({ videoEnabled: true });
    expect(directs[0]?.tracks.get("camera")?.readyState).toBe("live");
  });

  it("follows what the others turn on and off, by either event", async () => {
    const { store, gateway } = await joined();
    gateway.events.emit("call:media-toggled", {
      ...about,
      participantId: "bob",
      mediaType: "video",
      enabled: false,
    });
    gateway.events.emit("call:participant-media-state", {
      ...about,
      participantId: "bob",
      username: "Bob",
      audioEnabled: false,
      videoEnabled: false,
      screenShareEnabled: true,
      status: "disconnected",
    });
    expect(store.state().participants[0]).toMatchObject({
      audioOn: false,
      videoOn: false,
      screenOn: true,
      presence: "away",
    });
  });

  it("pays no heed to other calls", async () => {
    const { store, gateway } = await joined();
    gateway.events.emit("call:participant-joined", {
      callId: "other",
      participant: dto("eve"),
      totalParticipants: 9,
    });
    gateway.events.emit("call:ended", {
      callId: "other",
      conversationId: "x",
      reason: "normal",
      endedAt: "",
      duration: 1,
    });
    expect(store.state().participants).toHaveLength(1);
    expect(store.state().phase).toBe("in-call");
  });

  it("says that media is up, proves the group way, and acknowledges switches", async () => {
    const { gateway, directs, sfus, store, session } = await joined();
    directs[0]?.carry();
    expect(gateway.payloads("call:connected")).toEqual([{ callId: "call", participantId: "me" }]);
    expect(store.state().link).toBe("connected");
    gateway.events.emit("call:media-server", { ...about, mediaServerConfig: CONFIG });
    sfus[0]?.prove("tcp");
    expect(gateway.payloads("call:sfu-proof")).toMatchObject([{ proven: true, protocol: "tcp" }]);
    session.views.show("bob:camera", { width: 100, height: 100 });
    session.noteFrame("bob:camera", performance.now());
    gateway.events.emit("call:mode-switch", {
      ...about,
      oldMode: "p2p",
      newMode: "sfu",
      mode: "sfu",
      reason: "participant-count-changed",
      mediaServerConfig: CONFIG,
      switchDeadline: new Date(Date.now() + 10_000).toISOString(),
      transitionId: "t1",
    });
    sfus[0]?.receive("bob", "microphone", { arrived: true });
    sfus[0]?.receive("bob", "camera", { arrived: true });
    await later(200);
    expect(gateway.payloads("call:mode-switch-ack")).toMatchObject([{ transitionId: "t1", success: true }]);
    expect(store.state()).toMatchObject({ mode: "p2p", switching: { phase: "switching" } });
    gateway.events.emit("call:mode-switched", { ...about, success: true, mode: "sfu", transitionId: "t1" });
    expect(store.state()).toMatchObject({ mode: "sfu", switching: null });
    await later(3_000);
    expect(gateway.payloads("call:switch-gap")).toMatchObject([
      { transitionId: "t1", remoteParticipantId: "bob" },
    ]);
    expect(session.gaps).toHaveLength(1);
  });

  it("sends a signal again that was one too many", async () => {
    const { gateway, directs } = await joined();
    let refusals = 2;
    gateway.answer("call:signal", () => {
      refusals -= 1;
      if (refusals >= 0) throw refusal("RATE_LIMIT_EXCEEDED");
      return null;
    });
    directs[0]?.options.send({ type: "answer", sdp: "v=0", negotiationId: "me" });
    await later(10_000);
    expect(gateway.payloads("call:signal")).toHaveLength(3);
    expect(gateway.payloads("call:signal")[0]).toMatchObject({ targetParticipantId: "bob" });
  });

  it("renews its credentials at three quarters of their time", async () => {
    const { gateway } = await joined({ expiresAt: new Date(1_000_000 + 100_000).toISOString() });
    gateway.answer("call:refresh-credentials", () => ({
      iceServers: [],
      expiresAt: new Date(Date.now() + 100_000).toISOString(),
    }));
    await later(74_000);
    expect(gateway.payloads("call:refresh-credentials")).toHaveLength(0);
    await later(2_000);
    expect(gateway.payloads("call:refresh-credentials")).toHaveLength(1);
    await later(76_000);
    expect(gateway.payloads("call:refresh-credentials")).toHaveLength(2);
  });

  it("gives up pictures and takes them back", async () => {
    const { store, directs } = await joined();
    store.dispatch({ type: "audio-only-toggled" });
    await settle();
    expect(directs[0]?.receivesVideo).toBe(false);
    expect(directs[0]?.tracks.get("camera")).toBeNull();
    store.dispatch({ type: "audio-only-toggled" });
    expect(directs[0]?.receivesVideo).toBe(true);
  });
});

describe("a gateway that goes away", () => {
  it("is rejoined with everything as it was, and a short break is no news", async () => {
    const { gateway, directs, store } = await joined();
    directs[0]?.carry();
    gateway.answer("call:rejoin", () => joinDto({ participants: [dto("bob"), dto("me")] }));
    gateway.become("interrupted");
    await later(1_000);
    gateway.become("ready");
    await settle();
    expect(gateway.payloads("call:rejoin")).toEqual([{ callId: "call", participantId: "me" }]);
    expect(directs).toHaveLength(1);
    expect(directs[0]?.closed).toBe(false);
    expect(store.state().announcement).toBeNull();
  });

  it("is missed after a moment, while the media goes on for as long as it takes", async () => {
    const { gateway, directs, store } = await joined();
    directs[0]?.carry();
    gateway.become("interrupted");
    await later(3_000);
    expect(store.state().link).toBe("reconnecting");
    await later(600_000);
    expect(store.state().phase).toBe("in-call");
    gateway.answer("call:rejoin", () => joinDto({ participants: [dto("bob"), dto("me")] }));
    gateway.become("ready");
    await settle();
    expect(store.state().link).toBe("connected");
  });

  it("takes the call with it when the media is gone, too", async () => {
    const { gateway, directs, store } = await joined();
    directs[0]?.carry();
    gateway.become("interrupted");
    directs[0]?.move("failed");
    await later(95_000);
    expect(store.state()).toMatchObject({ phase: "ended", outcome: { kind: "lost" } });
  });

  it("finds out who came and went", async () => {
    const { gateway, store } = await joined();
    gateway.answer("call:rejoin", () =>
      joinDto({ mode: "sfu", mediaServerConfig: CONFIG, participants: [dto("me"), dto("eve"), dto("dan")] }),
    );
    gateway.become("ready");
    await settle();
    expect(store.state().participants.map(({ id, presence }) => [id, presence])).toEqual([
      ["bob", "left"],
      ["eve", "here"],
      ["dan", "here"],
    ]);
    expect(store.state().mode).toBe("sfu");
  });

  it("that has given the seat away gives it back", async () => {
    const { gateway, store } = await joined();
    gateway.answer("call:rejoin", () => {
      throw refusal("PARTICIPANT_NOT_FOUND");
    });
    gateway.become("ready");
    await settle();
    expect(gateway.payloads("call:join")).toHaveLength(2);
    expect(store.state().phase).toBe("in-call");
  });

  it.each([
    [refusal("CALL_ENDED"), "ended"],
    [refusal("KICKED"), "kicked"],
    [refusal("ALREADY_PARTICIPANT"), "elsewhere"],
  ])("that answers %s means %s", async (error, kind) => {
    const { gateway, store } = await joined();
    gateway.answer("call:rejoin", () => {
      throw error;
    });
    gateway.become("ready");
    await settle();
    expect(store.state()).toMatchObject({ phase: "ended", outcome: { kind } });
  });

  it("is asked again when it has no answer yet", async () => {
    const { gateway, store } = await joined();
    let failures = 2;
    gateway.answer("call:rejoin", () => {
      failures -= 1;
      if (failures >= 0) throw refusal("SERVICE_UNAVAILABLE");
      return joinDto({ participants: [dto("bob"), dto("me")] });
    });
    gateway.become("ready");
    await later(5_000);
    expect(gateway.payloads("call:rejoin")).toHaveLength(3);
    expect(store.state().phase).toBe("in-call");
  });

  it("brings a fresh way to a node that has lost this participant", async () => {
    const { gateway, sfus, store } = await joined({ mode: "sfu", mediaServerConfig: CONFIG });
    sfus[0]?.prove();
    gateway.answer("call:rejoin", () =>
      joinDto({ mode: "sfu", mediaServerConfig: CONFIG, participants: [dto("bob"), dto("me")] }),
    );
    sfus[0]?.lose();
    await settle();
    expect(sfus).toHaveLength(2);
    expect(sfus[0]?.closed).toBe(true);
    expect(sfus[1]?.wish.active).toBe(true);
    sfus[1]?.prove();
    expect(store.state().link).toBe("connected");
  });
});

describe("the end", () => {
  it("lets everything go", async () => {
    const { session, store, gateway, directs } = await joined();
    const { camera, microphone } = store.state().local;
    session.leave();
    await settle();
    expect(gateway.payloads("call:leave")).toEqual([{ callId: "call" }]);
    expect(directs[0]?.closed).toBe(true);
    expect([camera.track?.readyState, microphone.track?.readyState]).toEqual(["ended", "ended"]);
    expect(store.state()).toMatchObject({ phase: "ended", outcome: { kind: "left" } });
    const asked = gateway.asked.length;
    await later(60_000);
    expect(gateway.asked).toHaveLength(asked);
  });

  it("of the page is said over REST, which outlives it", async () => {
    const { leaveCall, store } = await joined();
    globalThis.dispatchEvent(new Event("pagehide"));
    expect(leaveCall).toHaveBeenCalledWith("call");
    expect(store.state().phase).toBe("ended");
  });

  it.each([
    [
      "an administrator",
      (gateway: FakeGateway) =>
        gateway.events.emit("call:participant-left", {
          ...about,
          participantId: "me",
          username: "Ada",
          leftAt: "",
          totalParticipants: 1,
          reason: "kicked",
        }),
    ],
    [
      "the gateway's word",
      (gateway: FakeGateway) => gateway.events.emit("call:error", { ...about, code: "KICKED", message: "" }),
    ],
  ])("by being removed, on %s", async (_, remove) => {
    const { store, gateway, directs } = await joined();
    remove(gateway);
    expect(store.state()).toMatchObject({ phase: "ended", outcome: { kind: "kicked" } });
    expect(directs[0]?.closed).toBe(true);
  });

  it("by somebody else has its duration", async () => {
    const { store, gateway } = await joined();
    gateway.events.emit("call:ended", {
      ...about,
      conversationId: "conversation",
      reason: "normal",
      endedAt: "",
      duration: 75,
    });
    expect(store.state().outcome).toMatchObject({ kind: "ended", durationSeconds: 75 });
  });

  it("of the login ends the call", async () => {
    const { session, store, leaveCall } = await joined();
    session.attach(null, { leaveCall });
    expect(store.state().phase).toBe("ended");
  });

  it("for everybody, and of one other, is asked of the gateway", async () => {
    const { session, gateway } = await joined();
    session.kick("bob");
    session.end();
    expect(gateway.payloads("call:kick")).toEqual([{ callId: "call", participantId: "bob" }]);
    expect(gateway.payloads("call:end")).toEqual([{ callId: "call" }]);
  });
});
