import { describe, expect, it } from "vitest";
import { inCall, person } from "../testing/people";
import type { CallState, Participant, RemoteTrack } from "./state";
import { stageOf, tilesOf } from "./tiles";

const TRACK = {} as MediaStreamTrack;

function sent(key: string, change: Partial<RemoteTrack> = {}): RemoteTrack {
  return { key, track: null, receiver: null, paused: false, held: false, ...change };
}

function state(participants: Participant[], change: Partial<CallState["local"]> = {}): CallState {
  const base = inCall({ participants });
  return { ...base, local: { ...base.local, ...change } };
}

const bob = person("bob", { media: { camera: sent("bob:camera") } });
const eve = person("eve", {
  audioOn: false,
  videoOn: false,
  screenOn: true,
  media: { camera: sent("eve:camera"), screen: sent("eve:screen") },
});

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

  it("goes by what people say is on: a direct connection carries a camera's track also while it is off", () => {
    expect(tilesOf(state([{ ...bob, videoOn: false }]))[0]?.video).toBe(false);
    expect(tilesOf(state([{ ...bob, media: {} }]))[0]?.video).toBe(false);
  });

  it("shows no picture of somebody who left, and of nobody when pictures are given up", () => {
    expect(tilesOf(state([{ ...bob, presence: "left" }]))[0]).toMatchObject({
      video: false,
      presence: "left",
    });
    const calm = { ...state([bob, eve]), audioOnly: true };
    expect(tilesOf(calm).map(({ key, video }) => [key, video])).toEqual([
      ["bob:camera", false],
      ["eve:camera", false],
      ["self:camera", false],
    ]);
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
