import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AudioOutput, Ringtone } from "./ringtone";

interface Played {
  frequency: number;
  type: string;
  from: number;
  until: number;
  loudest: number;
  stopped: boolean;
}

/** An audio output that writes down what it is to play. */
function fakeOutput(state: AudioContextState = "running") {
  const played: Played[] = [];
  const output = {
    currentTime: 10,
    destination: {},
    state,
    resume: vi.fn(() => Promise.resolve()),
    createGain() {
      const gain = {
        loudest: 0,
        setValueAtTime: (value: number) => (gain.loudest = Math.max(gain.loudest, value)),
        linearRampToValueAtTime: (value: number) => (gain.loudest = Math.max(gain.loudest, value)),
      };
      return { gain, connect: () => ({}), disconnect: () => undefined };
    },
    createOscillator() {
      const note: Played = { frequency: 0, type: "", from: 0, until: 0, loudest: 0, stopped: false };
      played.push(note);
      return {
        set type(type: string) {
          note.type = type;
        },
        frequency: {
          set value(value: number) {
            note.frequency = value;
          },
        },
        connect(node: { gain: { loudest: number }; connect: () => unknown }) {
          note.loudest = node.gain.loudest;
          return node;
        },
        start: (at: number) => (note.from = at),
        stop: (at?: number) => {
          if (at === undefined) note.stopped = true;
          else note.until = at;
        },
      };
    },
  };
  return { output: output as unknown as AudioOutput, played, resume: output.resume };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("Ringtone", () => {
  it("plays two notes, pauses, and begins again", () => {
    const { output, played } = fakeOutput();
    const ringtone = new Ringtone(() => output);
    ringtone.start();
    expect(played).toHaveLength(2);
    expect(played[0]).toMatchObject({ frequency: 523.25, type: "sine", from: 10, until: 10.4, loudest: 0.3 });
    expect(played[1]).toMatchObject({ frequency: 659.25, type: "sine", from: 10.4, loudest: 0.3 });
    expect(played[1]?.until).toBeCloseTo(10.8);
    // 0.4 s, 0.4 s, and a pause of 1.5 s.
    vi.advanceTimersByTime(2_299);
    expect(played).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(played).toHaveLength(4);
    ringtone.stop();
  });

  it("stops at once and for good", () => {
    const { output, played } = fakeOutput();
    const ringtone = new Ringtone(() => output);
    ringtone.start();
    ringtone.start();
    ringtone.stop();
    expect(played.map(({ stopped }) => stopped)).toEqual([true, true]);
    expect(ringtone.ringing).toBe(false);
    vi.advanceTimersByTime(10_000);
    expect(played).toHaveLength(2);
  });

  it("keeps silent while the browser does not allow sound, and asks again", async () => {
    const { output, played, resume } = fakeOutput("suspended");
    resume.mockRejectedValue(new Error("NotAllowedError"));
    const ringtone = new Ringtone(() => output);
    ringtone.start();
    await vi.advanceTimersByTimeAsync(2_300);
    expect(played).toEqual([]);
    expect(resume).toHaveBeenCalledTimes(2);
    resume.mockResolvedValue(undefined);
    await vi.advanceTimersByTimeAsync(2_300);
    expect(played).toHaveLength(2);
    ringtone.stop();
  });

  it("does not begin after it was stopped meanwhile", async () => {
    const { output, played, resume } = fakeOutput("suspended");
    let allow: () => void = () => undefined;
    resume.mockImplementation(() => new Promise<void>((resolve) => (allow = resolve)));
    const ringtone = new Ringtone(() => output);
    ringtone.start();
    ringtone.stop();
    allow();
    await vi.advanceTimersByTimeAsync(0);
    expect(played).toEqual([]);
  });

  it("survives a machine without sound", () => {
    const ringtone = new Ringtone(() => {
      throw new Error("no audio hardware");
    });
    ringtone.start();
    expect(ringtone.ringing).toBe(true);
    ringtone.stop();
  });
});
