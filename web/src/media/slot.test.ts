import { describe, expect, it, vi } from "vitest";
import { fakeTrack, unplug } from "../testing/tracks";
import { DeviceError } from "./devices";
import { TrackSlot } from "./slot";

function opener() {
  const open = vi.fn((deviceId: string | undefined): Promise<MediaStreamTrack> => {
    if (deviceId === "broken") return failure("busy");
    return Promise.resolve(fakeTrack("video"));
  });
  return open;
}

function failure(trouble: "denied" | "busy"): Promise<never> {
  return Promise.reject(new DeviceError(trouble, trouble));
}

describe("TrackSlot", () => {
  it("opens and closes", async () => {
    const slot = new TrackSlot(opener());
    await slot.want(true);
    const track = slot.track;
    expect(track?.readyState).toBe("live");
    await slot.want(false);
    expect(slot.track).toBeNull();
    expect(track?.readyState).toBe("ended");
  });

  it.each([
    [9, true],
    [10, false],
  ])("ends %d quick toggles where the last one pointed", async (toggles, on) => {
    const open = opener();
    const slot = new TrackSlot(open);
    const all = Array.from({ length: toggles }, (_, index) => slot.want(index % 2 === 0));
    await Promise.all(all);
    expect(slot.track !== null).toBe(on);
    expect(open.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it("lets go of a device that opens after it is no longer wanted", async () => {
    let give: (track: MediaStreamTrack) => void = () => undefined;
    const slot = new TrackSlot(() => new Promise((resolve) => (give = resolve)));
    const opening = slot.want(true);
    await Promise.resolve();
    await Promise.resolve();
    void slot.want(false);
    const track = fakeTrack("video");
    give(track);
    await opening;
    expect(slot.track).toBeNull();
    expect(track.readyState).toBe("ended");
  });

  it("changes the device without a gap: listeners get the new track before the old one stops", async () => {
    const slot = new TrackSlot(opener());
    await slot.want(true);
    const before = slot.track;
    const seen: (string | undefined)[] = [];
    slot.events.on("track", () => seen.push(before?.readyState));
    await slot.choose("other");
    expect(seen).toEqual(["live"]);
    expect(before?.readyState).toBe("ended");
    expect(slot.track).not.toBe(before);
  });

  it("closes the first device when the second cannot be opened beside it", async () => {
    const open = opener();
    const slot = new TrackSlot(open);
    await slot.want(true);
    open.mockImplementationOnce(() => failure("busy"));
    await slot.choose("other");
    expect(open.mock.calls.map(([id]) => id)).toEqual([undefined, "other", "other"]);
    expect(slot.track?.readyState).toBe("live");
    expect(slot.trouble).toBeNull();
  });

  it("keeps the device it has when the other one is refused", async () => {
    const open = opener();
    const slot = new TrackSlot(open);
    await slot.want(true);
    const before = slot.track;
    open.mockImplementationOnce(() => failure("denied"));
    await slot.choose("other");
    expect(slot.track).toBe(before);
    expect(before?.readyState).toBe("live");
  });

  it("says what is wrong, and can be tried again", async () => {
    const open = opener();
    open.mockImplementationOnce(() => failure("denied"));
    const slot = new TrackSlot(open);
    const troubles: unknown[] = [];
    slot.events.on("trouble", (trouble) => troubles.push(trouble));
    await slot.want(true);
    expect([slot.track, slot.trouble, slot.wanted]).toEqual([null, "denied", false]);
    await slot.want(true);
    expect(slot.track).not.toBeNull();
    expect(troubles).toEqual(["denied", null]);
  });

  it("takes the default device when the chosen one is unplugged", async () => {
    const open = opener();
    const slot = new TrackSlot(open);
    await slot.choose("headset");
    await slot.want(true);
    const before = slot.track;
    if (before) unplug(before);
    await vi.waitFor(() => expect(slot.track).not.toBeNull());
    expect(open.mock.calls.map(([id]) => id)).toEqual(["headset", undefined]);
  });

  it("reports the loss when there is no other", async () => {
    const slot = new TrackSlot(opener());
    await slot.want(true);
    if (slot.track) unplug(slot.track);
    expect([slot.track, slot.trouble]).toEqual([null, "lost"]);
  });
});
