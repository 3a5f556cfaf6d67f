// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeTrack, unplug } from "../testing/tracks";
import { Picture } from "./picture";
import { type Sound, Voice } from "./voice";

interface Carrier {
  srcObject: { tracks: MediaStreamTrack[] } | null;
}

const frames = new Map<Element, (now: number, metadata: { presentationTime: number }) => void>();

beforeEach(() => {
  vi.useFakeTimers();
  frames.clear();
  vi.stubGlobal(
    "MediaStream",
    class {
      readonly tracks: MediaStreamTrack[];
      constructor(tracks: MediaStreamTrack[]) {
        this.tracks = tracks;
      }
    },
  );
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue(undefined);
  const video = HTMLVideoElement.prototype as unknown as Record<string, unknown>;
  video.requestVideoFrameCallback = function (this: Element, callback: never) {
    frames.set(this, callback);
    return 1;
  };
  video.cancelVideoFrameCallback = function (this: Element) {
    frames.delete(this);
  };
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

function trackOf(element: Element | undefined): MediaStreamTrack | undefined {
  return (element as unknown as Carrier | undefined)?.srcObject?.tracks[0];
}

describe("a picture", () => {
  function picture() {
    const box = document.createElement("div");
    document.body.append(box);
    const at: number[] = [];
    const made = new Picture(box, (time) => at.push(time));
    const videos = () => [...box.querySelectorAll("video")];
    const front = () => videos().find((video) => video.style.zIndex === "1");
    const present = (track: MediaStreamTrack, time: number) => {
      const element = videos().find((video) => trackOf(video) === track);
      if (element !== undefined) frames.get(element)?.(time, { presentationTime: time });
    };
    return { made, at, videos, front, present };
  }

  it("keeps the old track in front until the new one flows, then lets it go", () => {
    const { made, videos, front, present, at } = picture();
    const [old, fresh] = [fakeTrack("video"), fakeTrack("video")];
    made.show(old);
    present(old, 10);
    made.show(fresh);
    expect(videos()).toHaveLength(2);
    for (const time of [30, 60]) {
      present(old, time - 10);
      present(fresh, time);
      expect(trackOf(front())).toBe(old);
    }
    present(fresh, 90);
    expect(videos()).toHaveLength(1);
    expect(trackOf(front())).toBe(fresh);
    present(fresh, 120);
    expect(at).toEqual([10, 20, 50, 90, 120]);
  });

  it("does not fall for a first frame that is followed by a pause", () => {
    const { made, front, present } = picture();
    const [old, fresh] = [fakeTrack("video"), fakeTrack("video")];
    made.show(old);
    made.show(fresh);
    for (const time of [0, 200, 400, 600]) {
      present(old, time);
      present(fresh, time + 10);
      expect(trackOf(front())).toBe(old);
    }
    // As good as it gets.
    present(old, 700);
    present(fresh, 710);
    expect(trackOf(front())).toBe(fresh);
  });

  it("takes any frame when the old picture stands still or has ended", () => {
    const still = picture();
    const ended = picture();
    for (const { made, front, present } of [still, ended]) {
      const [old, fresh] = [fakeTrack("video"), fakeTrack("video")];
      made.show(old);
      present(old, 10);
      made.show(fresh);
      if (made === ended.made) old.stop();
      present(fresh, made === ended.made ? 20 : 300);
      expect(trackOf(front())).toBe(fresh);
    }
  });

  it("goes back without a trace when the new track is taken away before it showed anything", () => {
    const { made, videos, front, present } = picture();
    const [old, fresh] = [fakeTrack("video"), fakeTrack("video")];
    made.show(old);
    present(old, 10);
    made.show(fresh);
    made.show(old);
    expect(videos()).toHaveLength(1);
    expect(trackOf(front())).toBe(old);
  });

  it("keeps the last picture while there is no track", () => {
    const { made, front } = picture();
    const old = fakeTrack("video");
    made.show(old);
    made.show(null);
    expect(trackOf(front())).toBe(old);
  });

  it("waits for the newest of several", () => {
    const { made, videos, front, present } = picture();
    const [first, second, third] = [fakeTrack("video"), fakeTrack("video"), fakeTrack("video")];
    made.show(first);
    present(first, 10);
    made.show(second);
    made.show(third);
    expect(videos()).toHaveLength(2);
    for (const time of [20, 40, 60]) present(third, time);
    expect(trackOf(front())).toBe(third);
  });

  it("leaves nothing behind", () => {
    const { made, videos } = picture();
    made.show(fakeTrack("video"));
    made.show(fakeTrack("video"));
    made.close();
    expect(videos()).toEqual([]);
    expect(frames.size).toBe(0);
  });
});

describe("a voice", () => {
  function voice() {
    const box = document.createElement("div");
    document.body.append(box);
    const emitted = new Map<RTCRtpReceiver, number>();
    const audible: MediaStreamTrack[] = [];
    const onBlocked = vi.fn();
    const made = new Voice(box, {
      onBlocked,
      onAudible: ({ track }) => audible.push(track),
      emitted: (receiver) => Promise.resolve(emitted.get(receiver) ?? 0),
    });
    const sound = (): Sound => ({ track: fakeTrack("audio"), receiver: {} as RTCRtpReceiver });
    // Tracks made alike are equal: tests compare identity.
    const open = () => [...box.querySelectorAll("audio")].filter((audio) => !audio.muted).map(trackOf);
    const plays = async ({ receiver }: Sound) => {
      for (let count = 1; count <= 5; count += 1) {
        if (receiver !== null) emitted.set(receiver, (emitted.get(receiver) ?? 0) + 480);
        await vi.advanceTimersByTimeAsync(30);
      }
    };
    return { made, audible, open, sound, plays, emitted, onBlocked, box };
  }

  it("is heard at once when there was none before", () => {
    const { made, open, sound, audible } = voice();
    const first = sound();
    made.hear(first);
    expect(open().map((track) => track === first.track)).toEqual([true]);
    expect(audible).toEqual([first.track]);
  });

  it("is heard from the old track until the new one carries sound, and never from both", async () => {
    const { made, open, sound, plays, audible, box } = voice();
    const [old, fresh] = [sound(), sound()];
    made.hear(old);
    made.hear(fresh);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(open().map((track) => track === old.track)).toEqual([true]);
    await plays(fresh);
    expect(open().map((track) => track === fresh.track)).toEqual([true]);
    expect(audible).toEqual([old.track, fresh.track]);
    expect(box.children).toHaveLength(1);
  });

  it("changes over although the browser tells the same figures twice each time", async () => {
    const { made, open, sound, emitted } = voice();
    const [old, fresh] = [sound(), sound()];
    made.hear(old);
    made.hear(fresh);
    // Figures that are a moment old every other time: what Chromium gives who asks every 30 ms.
    for (let look = 0; look < 8; look += 1) {
      if (fresh.receiver !== null) emitted.set(fresh.receiver, 960 * (1 + Math.floor(look / 2)));
      await vi.advanceTimersByTimeAsync(30);
    }
    expect(open().map((track) => track === fresh.track)).toEqual([true]);
  });

  it("goes back without a trace", async () => {
    const { made, open, sound, plays, audible } = voice();
    const [old, fresh] = [sound(), sound()];
    made.hear(old);
    made.hear(fresh);
    made.hear(old);
    await plays(fresh);
    expect(open().map((track) => track === old.track)).toEqual([true]);
    expect(audible).toEqual([old.track]);
  });

  it("changes over when the old track is over anyway", async () => {
    const { made, open, sound } = voice();
    const [old, fresh] = [sound(), sound()];
    made.hear(old);
    made.hear(fresh);
    unplug(old.track);
    await vi.advanceTimersByTimeAsync(60);
    expect(open().map((track) => track === fresh.track)).toEqual([true]);
  });

  it("is silent when told so", async () => {
    const { made, sound, box } = voice();
    made.hear(sound());
    made.hear(sound());
    made.hear(null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(box.children).toHaveLength(0);
  });

  it("says when the browser wants a touch first, and plays after it", async () => {
    const { made, sound, onBlocked } = voice();
    const refusal = Object.assign(new Error("no"), { name: "NotAllowedError" });
    const play = vi.spyOn(HTMLMediaElement.prototype, "play").mockRejectedValueOnce(refusal);
    made.hear(sound());
    await vi.advanceTimersByTimeAsync(0);
    expect(onBlocked).toHaveBeenCalledTimes(1);
    made.retry();
    expect(play).toHaveBeenCalledTimes(2);
  });
});
