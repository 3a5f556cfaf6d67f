/**
 * Listens along with what is heard of one person, to the sample: where was it silent, and for how long?
 *
 * An analyser keeps the last two thirds of a second; looking at it a few times in that time misses nothing, and a
 * busy page does no harm. The tap changes tracks in the same moment as the loudspeaker does.
 */
import { audioContext } from "./audio-context";

export interface Heard {
  /** `performance.now()`. */
  from: number;
  to: number;
  silences: { from: number; to: number }[];
}

const LOOK_EVERY = 200;
/** The largest the Web Audio API allows; 0.68 s at 48 kHz. */
const WINDOW = 32_768;
/** Below -70 dBFS nothing is heard; decoders fill lost packets with noise above it. */
const SILENT_BELOW = 0.000_3;
/** Shorter ones lie between the periods of a deep voice. */
const SHORTEST_HOLE = 12;

export class SoundTap {
  readonly #onHeard: (heard: Heard) => void;
  readonly #samples = new Float32Array(WINDOW);
  #analyser: AnalyserNode | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Of the audio clock, seconds. */
  #lookedAt = 0;
  /** Up to where was listened, `performance.now()`; null before the first look. */
  #heardTo: number | null = null;

  constructor(onHeard: (heard: Heard) => void) {
    this.#onHeard = onHeard;
  }

  /** From now on this track is what is heard. */
  listen(track: MediaStreamTrack): void {
    const context = audioContext();
    if (context === undefined) return;
    if (this.#analyser === null) {
      this.#analyser = context.createAnalyser();
      this.#analyser.fftSize = WINDOW;
      this.#lookedAt = context.currentTime;
      this.#timer = setInterval(() => this.#look(context), LOOK_EVERY);
    }
    const source = context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.#analyser);
    this.#source?.disconnect();
    this.#source = source;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#source = null;
    this.#analyser = null;
  }

  #look(context: AudioContext): void {
    const analyser = this.#analyser;
    // Without a touch of the page there is no sound at all, and nothing to be said about it.
    if (analyser === null || context.state !== "running") return;
    const now = context.currentTime;
    const elapsed = now - this.#lookedAt;
    this.#lookedAt = now;
    analyser.getFloatTimeDomainData(this.#samples);
    const perSample = 1_000 / context.sampleRate;
    const passed = Math.round(elapsed * context.sampleRate);
    const fresh = Math.min(WINDOW, passed);
    const { from, to } = this.#spanOf(fresh * perSample, passed <= WINDOW);
    const silences = silencesIn(this.#samples.subarray(WINDOW - fresh), perSample, from);
    this.#onHeard({ from, to, silences });
  }

  /** Looks join without a seam as long as no sample was missed, however late the page's timers are. */
  #spanOf(duration: number, seamless: boolean): { from: number; to: number } {
    const now = performance.now();
    const from = seamless && this.#heardTo !== null ? this.#heardTo : now - duration;
    const to = Math.abs(from + duration - now) > MAX_DRIFT ? now : from + duration;
    this.#heardTo = to;
    return { from: Math.min(from, to), to };
  }
}

/** The audio clock and the page's drift apart; more than this is set right at once. */
const MAX_DRIFT = 120;

/** Stretches below hearing; those at either end however short, for they may go on beyond. */
export function silencesIn(
  samples: Float32Array,
  perSample: number,
  startsAt: number,
): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  const keep = (first: number, end: number) => {
    const long = (end - first) * perSample >= SHORTEST_HOLE;
    if (long || first === 0 || end === samples.length)
      found.push({ from: startsAt + first * perSample, to: startsAt + end * perSample });
  };
  let first = -1;
  for (let index = 0; index < samples.length; index += 1) {
    const silent = Math.abs(samples[index] ?? 0) < SILENT_BELOW;
    if (silent && first < 0) first = index;
    else if (!silent && first >= 0) {
      keep(first, index);
      first = -1;
    }
  }
  if (first >= 0) keep(first, samples.length);
  return found;
}
