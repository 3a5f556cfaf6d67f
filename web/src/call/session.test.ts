// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Emitter } from "../emitter";
import { DeviceError } from "../media/devices";
import type { SfuEvents } from "../media/sfu";
import { SignallingError } from "../signalling/errors";
import type { ErrorCode, LobbyTicket } from "../signalling/wire";
import { fakeTrack } from "../testing/tracks";
import type { Connection } from "./connection";
import { CallSession, type Outside, problemOf } from "./session";
import { initialState } from "./state";
import { CallStore } from "./store";

class FakeSfu {
  readonly events = new Emitter<SfuEvents>();
  readonly calls: string[] = [];
  left = false;
  join = () => Promise.resolve();
  stats = () => Promise.resolve({ transports: [], producers: [], consumers: [] });
  noteFrame = () => undefined;
  leave = () => {
    this.left = true;
    this.events.removeAll();
    return Promise.resolve();
  };
  setMuted = (muted: boolean) => this.#note(muted ? "muted" : "unmuted");
  setMicrophone = (track: MediaStreamTrack | null) => this.#note(`microphone ${track?.kind ?? "none"}`);
  setCamera = (track: MediaStreamTrack | null) => this.#note(`camera ${track?.kind ?? "none"}`);
  setScreen = (track: MediaStreamTrack | null) => this.#note(`screen ${track?.kind ?? "none"}`);

  #note(call: string): void {
    this.calls.push(call);
  }
}

function rig(change: Partial<Outside> = {}) {
  const store = new CallStore(
    initialState({
      room: "tea",
      name: "Ada",
      chosen: { microphone: undefined, camera: undefined, speaker: undefined },
      microphoneOn: true,
      cameraOn: true,
    }),
  );
  const connections: FakeSfu[] = [];
  const join = vi.fn((): Promise<LobbyTicket> => {
    const participantId = `me${String(join.mock.calls.length)}`;
    const times = { token: "t", tokenExpiresAt: "2099-01-01T00:00:00.000Z" };
    return Promise.resolve({ callId: "tea", participantId, ...times, url: "", iceServers: [] });
  });
  const flags = { autojoin: false, forceTcp: false, simulcast: true, codec: undefined };
  const session = new CallSession(store, flags, {
    lobby: { join },
    open: (): Connection => {
      const sfu = new FakeSfu();
      connections.push(sfu);
      return { sfu, tokens: { close: () => undefined } };
    },
    openMicrophone: () => Promise.resolve(fakeTrack("audio")),
    openCamera: () => Promise.resolve(fakeTrack("video")),
    openScreen: () => Promise.resolve(fakeTrack("video")),
    ...change,
  });
  return { store, session, connections, join };
}

async function inCall(change: Partial<Outside> = {}) {
  const made = rig(change);
  made.store.dispatch({ type: "lobby-opened" });
  await made.session.devicesSettled();
  made.store.dispatch({ type: "join-asked" });
  await vi.waitFor(() => expect(made.store.state().phase).toBe("in-call"));
  return made;
}

const down = () => Promise.reject(new SignallingError("network", "down"));

describe("CallSession", () => {
  beforeEach(() => {
    localStorage.clear();
  });
  afterEach(() => vi.useRealTimers());

  it("brings its tracks and its mute into the call", async () => {
    const { connections, store } = await inCall();
    expect(connections[0]?.calls).toEqual(["unmuted", "microphone audio", "camera video", "screen none"]);
    expect(store.state().selfId).toBe("me1");
  });

  it("passes later changes on", async () => {
    const { connections, store } = await inCall();
    const calls = connections[0]?.calls ?? [];
    calls.length = 0;
    store.dispatch({ type: "capture-toggled", capture: "microphone" });
    store.dispatch({ type: "capture-toggled", capture: "camera" });
    store.dispatch({ type: "capture-toggled", capture: "screen" });
    await vi.waitFor(() => expect(calls).toEqual(["muted", "camera none", "screen video"]));
  });

  it("joins without devices that fail, muted", async () => {
    const refuse = () => Promise.reject(new DeviceError("denied", "denied"));
    const { connections, store } = await inCall({ openMicrophone: refuse, openCamera: refuse });
    expect(connections[0]?.calls).toEqual(["muted", "microphone none", "camera none", "screen none"]);
    expect(store.state().local.camera.trouble).toBe("denied");
  });

  it("lets everything go when it leaves", async () => {
    const { connections, store } = await inCall();
    const { camera, microphone } = store.state().local;
    store.dispatch({ type: "leave-asked" });
    expect(connections[0]?.left).toBe(true);
    expect(store.state()).toMatchObject({ phase: "left", endReason: "self" });
    await vi.waitFor(() =>
      expect([camera.track?.readyState, microphone.track?.readyState]).toEqual(["ended", "ended"]),
    );
  });

  it("leaves when the page goes away", async () => {
    const { connections } = await inCall();
    globalThis.dispatchEvent(new Event("pagehide"));
    expect(connections[0]?.left).toBe(true);
  });

  it("says why it could not join, and lets the half-made connection go", async () => {
    const { store, connections } = rig({
      lobby: {
        join: () => Promise.reject(new SignallingError("api", "full", { code: "ROOM_FULL", status: 409 })),
      },
    });
    store.dispatch({ type: "join-asked" });
    await vi.waitFor(() => expect(store.state().joinProblem).toBe("full"));
    expect(connections).toEqual([]);
  });

  it("forgets an attempt that was given up: a late ticket opens nothing", async () => {
    let give: (ticket: LobbyTicket) => void = () => undefined;
    const { store, connections } = rig({ lobby: { join: () => new Promise((resolve) => (give = resolve)) } });
    store.dispatch({ type: "join-asked" });
    store.dispatch({ type: "leave-asked" });
    give({ callId: "tea", participantId: "late", token: "t", tokenExpiresAt: "", url: "", iceServers: [] });
    await Promise.resolve();
    await Promise.resolve();
    expect(connections).toEqual([]);
    expect(store.state().phase).toBe("left");
  });

  it("joins anew by itself when the node has lost it, and keeps trying while nobody answers", async () => {
    const { store, connections, join } = await inCall();
    vi.useFakeTimers();
    join.mockImplementationOnce(down).mockImplementationOnce(down);
    connections[0]?.events.emit("lost", { error: null });
    expect(connections[0]?.left).toBe(true);
    expect(store.state().link).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(join).toHaveBeenCalledTimes(4);
    expect(store.state()).toMatchObject({ phase: "in-call", selfId: "me4", link: "reconnecting" });
    expect(connections[1]?.calls).toContain("camera video");
    connections[1]?.events.emit("status", "connected");
    expect(store.state().link).toBe("connected");
  });

  it("ends the call when patience does", async () => {
    const { store, connections, join } = await inCall();
    vi.useFakeTimers();
    join.mockImplementation(down);
    connections[0]?.events.emit("lost", { error: null });
    await vi.advanceTimersByTimeAsync(80_000);
    expect(store.state().phase).toBe("in-call");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(store.state()).toMatchObject({ phase: "left", endReason: "lost" });
  });

  it("does not come back after the user has left in the meantime", async () => {
    const { store, connections, join } = await inCall();
    vi.useFakeTimers();
    connections[0]?.events.emit("lost", { error: null });
    store.dispatch({ type: "leave-asked" });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(join).toHaveBeenCalledTimes(1);
    expect(store.state()).toMatchObject({ phase: "left", endReason: "self" });
  });
});

describe("problemOf", () => {
  const api = (code: ErrorCode) => new SignallingError("api", code, { code });
  it.each([
    [api("INVALID_REQUEST"), "invalid"],
    [api("ROOM_FULL"), "full"],
    [api("SERVER_AT_CAPACITY"), "busy"],
    [api("RATE_LIMIT_EXCEEDED"), "busy"],
    [api("FORBIDDEN"), "refused"],
    [new SignallingError("timeout", ""), "unreachable"],
    [new SignallingError("malformed", ""), "unreachable"],
    [Object.assign(new Error(), { name: "UnsupportedError" }), "unsupported"],
    ["anything", "refused"],
  ])("%s is %s", (error, problem) => {
    expect(problemOf(error)).toBe(problem);
  });
});
