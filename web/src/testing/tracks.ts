import { FakeMediaStreamTrack } from "fake-mediastreamtrack";

export function fakeTrack(kind: "audio" | "video"): MediaStreamTrack {
  return new FakeMediaStreamTrack({ kind });
}

/** Ends a track as pulling out its device does. */
export function unplug(track: MediaStreamTrack): void {
  (track as unknown as FakeMediaStreamTrack).remoteStop();
}
