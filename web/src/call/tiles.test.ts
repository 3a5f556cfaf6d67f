import { describe, expect, it } from "vitest";
import { type CallState, initialState, type Participant, type RemoteTrack } from "./state";
import { stageOf, tilesOf } from "./tiles";

const TRACK = {} as MediaStreamTrack;

function sent(producerId: string, change: Partial<RemoteTrack> = {}): RemoteTrack {
  return { producerId, track: null, receiver: null, paused: false, held: false, ...change };
}

function state(participants: Participant[], change: Partial<CallState["local"]> = {}): CallState {
  const base = initialState({
    room: "tea",
    name: "Ada",
    chosen: { microphone: undefined, camera: undefined, speaker: undefined },
    microphoneOn: true,
    cameraOn: true,
  });
  return { ...base, selfId: "me", participants, local: { ...base.local, ...change } };
}

const bob: Participant = { id: "bob", name: "Bob", media: { microphone: sent("v"), camera: sent("c") } };
const eve: Participant = {
  id: "eve",
  name: "Eve",
  media: { microphone: sent("v2", { paused: true }), screen: sent("s") },
};

describe("tilesOf", () => {
  it("gives everybody a tile, screens first, oneself last", () => {
    const found = tilesOf(state([bob, eve])).map(({ key, muted, video }) => [key, muted, video]);
    expect(found).toEqual([
      ["eve:screen", false, true],
      ["bob:camera", false, true],
      ["eve:camera", true, false],
      ["self:camera", false, false],
    ]);
  });

  it("takes somebody without a microphone producer for muted", () => {
    const silent = { ...bob, media: { camera: sent("c") } };
    expect(tilesOf(state([silent]))[0]?.muted).toBe(true);
  });

  it("shows the own camera only while it is on and open, and the own screen while shared", () => {
    const on = { on: true, track: TRACK, trouble: null };
    expect(tilesOf(state([], { camera: on })).map(({ key, video }) => [key, video])).toEqual([
      ["self:camera", true],
    ]);
    expect(tilesOf(state([], { camera: { ...on, on: false } }))[0]?.video).toBe(false);
    expect(tilesOf(state([], { screen: on })).map(({ key }) => key)).toEqual(["self:camera", "self:screen"]);
    expect(tilesOf(state([], { screen: on }))[1]?.participantId).toBe("me");
  });
});

describe("stageOf", () => {
  it.each([
    ["nobody shares", [bob], null, null],
    ["somebody shares", [bob, eve], null, "eve:screen"],
    ["the user prefers a face", [bob, eve], "bob:camera", "bob:camera"],
    ["the preferred one is gone", [eve], "bob:camera", "eve:screen"],
  ])("when %s", (_, people, pinned, stage) => {
    expect(stageOf(tilesOf(state(people)), pinned)).toBe(stage);
  });

  it("never puts the own screen there by itself: a picture of itself in itself", () => {
    const on = { on: true, track: TRACK, trouble: null };
    expect(stageOf(tilesOf(state([bob], { screen: on })), null)).toBeNull();
  });
});
