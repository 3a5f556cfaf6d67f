/** The page's one AudioContext, made on first need. */

let shared: AudioContext | undefined;

export function audioContext(): AudioContext | undefined {
  if (typeof AudioContext === "undefined") return undefined;
  shared ??= new AudioContext({ latencyHint: "interactive" });
  return shared;
}

/** Browsers hold sound back until the user has touched the page. Call this from gestures. */
export function resumeAudio(): void {
  if (shared?.state === "suspended") void shared.resume().catch(() => undefined);
}

/**
 * A microphone track that says nothing. It stands in when there is no microphone, so that a participant without
 * one still has an audio producer and is therefore visible to the others; the real one later replaces it in place.
 */
export function silentTrack(): MediaStreamTrack | undefined {
  return audioContext()?.createMediaStreamDestination().stream.getAudioTracks()[0];
}
