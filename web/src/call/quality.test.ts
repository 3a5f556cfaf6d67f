import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Heard, Recogniser, RecogniserEvent } from "./captions";
import { CaptionMaker } from "./captions";
import { MediaBoard } from "./media-board";
import { Adviser, levelOf, type Window } from "./quality";
import { QualityWatch } from "./quality-watch";

const window = (change: Partial<Window> = {}): Window => ({
  received: 1_000,
  lost: 0,
  bytes: 100_000,
  jitter: 5,
  roundTrip: 20,
  seconds: 2,
  ...change,
});

describe("levels", () => {
  it.each<[Partial<Window>, string | null]>([
    [{}, "excellent"],
    [{ roundTrip: null }, "excellent"],
    [{ roundTrip: 100 }, "good"],
    [{ lost: 15 }, "good"],
    [{ lost: 35 }, "fair"],
    [{ roundTrip: 250 }, "fair"],
    [{ lost: 60 }, "poor"],
    [{ roundTrip: 400 }, "poor"],
    [{ jitter: 101 }, "poor"],
    [{ received: 5 }, null],
  ])("%o is %s", (change, level) => {
    expect(levelOf(window(change))).toBe(level);
  });
});

describe("advice", () => {
  it("comes after a while, and goes after a while", () => {
    const adviser = new Adviser();
    const given = [
      "poor",
      "poor",
      "good",
      "poor",
      "poor",
      "poor",
      "poor",
      "poor",
      "good",
      "good",
      "good",
    ].map((level) => adviser.judge(level as "poor" | "good", 2_000_000).advice);
    expect(given).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      "weak-network",
      "weak-network",
      "weak-network",
      null,
    ]);
  });

  it("is to give up pictures when little gets through, and does so itself when almost nothing does", () => {
    const adviser = new Adviser();
    for (let look = 0; look < 4; look += 1) adviser.judge("fair", 200_000);
    expect(adviser.judge("fair", 200_000)).toEqual({ advice: "audio-only", force: false });
    for (let look = 0; look < 4; look += 1) adviser.judge("poor", 50_000);
    expect(adviser.judge("poor", 50_000).force).toBe(true);
    adviser.reset();
    expect(adviser.judge(null, null)).toEqual({ advice: null, force: false });
  });
});

describe("the watch", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("measures every two seconds and reports every ten, over what happened in them", async () => {
    let counted = { received: 0, lost: 0 };
    const receiver = {
      getStats: () => {
        counted = { received: counted.received + 200, lost: counted.lost + 20 };
        const { received, lost } = counted;
        return Promise.resolve(
          new Map<string, object>([
            [
              "in",
              {
                type: "inbound-rtp",
                packetsReceived: received,
                packetsLost: lost,
                bytesReceived: received * 1_000,
                jitter: 0.01,
                framesDecoded: 9,
                frameWidth: 640,
                frameHeight: 360,
              },
            ],
            ["t", { type: "transport", selectedCandidatePairId: "p" }],
            ["p", { id: "p", type: "candidate-pair", currentRoundTripTime: 0.05, localCandidateId: "l" }],
            ["l", { id: "l", type: "local-candidate", candidateType: "relay" }],
          ]),
        );
      },
    } as unknown as RTCRtpReceiver;
    const measured = vi.fn();
    const report = vi.fn();
    const watch = new QualityWatch({
      receivers: () => new Map([["bob", [receiver]]]),
      bytesSent: () => Promise.resolve(77),
      measured,
      judged: () => undefined,
      report,
      now: () => Date.now(),
    });
    await vi.advanceTimersByTimeAsync(4_000);
    expect(measured).toHaveBeenLastCalledWith("poor", { bob: "poor" });
    expect(report).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(report).toHaveBeenCalledTimes(1);
    const sample = report.mock.calls[0]?.[0] as Record<string, unknown>;
    expect(sample).toMatchObject({
      packetsReceived: 1_000,
      packetsLost: 100,
      bytesSent: 77,
      frameWidth: 640,
      usingRelay: true,
      rtt: 50,
    });
    expect(sample.packetLoss).toBeCloseTo(1 / 11);
    expect(sample.bitrate).toBe(640);
    watch.close();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(report).toHaveBeenCalledTimes(1);
  });
});

describe("the board", () => {
  const track = (id: string) => ({ track: { id } as MediaStreamTrack, receiver: null });

  function board() {
    const given: string[] = [];
    const made = new MediaBoard((id, source, carried) =>
      given.push(`${id} ${source} ${carried?.track.id ?? "nothing"}`),
    );
    return { made, given };
  }

  it("gives the page the way aimed for where it carries somebody, else what there is", () => {
    const { made, given } = board();
    made.put("old", "bob", "camera", track("old"));
    made.put("new", "bob", "camera", track("new"));
    made.put("old", "bob", "screen", track("screen"));
    expect(given).toEqual(["bob camera old", "bob screen screen"]);
    made.aim("new");
    made.drop("old");
    expect(given.slice(2)).toEqual(["bob camera new", "bob screen nothing"]);
  });

  it("goes back when the new way is taken away, and says nothing twice", () => {
    const { made, given } = board();
    made.put("old", "bob", "camera", track("old"));
    made.aim("new");
    made.put("new", "bob", "camera", track("new"));
    made.put("new", "bob", "camera", null);
    made.aim("old");
    made.aim("old");
    made.clear();
    expect(given).toEqual(["bob camera old", "bob camera new", "bob camera old", "bob camera nothing"]);
  });
});

describe("captions", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function maker() {
    const made: (Recogniser & { started: boolean; aborted: boolean })[] = [];
    const heard: Heard[] = [];
    const onUnavailable = vi.fn();
    const captions = new CaptionMaker({
      make: () => {
        const recogniser = {
          lang: "",
          continuous: false,
          interimResults: false,
          onresult: null,
          onerror: null,
          onend: null,
          started: false,
          aborted: false,
          start: () => (recogniser.started = true),
          abort: () => (recogniser.aborted = true),
        } as Recogniser & { started: boolean; aborted: boolean };
        made.push(recogniser);
        return recogniser;
      },
      language: () => "en-GB",
      onHeard: (words) => heard.push(words),
      onUnavailable,
    });
    return { captions, made, heard, onUnavailable };
  }

  const result = (...parts: [string, boolean][]): RecogniserEvent => ({
    resultIndex: 0,
    results: parts.map(([transcript, isFinal]) =>
      Object.assign([{ transcript, confidence: 0.9 }], { isFinal }),
    ),
  });

  it("tells words while they change and when they do not any more", () => {
    const { captions, made, heard } = maker();
    captions.want(true);
    expect(made[0]).toMatchObject({ started: true, lang: "en-GB", continuous: true, interimResults: true });
    made[0]?.onresult?.(result(["hello ", true], ["wor", false], ["ld", false]));
    expect(heard).toEqual([
      { text: "hello", final: true, confidence: 0.9 },
      { text: "world", final: false, confidence: null },
    ]);
  });

  it("goes on when the browser stops listening, until it is told to stop", () => {
    const { captions, made } = maker();
    captions.want(true);
    made[0]?.onend?.();
    vi.advanceTimersByTime(300);
    expect(made).toHaveLength(2);
    captions.want(false);
    expect(made[1]?.aborted).toBe(true);
    vi.advanceTimersByTime(10_000);
    expect(made).toHaveLength(2);
  });

  it.each(["audio-capture", "not-allowed"])("says when it cannot be (%s)", (error) => {
    const { captions, made, onUnavailable } = maker();
    captions.want(true);
    made[0]?.onerror?.({ error });
    expect(onUnavailable).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10_000);
    expect(made).toHaveLength(1);
  });

  it("gives up when it fails again and again", () => {
    const { captions, made, onUnavailable } = maker();
    captions.want(true);
    for (let failure = 0; failure < 5; failure += 1) {
      made.at(-1)?.onerror?.({ error: "network" });
      made.at(-1)?.onend?.();
      vi.advanceTimersByTime(300);
    }
    expect(onUnavailable).toHaveBeenCalledTimes(1);
  });
});
