import { describe, expect, it } from "vitest";
import type { RemoteMedia } from "../media/sfu";
import type { Action, Effect } from "./actions";
import { EXPIRY_DELAY, reduce } from "./reducer";
import { type CallState, initialState } from "./state";

const TRACK = { kind: "video" } as MediaStreamTrack;

function start(change: Partial<CallState> = {}): CallState {
  const base = initialState({
    room: "tea",
    name: "Ada",
    chosen: { microphone: undefined, camera: undefined, speaker: undefined },
    microphoneOn: true,
    cameraOn: true,
  });
  return { ...base, ...change };
}

const inCall = (change: Partial<CallState> = {}) =>
  start({ phase: "in-call", link: "connected", selfId: "me", ...change });

function play(state: CallState, ...actions: Action[]): { state: CallState; effects: Effect[] } {
  const effects: Effect[] = [];
  for (const action of actions) {
    const step = reduce(state, action);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

function media(change: Partial<RemoteMedia> = {}): Action {
  const base: RemoteMedia = {
    producerId: "voice",
    participantId: "bob",
    kind: "audio",
    source: "microphone",
    displayName: "Bob",
    paused: false,
    initial: false,
  };
  return { type: "media-added", media: { ...base, ...change } };
}

const face = (change: Partial<RemoteMedia> = {}) =>
  media({ producerId: "face", kind: "video", source: "camera", ...change });
const screen = (change: Partial<RemoteMedia> = {}) =>
  media({ producerId: "screen", kind: "video", source: "screen", ...change });
const gone = (producerId: string): Action => ({ type: "media-removed", producerId });
const kinds = (state: CallState) => state.toasts.map(({ kind, name }) => `${kind} ${name}`.trim());
const does = (effects: Effect[]) =>
  effects.map((effect) => {
    switch (effect.type) {
      case "open":
      case "close":
        return `${effect.type} ${effect.capture}`;
      case "set-muted":
        return effect.muted ? "mute" : "unmute";
      default:
        return effect.type;
    }
  });

describe("devices", () => {
  interface Row {
    name: string;
    state: CallState;
    actions: Action[];
    on: Partial<Record<"microphone" | "camera" | "screen", boolean>>;
    effects: string[];
  }
  const toggle = (capture: "microphone" | "camera" | "screen"): Action => ({
    type: "capture-toggled",
    capture,
  });
  const trouble = (
    capture: "microphone" | "camera" | "screen",
    what: "denied" | "lost" = "denied",
  ): Action => ({
    type: "local-trouble",
    capture,
    trouble: what,
  });
  const rows: Row[] = [
    {
      name: "the lobby opens what is wanted",
      state: start(),
      actions: [{ type: "lobby-opened" }],
      on: {},
      effects: ["open microphone", "unmute", "open camera"],
    },
    {
      name: "the lobby opens a muted microphone too, so that unmuting is instant",
      state: play(start(), toggle("microphone"), toggle("camera")).state,
      actions: [{ type: "lobby-opened" }],
      on: { microphone: false, camera: false },
      effects: ["open microphone", "mute"],
    },
    {
      name: "mute keeps the device",
      state: inCall(),
      actions: [toggle("microphone")],
      on: { microphone: false },
      effects: ["mute", "remember"],
    },
    {
      name: "camera off lets it go",
      state: inCall(),
      actions: [toggle("camera")],
      on: { camera: false },
      effects: ["close camera", "remember"],
    },
    {
      name: "two toggles are none",
      state: inCall(),
      actions: [toggle("camera"), toggle("camera")],
      on: { camera: true },
      effects: ["close camera", "remember", "open camera", "remember"],
    },
    {
      name: "a screen is opened",
      state: inCall(),
      actions: [toggle("screen")],
      on: { screen: true },
      effects: ["open screen", "remember"],
    },
    {
      name: "a camera that fails is off",
      state: inCall(),
      actions: [trouble("camera")],
      on: { camera: false },
      effects: ["later"],
    },
    {
      name: "a microphone that fails is muted",
      state: inCall(),
      actions: [trouble("microphone", "lost")],
      on: { microphone: false },
      effects: ["later", "mute"],
    },
    {
      name: "the button of a microphone in trouble tries again",
      state: inCall(),
      actions: [trouble("microphone"), toggle("microphone")],
      on: { microphone: true },
      effects: ["later", "mute", "unmute", "remember", "open microphone"],
    },
    {
      name: "a screen picker that is closed is no trouble",
      state: inCall(),
      actions: [toggle("screen"), trouble("screen")],
      on: { screen: false },
      effects: ["open screen", "remember"],
    },
    {
      name: "a share ended in the browser's own bar is over",
      state: inCall(),
      actions: [
        toggle("screen"),
        { type: "local-track", capture: "screen", track: TRACK },
        { type: "local-track", capture: "screen", track: null },
      ],
      on: { screen: false },
      effects: ["open screen", "remember"],
    },
    {
      name: "permission granted later brings the microphone back unmuted",
      state: inCall(),
      actions: [trouble("microphone"), { type: "capture-retried", capture: "microphone" }],
      on: { microphone: true },
      effects: ["later", "mute", "open microphone", "unmute"],
    },
  ];
  it.each(rows)("$name", ({ state, actions, on, effects }) => {
    const result = play(state, ...actions);
    expect(does(result.effects)).toEqual(effects);
    for (const [capture, wanted] of Object.entries(on)) {
      expect(result.state.local[capture as "camera"].on, capture).toBe(wanted);
    }
  });

  it("forgets a trouble once the device works", () => {
    const { state } = play(start(), trouble("camera"), {
      type: "local-track",
      capture: "camera",
      track: TRACK,
    });
    expect(state.local.camera).toEqual({ on: false, track: TRACK, trouble: null });
  });

  it("keeps trouble out of the toasts in the lobby, where it is shown in place", () => {
    expect(play(start(), trouble("camera")).state.toasts).toEqual([]);
    expect(kinds(play(inCall(), trouble("camera")).state)).toEqual(["camera-trouble"]);
  });
});

describe("coming and going", () => {
  it.each<[string, Partial<CallState>]>([
    ["an empty name", { name: "  " }],
    ["an empty room", { room: "" }],
    ["a call going on", { phase: "in-call" }],
    ["a join under way", { phase: "joining" }],
  ])("does not join with %s", (_, change) => {
    const { state, effects } = play(start(change), { type: "join-asked" });
    expect(state.phase).toBe(change.phase ?? "lobby");
    expect(effects).toEqual([]);
  });

  it("joins with trimmed words", () => {
    const { state, effects } = play(start({ name: " Ada ", room: " tea " }), { type: "join-asked" });
    expect(state.phase).toBe("joining");
    expect(effects[0]).toEqual({ type: "join", room: "tea", name: "Ada" });
  });

  it("goes through the whole call and back in", () => {
    const first = play(start(), { type: "join-asked" }, { type: "joined", selfId: "me", at: 1000 }, media());
    expect(first.state).toMatchObject({ phase: "in-call", selfId: "me", joinedAt: 1000 });
    const left = play(first.state, { type: "leave-asked" }, { type: "ended", reason: "self", at: 61_000 });
    expect(left.state).toMatchObject({ phase: "left", endReason: "self", leftAt: 61_000, participants: [] });
    expect(does(left.effects)).toEqual(["leave", "close microphone", "close camera", "close screen"]);
    const again = play(left.state, { type: "join-asked" });
    expect(again.state.phase).toBe("joining");
    expect(does(again.effects)).toEqual(["join", "remember", "open microphone", "unmute", "open camera"]);
  });

  it("returns to the lobby with the reason when joining fails, and forgets it with the next word typed", () => {
    const failed = play(start(), { type: "join-asked" }, { type: "join-failed", problem: "full" });
    expect(failed.state).toMatchObject({ phase: "lobby", joinProblem: "full" });
    expect(play(failed.state, { type: "room-edited", room: "x" }).state.joinProblem).toBeNull();
  });

  it("ignores late news of an abandoned attempt", () => {
    expect(play(start(), { type: "joined", selfId: "me", at: 1 }).state.phase).toBe("lobby");
    expect(play(inCall(), { type: "join-failed", problem: "full" }).state.phase).toBe("in-call");
  });

  it("keeps people and start of the call when it joins anew after a break", () => {
    const before = play(inCall({ joinedAt: 5 }), media(), {
      type: "link-changed",
      link: "reconnecting",
    }).state;
    const { state } = play(
      before,
      { type: "joined", selfId: "new", at: 99 },
      { type: "link-changed", link: "connected" },
    );
    expect(state).toMatchObject({ selfId: "new", joinedAt: 5, link: "connected" });
    expect(state.participants).toHaveLength(1);
    expect(state.announcement?.kind).toBe("reconnected");
  });
});

describe("other people", () => {
  interface Row {
    name: string;
    actions: Action[];
    people: string[];
    toasts: string[];
  }
  const rows: Row[] = [
    {
      name: "appear with their first producer",
      actions: [media()],
      people: ["Bob: microphone"],
      toasts: ["joined Bob"],
    },
    {
      name: "have one entry for all they send",
      actions: [media(), face()],
      people: ["Bob: microphone camera"],
      toasts: ["joined Bob"],
    },
    {
      name: "who were there before are no news",
      actions: [media({ initial: true })],
      people: ["Bob: microphone"],
      toasts: [],
    },
    {
      name: "share a screen",
      actions: [media({ initial: true }), screen()],
      people: ["Bob: microphone screen"],
      toasts: ["sharing Bob"],
    },
    {
      name: "stop sharing",
      actions: [media({ initial: true }), screen(), gone("screen")],
      people: ["Bob: microphone"],
      toasts: ["sharing Bob", "stopped-sharing Bob"],
    },
    {
      name: "turn the camera off",
      actions: [media(), face(), gone("face")],
      people: ["Bob: microphone"],
      toasts: ["joined Bob"],
    },
    {
      name: "stay for a moment without producers",
      actions: [media(), gone("voice")],
      people: ["Bob: "],
      toasts: ["joined Bob"],
    },
    {
      name: "are gone after that moment",
      actions: [media(), gone("voice"), { type: "participant-expired", id: "bob" }],
      people: [],
      toasts: ["joined Bob", "left Bob"],
    },
    {
      name: "who rebuilt their connection in time have never left",
      actions: [
        media(),
        gone("voice"),
        media({ producerId: "voice2" }),
        { type: "participant-expired", id: "bob" },
      ],
      people: ["Bob: microphone"],
      toasts: ["joined Bob"],
    },
    {
      name: "keep their name when a later producer does not say it",
      actions: [media(), face({ displayName: "" })],
      people: ["Bob: microphone camera"],
      toasts: ["joined Bob"],
    },
    {
      name: "nobody knows are not removed",
      actions: [gone("nothing"), { type: "participant-expired", id: "x" }],
      people: [],
      toasts: [],
    },
    {
      name: "who left while we were away are found out",
      actions: [
        media(),
        media({ participantId: "eve", producerId: "eve1", displayName: "Eve" }),
        { type: "media-synced", producerIds: ["eve1"] },
        { type: "participant-expired", id: "bob" },
      ],
      people: ["Eve: microphone"],
      toasts: ["joined Bob", "joined Eve", "left Bob"],
    },
  ];
  it.each(rows)("$name", ({ actions, people, toasts }) => {
    const { state } = play(inCall(), ...actions);
    expect(
      state.participants.map(({ name, media: sent }) => `${name}: ${Object.keys(sent).join(" ")}`),
    ).toEqual(people);
    expect(kinds(state)).toEqual(toasts);
  });

  it("asks to be woken for the last look at somebody without producers", () => {
    const { effects } = play(inCall(), media(), gone("voice"));
    expect(effects.at(-1)).toEqual({
      type: "later",
      milliseconds: EXPIRY_DELAY,
      action: { type: "participant-expired", id: "bob" },
    });
  });

  it("get their tracks by producer", () => {
    const { state } = play(inCall(), media(), face(), {
      type: "media-track",
      producerId: "face",
      track: TRACK,
      receiver: null,
    });
    expect(state.participants[0]?.media.camera?.track).toBe(TRACK);
    expect(state.participants[0]?.media.microphone?.track).toBeNull();
  });

  it.each([
    ["producer", { paused: true, held: false }],
    ["bandwidth", { paused: false, held: true }],
    ["server-load", { paused: false, held: true }],
  ] as const)("paused for reason %s", (reason, expected) => {
    const pause: Action = { type: "media-flow", producerId: "face", paused: true, reason };
    const { state } = play(inCall(), face(), pause);
    expect(state.participants[0]?.media.camera).toMatchObject(expected);
    const back = play(state, { ...pause, paused: false });
    expect(back.state.participants[0]?.media.camera).toMatchObject({ paused: false, held: false });
  });

  it("leave the stage and the spotlight with them", () => {
    const { state } = play(
      inCall(),
      media(),
      { type: "pin-toggled", tile: "bob:camera" },
      { type: "speaker-changed", id: "bob" },
      gone("voice"),
      { type: "participant-expired", id: "bob" },
    );
    expect(state).toMatchObject({ pinned: null, activeSpeaker: null });
  });
});

describe("messages", () => {
  it("are announced and dismissed; only the latest stay on screen", () => {
    const people = ["a", "b", "c", "d"].map((id) =>
      media({ participantId: id, producerId: id, displayName: id }),
    );
    const { state, effects } = play(inCall(), ...people);
    expect(kinds(state)).toEqual(["joined b", "joined c", "joined d"]);
    expect(state.announcement).toMatchObject({ kind: "joined", name: "d" });
    const dismissals = effects.flatMap((effect) => (effect.type === "later" ? [effect.action] : []));
    expect(play(state, ...dismissals).state.toasts).toEqual([]);
  });

  it("a break is announced but not stacked among the toasts", () => {
    const { state } = play(inCall(), { type: "link-changed", link: "reconnecting" });
    expect(state.announcement?.kind).toBe("reconnecting");
    expect(state.toasts).toEqual([]);
  });
});
