import { describe, expect, it } from "vitest";
import { callState, dto, inCall, person } from "../testing/people";
import type { Action, Effect, Entry } from "./actions";
import { reduce } from "./reducer";
import { FAREWELL } from "./roster";
import type { CallPlace, CallState } from "./state";

const TRACK = { kind: "video" } as MediaStreamTrack;
const PLACE: CallPlace = {
  conversationId: "conversation",
  title: "Tea",
  conversationType: "group",
  admin: false,
  mayShareScreen: true,
};

function play(state: CallState, ...actions: Action[]): { state: CallState; effects: Effect[] } {
  const effects: Effect[] = [];
  for (const action of actions) {
    const step = reduce(state, action);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

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

function begun(phase: "calling" | "joining", place: Partial<CallPlace> = {}): Action {
  return { type: "call-begun", phase, place: { ...PLACE, ...place }, callType: "video", callId: "" };
}

function entry(change: Partial<Entry> = {}): Entry {
  return {
    callId: "call",
    selfId: "me",
    type: "video",
    mode: "p2p",
    initiatorId: "ada",
    startedAt: null,
    participants: [dto("me")],
    ...change,
  };
}

const entered = (change: Partial<Entry> = {}): Action => ({ type: "call-entered", entry: entry(change) });
const over = (kind: "ended" | "declined" = "ended"): Action => ({
  type: "call-over",
  outcome: { kind, name: "Tea", durationSeconds: 60, code: null },
});

describe("devices", () => {
  type Which = "microphone" | "camera" | "screen";
  const toggle = (capture: Which): Action => ({ type: "capture-toggled", capture });
  const trouble = (capture: Which, what: "denied" | "lost" = "denied"): Action => ({
    type: "local-trouble",
    capture,
    trouble: what,
  });
  const track = (capture: Which, got: MediaStreamTrack | null): Action => ({
    type: "local-track",
    capture,
    track: got,
  });
  interface Row {
    name: string;
    state: CallState;
    actions: Action[];
    on: Partial<Record<Which, boolean>>;
    effects: string[];
  }
  const rows: Row[] = [
    {
      name: "the preview opens what is wanted",
      state: callState(),
      actions: [{ type: "preview-opened" }],
      on: {},
      effects: ["open microphone", "unmute", "open camera"],
    },
    {
      name: "the preview opens a muted microphone too, so that unmuting is instant",
      state: play(callState(), toggle("microphone"), toggle("camera")).state,
      actions: [{ type: "preview-opened" }],
      on: { microphone: false, camera: false },
      effects: ["open microphone", "mute"],
    },
    {
      name: "closing the preview lets the devices go",
      state: callState(),
      actions: [{ type: "preview-closed" }],
      on: {},
      effects: ["close microphone", "close camera"],
    },
    {
      name: "closing the preview by going into a call does not",
      state: inCall(),
      actions: [{ type: "preview-closed" }],
      on: {},
      effects: [],
    },
    {
      name: "mute keeps the device and tells the others",
      state: inCall(),
      actions: [toggle("microphone")],
      on: { microphone: false },
      effects: ["mute", "tell-media", "remember"],
    },
    {
      name: "camera off lets it go",
      state: inCall(),
      actions: [toggle("camera")],
      on: { camera: false },
      effects: ["close camera", "tell-media", "remember"],
    },
    {
      name: "two toggles are none",
      state: inCall(),
      actions: [toggle("camera"), toggle("camera")],
      on: { camera: true },
      effects: ["close camera", "tell-media", "remember", "open camera", "tell-media", "remember"],
    },
    {
      name: "a screen is told of once it is chosen",
      state: inCall(),
      actions: [toggle("screen"), track("screen", TRACK)],
      on: { screen: true },
      effects: ["open screen", "remember", "tell-media"],
    },
    {
      name: "a camera that fails is off, and said to be",
      state: inCall(),
      actions: [trouble("camera")],
      on: { camera: false },
      effects: ["later", "tell-media"],
    },
    {
      name: "a microphone that fails is muted",
      state: inCall(),
      actions: [trouble("microphone", "lost")],
      on: { microphone: false },
      effects: ["later", "tell-media", "mute"],
    },
    {
      name: "the button of a microphone in trouble tries again",
      state: inCall(),
      actions: [trouble("microphone"), toggle("microphone")],
      on: { microphone: true },
      effects: ["later", "tell-media", "mute", "unmute", "tell-media", "remember", "open microphone"],
    },
    {
      name: "a screen picker that is closed is no trouble",
      state: inCall(),
      actions: [toggle("screen"), trouble("screen")],
      on: { screen: false },
      effects: ["open screen", "remember", "tell-media"],
    },
    {
      name: "a share ended in the browser's own bar is over",
      state: inCall(),
      actions: [toggle("screen"), track("screen", TRACK), track("screen", null)],
      on: { screen: false },
      effects: ["open screen", "remember", "tell-media", "tell-media"],
    },
    {
      name: "permission granted later brings the microphone back unmuted",
      state: inCall(),
      actions: [trouble("microphone"), { type: "capture-retried", capture: "microphone" }],
      on: { microphone: true },
      effects: ["later", "tell-media", "mute", "open microphone", "tell-media", "unmute"],
    },
  ];
  it.each(rows)("$name", ({ state, actions, on, effects }) => {
    const result = play(state, ...actions);
    expect(does(result.effects)).toEqual(effects);
    for (const [capture, wanted] of Object.entries(on)) {
      expect(result.state.local[capture as Which].on, capture).toBe(wanted);
    }
  });

  it("forgets a trouble once the device works", () => {
    const { state } = play(callState(), trouble("camera"), track("camera", TRACK));
    expect(state.local.camera).toEqual({ on: false, track: TRACK, trouble: null });
  });

  it("keeps trouble out of the toasts before a call, where it is shown in place", () => {
    expect(play(callState(), trouble("camera")).state.toasts).toEqual([]);
    expect(kinds(play(inCall(), trouble("camera")).state)).toEqual(["camera-trouble"]);
  });
});

describe("a call's life", () => {
  it("rings until somebody comes, then counts from then on", () => {
    const calling = play(callState(), begun("calling"), entered());
    expect(calling.state).toMatchObject({ phase: "calling", selfId: "me", participants: [] });
    expect(does(calling.effects)).toEqual(["open microphone", "unmute", "open camera"]);
    const { state } = play(
      calling.state,
      { type: "participant-joined", participant: dto("bob", { status: "connecting" }) },
      { type: "call-started", at: 5_000 },
      { type: "call-started", at: 9_000 },
    );
    expect(state).toMatchObject({ phase: "in-call", call: { startedAt: 5_000 } });
    // Who is called and comes is no news to the caller.
    expect(kinds(state)).toEqual([]);
  });

  it("is entered with those who are there, oneself and those who left apart", () => {
    const { state } = play(
      callState(),
      begun("joining"),
      entered({
        startedAt: 5_000,
        participants: [dto("me"), dto("bob"), dto("eve", { leftAt: "2026-01-01T00:00:00.000Z" })],
      }),
    );
    expect(state.phase).toBe("in-call");
    expect(state.participants.map(({ id, presence }) => [id, presence])).toEqual([["bob", "here"]]);
  });

  it("of audio leaves the camera closed", () => {
    const audio = { ...begun("calling"), callType: "audio" } as Action;
    const { state, effects } = play(callState(), audio);
    expect(does(effects)).toEqual(["open microphone", "unmute", "close camera"]);
    expect(state.local.camera.on).toBe(false);
  });

  it("ends with its outcome, devices let go of, and is forgotten when that was read", () => {
    const ended = play(inCall({ participants: [person("bob")] }), over());
    expect(ended.state).toMatchObject({
      phase: "ended",
      outcome: { kind: "ended", durationSeconds: 60 },
      participants: [],
      selfId: null,
      call: { conversationId: "conversation" },
    });
    expect(does(ended.effects)).toEqual(["close microphone", "close camera", "close screen"]);
    const { state } = play(ended.state, { type: "outcome-dismissed" });
    expect(state).toMatchObject({ phase: "idle", call: null, outcome: null });
  });

  it.each([
    ["late news of a call given up", callState(), entered()],
    ["a second end", callState({ phase: "ended" }), over("declined")],
    ["an end without a call", callState(), over()],
  ])("passes over %s", (_, state, action) => {
    expect(play(state, action).state).toBe(state);
  });

  it.each<[string, Partial<CallPlace>, string | null, boolean]>([
    ["the initiator of a group call", {}, "ada", true],
    ["an administrator", { admin: true }, "bob", true],
    ["anybody else", {}, "bob", false],
    ["two people, where leaving ends it", { conversationType: "direct" }, "ada", false],
    ["guests", {}, null, false],
  ])("may be ended and people removed by %s", (_, place, initiatorId, may) => {
    const { state } = play(callState(), begun("joining", place), entered({ initiatorId }));
    expect([state.canEndForAll, state.canRemove]).toEqual([may, may]);
  });

  it("keeps people and start when it is come back to", () => {
    const before = play(inCall({ participants: [person("bob")] }), {
      type: "link-changed",
      link: "reconnecting",
    });
    const { state } = play(
      before.state,
      { type: "participants-synced", participants: [dto("me"), dto("bob")] },
      { type: "link-changed", link: "connected" },
    );
    expect(state.participants).toHaveLength(1);
    expect(state.call?.startedAt).toBe(1_000);
    expect(state.announcement?.kind).toBe("reconnected");
    expect(state.toasts).toEqual([]);
  });
});

describe("other people", () => {
  const joined = (id: string, change = {}): Action => ({
    type: "participant-joined",
    participant: dto(id, change),
  });
  const left = (id: string): Action => ({ type: "participant-left", id });
  const gone = (id: string): Action => ({ type: "participant-gone", id });
  const synced = (...ids: string[]): Action => ({
    type: "participants-synced",
    participants: ids.map((id) => dto(id)),
  });
  interface Row {
    name: string;
    actions: Action[];
    people: string[];
    toasts: string[];
  }
  const rows: Row[] = [
    { name: "come", actions: [joined("bob")], people: ["bob here"], toasts: ["joined bob"] },
    {
      name: "come once, however often it is told",
      actions: [joined("bob"), joined("bob")],
      people: ["bob here"],
      toasts: ["joined bob"],
    },
    { name: "are never oneself", actions: [joined("me")], people: [], toasts: [] },
    {
      name: "who left are shown as such for a moment",
      actions: [joined("bob"), left("bob"), left("bob")],
      people: ["bob left"],
      toasts: ["joined bob", "left bob"],
    },
    {
      name: "are gone after that moment",
      actions: [joined("bob"), left("bob"), gone("bob")],
      people: [],
      toasts: ["joined bob", "left bob"],
    },
    {
      name: "who come back within that moment stay",
      actions: [joined("bob"), left("bob"), joined("bob"), gone("bob")],
      people: ["bob here"],
      toasts: ["joined bob", "left bob", "joined bob"],
    },
    {
      name: "whose connection is lost are away, and back",
      actions: [
        joined("bob"),
        { type: "presence-changed", id: "bob", presence: "away" },
        joined("eve"),
        { type: "presence-changed", id: "eve", presence: "away" },
        { type: "presence-changed", id: "eve", presence: "here" },
      ],
      people: ["bob away", "eve here"],
      toasts: ["joined bob", "joined eve"],
    },
    {
      name: "who went and came while we were away are found out",
      actions: [joined("bob"), joined("eve"), synced("me", "eve", "dan")],
      people: ["bob left", "eve here", "dan here"],
      toasts: ["joined eve", "left bob", "joined dan"],
    },
    {
      name: "share a screen and stop",
      actions: [
        joined("bob"),
        { type: "media-state", id: "bob", screenOn: true },
        { type: "media-state", id: "bob", screenOn: true },
        { type: "media-state", id: "bob", screenOn: false },
      ],
      people: ["bob here"],
      toasts: ["joined bob", "sharing bob", "stopped-sharing bob"],
    },
    {
      name: "nobody knows are not made up",
      actions: [left("x"), gone("x"), { type: "media-state", id: "x", audioOn: true }],
      people: [],
      toasts: [],
    },
    {
      name: "who decline a group call are named",
      actions: [{ type: "participant-declined", name: "Bob" }],
      people: [],
      toasts: ["declined Bob"],
    },
  ];
  it.each(rows)("$name", ({ actions, people, toasts }) => {
    const { state } = play(inCall(), ...actions);
    expect(state.participants.map(({ name, presence }) => `${name} ${presence}`)).toEqual(people);
    expect(kinds(state)).toEqual(toasts);
  });

  it("who left are looked at once more", () => {
    const { effects } = play(inCall(), joined("bob"), left("bob"));
    expect(effects.at(-1)).toEqual({ type: "later", milliseconds: FAREWELL, action: gone("bob") });
  });

  it("get their tracks by source, and keep them while the rest of them changes", () => {
    const { state } = play(
      inCall(),
      joined("bob"),
      { type: "media-track", id: "bob", source: "camera", track: TRACK, receiver: null },
      { type: "media-flow", id: "bob", source: "camera", held: true },
      { type: "media-state", id: "bob", audioOn: false },
      joined("bob", { status: "connecting" }),
    );
    const [bob] = state.participants;
    expect(bob?.media.camera).toEqual({
      key: "bob:camera",
      track: TRACK,
      receiver: null,
      paused: false,
      held: true,
    });
    expect(bob).toMatchObject({ presence: "connecting", audioOn: true });
  });

  it("leave the stage and the spotlight with them", () => {
    const { state } = play(
      inCall(),
      joined("bob"),
      { type: "pin-toggled", tile: "bob:camera" },
      { type: "speaker-changed", id: "bob" },
      left("bob"),
    );
    expect(state).toMatchObject({ pinned: null, activeSpeaker: null });
  });

  it("are measured without a change where nothing changes", () => {
    const measured: Action = { type: "quality-measured", own: "good", remote: { bob: "fair" } };
    const once = play(inCall(), joined("bob"), measured).state;
    expect(once).toMatchObject({ quality: "good", participants: [{ quality: "fair" }] });
    expect(play(once, measured).state).toBe(once);
  });
});

describe("captions", () => {
  const heard = (id: string, text: string, final: boolean, at = 0): Action => ({
    type: "caption-heard",
    participantId: id,
    name: id,
    text,
    final,
    at,
  });
  const on = () => play(inCall(), { type: "captions-toggled" }).state;

  it("replace words that are still changing, person by person", () => {
    const { state } = play(
      on(),
      heard("bob", "hel", false),
      heard("eve", "yes", true),
      heard("bob", "hello", false),
      heard("bob", "Hello.", true),
      heard("bob", "And", false),
    );
    expect(state.captions.lines.map(({ text }) => text)).toEqual(["Hello.", "yes", "And"]);
    expect(new Set(state.captions.lines.map(({ id }) => id)).size).toBe(3);
  });

  it("are swept away, and dropped while they are off", () => {
    const { state } = play(on(), heard("bob", "a", true, 10), heard("bob", "b", true, 20));
    const later = play(state, { type: "captions-expired", before: 15 }).state;
    expect(later.captions.lines.map(({ text }) => text)).toEqual(["b"]);
    expect(play(later, { type: "captions-expired", before: 15 }).state).toBe(later);
    expect(play(inCall(), heard("bob", "a", true)).state.captions.lines).toEqual([]);
  });
});

describe("the view", () => {
  it("audio-only turns the camera off and is announced", () => {
    const { state, effects } = play(inCall({ advice: "audio-only" }), { type: "audio-only-toggled" });
    expect(state).toMatchObject({ audioOnly: true, advice: null, local: { camera: { on: false } } });
    expect(does(effects)).toEqual(["set-audio-only", "close camera", "tell-media"]);
    expect(state.announcement?.kind).toBe("audio-only-on");
  });

  it("tells a screen reader, and nobody else, when the mode changes", () => {
    const { state } = play(inCall(), { type: "mode-changed", mode: "sfu" });
    expect(state.announcement?.kind).toBe("group-mode");
    expect(state.toasts).toEqual([]);
    expect(play(state, { type: "mode-changed", mode: "sfu" }).state).toBe(state);
  });

  it("shows the latest messages only, until they are dismissed", () => {
    const people = ["a", "b", "c", "d"].map((id): Action => ({
      type: "participant-joined",
      participant: dto(id),
    }));
    const { state, effects } = play(inCall(), ...people);
    expect(kinds(state)).toEqual(["joined b", "joined c", "joined d"]);
    const dismissals = effects.flatMap((effect) => (effect.type === "later" ? [effect.action] : []));
    expect(play(state, ...dismissals).state.toasts).toEqual([]);
  });
});
