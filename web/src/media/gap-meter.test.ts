import { describe, expect, it } from "vitest";
import { GapMeter, largestHole, largestInterval } from "./gap-meter";
import { silencesIn } from "./sound-tap";

const span = { from: 1_000, to: 2_000 };

describe("the largest interval", () => {
  it.each<[string, number[], number[], number | null]>([
    ["steady pictures", [950, 1_000, 1_050, 1_500, 1_550, 1_950], [], 450],
    ["counted from the last one before", [700, 1_400, 1_900], [], 700],
    ["counted to the end when none comes any more", [1_000, 1_100], [], 900],
    ["of none", [], [], null],
    ["of pictures that only began", [1_200, 1_300, 1_900], [], 600],
    ["across a camera turned off is none", [900, 1_800], [1_500], null],
    ["does not reach back across a break before", [100, 1_100, 1_900], [500], 800],
  ])("%s", (_, frames, breaks, expected) => {
    expect(largestInterval({ frames, breaks }, span)?.length ?? null).toBe(expected);
  });
});

describe("the largest hole", () => {
  const heard = (silences: { from: number; to: number }[], change = {}) => ({
    silences,
    breaks: [],
    heardFrom: 0,
    heardTo: 3_000,
    ...change,
  });
  it.each([
    ["no silence at all", heard([]), 0],
    [
      "the longest one",
      heard([
        { from: 1_100, to: 1_150 },
        { from: 1_500, to: 1_620 },
      ]),
      120,
    ],
    [
      "only what lies within",
      heard([
        { from: 500, to: 1_030 },
        { from: 1_990, to: 2_900 },
      ]),
      30,
    ],
    ["nothing where nobody listened", heard([], { heardFrom: 1_500 }), null],
    ["nothing where listening ended", heard([], { heardTo: 500 }), null],
    ["nothing across a muted microphone", heard([], { breaks: [1_700] }), null],
  ])("%s", (_, timeline, expected) => {
    expect(largestHole(timeline, span)).toBe(expected);
  });
});

describe("the meter", () => {
  const order = { id: "t1", from: "p2p", to: "sfu" };

  function watched(): GapMeter {
    const meter = new GapMeter();
    for (let at = 0; at <= 20_000; at += 50) {
      // One picture is long in coming after the switch.
      if (at <= 10_200 || at > 10_400) meter.notePicture("bob", at);
    }
    for (let at = 0; at < 20_000; at += 200) {
      const hole = at === 10_200 ? [{ from: 10_220, to: 10_260 }] : [];
      meter.noteSound("bob", at, at + 200, hole);
    }
    return meter;
  }

  it("tells what a switch did, beside what was ordinary before", () => {
    const meter = watched();
    meter.begin(order, ["bob"], 10_000);
    meter.acked("t1", 10_300);
    meter.ended("t1", 10_500);
    expect(meter.collect("t1", 13_000)).toEqual([
      {
        transitionId: "t1",
        from: "p2p",
        to: "sfu",
        remoteParticipantId: "bob",
        videoGapMs: 250,
        videoGapAtMs: 200,
        videoBaselineMs: 50,
        audioGapMs: 40,
        audioBaselineMs: 0,
        ackMs: 300,
        totalMs: 500,
      },
    ]);
    expect(meter.collect("t1", 13_000)).toEqual([]);
  });

  it("has nothing to tell of newcomers, and of nothing it did not see", () => {
    const meter = watched();
    meter.begin(order, ["eve"], 10_000);
    meter.ended("t1", 10_500);
    expect(meter.collect("t1", 13_000)).toEqual([]);
  });

  it("takes a silence that goes on from one look to the next for one", () => {
    const meter = new GapMeter();
    for (let at = 0; at < 15_000; at += 200) {
      const hole = at === 10_000 || at === 10_200 ? [{ from: at, to: at + 200 }] : [];
      meter.noteSound("bob", at, at + 200, hole);
    }
    meter.begin(order, ["bob"], 9_000);
    meter.ended("t1", 10_500);
    expect(meter.collect("t1", 12_500)[0]?.audioGapMs).toBe(400);
  });

  it("forgets a switch that was called off or overtaken", () => {
    const meter = watched();
    meter.begin(order, ["bob"], 10_000);
    meter.cancel("t1");
    meter.ended("t1", 10_500);
    expect(meter.collect("t1", 13_000)).toEqual([]);
    meter.begin(order, ["bob"], 10_000);
    meter.begin({ ...order, id: "t2" }, ["bob"], 10_100);
    expect(meter.collect("t1", 13_000)).toEqual([]);
  });
});

describe("silences", () => {
  it("are found to the sample; short ones only at the ends, where they may go on", () => {
    const samples = new Float32Array(400).fill(0.1);
    samples.fill(0, 0, 5);
    samples.fill(0, 100, 120);
    samples.fill(0, 200, 205);
    samples.fill(0, 397, 400);
    expect(silencesIn(samples, 1, 1_000)).toEqual([
      { from: 1_000, to: 1_005 },
      { from: 1_100, to: 1_120 },
      { from: 1_397, to: 1_400 },
    ]);
    expect(silencesIn(new Float32Array(10), 1, 0)).toEqual([{ from: 0, to: 10 }]);
    expect(silencesIn(new Float32Array(0), 1, 0)).toEqual([]);
  });
});
