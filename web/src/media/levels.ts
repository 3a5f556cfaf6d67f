/** How loud everybody is, for meters and the ring around the one who speaks. Polled, never through state. */
import { audioContext } from "./audio-context";

/** Linear loudness, 0 silent to 1 full scale. */
export type LevelListener = (level: number) => void;
export type LevelSource = () => number;

/** Fast enough to look alive, slow enough to cost nothing. */
const INTERVAL = 100;
/** Above this a person counts as speaking; about -42 dBFS, over the breath and fan noise that processing leaves. */
export const SPEAKING_LEVEL = 0.008;

export class LevelBoard {
  readonly #sources = new Map<string, LevelSource>();
  readonly #listeners = new Map<string, Set<LevelListener>>();
  #timer: ReturnType<typeof setInterval> | undefined;

  setSource(key: string, source: LevelSource | null): void {
    if (source === null) this.#sources.delete(key);
    else this.#sources.set(key, source);
  }

  subscribe(key: string, listener: LevelListener): () => void {
    const set = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, set.add(listener));
    this.#timer ??= setInterval(() => this.#poll(), INTERVAL);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#listeners.get(key) === set) this.#listeners.delete(key);
      if (this.#listeners.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  #poll(): void {
    for (const [key, listeners] of this.#listeners) {
      const level = this.#sources.get(key)?.() ?? 0;
      for (const listener of listeners) listener(level);
    }
  }
}

/** Reads a local track. `close` takes it out of the audio graph. */
export function trackLevel(track: MediaStreamTrack): { read: LevelSource; close: () => void } {
  const context = audioContext();
  if (context === undefined) return { read: () => 0, close: () => undefined };
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    read: () => {
      analyser.getFloatTimeDomainData(samples);
      return rootMeanSquare(samples);
    },
    close: () => source.disconnect(),
  };
}

function rootMeanSquare(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

/** Reads what arrives at a receiver, without touching the audio itself. */
export function receiverLevel(receiver: RTCRtpReceiver): LevelSource {
  return () => {
    const source = receiver.getSynchronizationSources()[0];
    return source?.audioLevel ?? 0;
  };
}

/** Places a level on a 0..1 meter by ear: -60 dB is empty, -6 dB is full. */
export function meterPosition(level: number): number {
  if (level <= 0) return 0;
  const decibels = 20 * Math.log10(level);
  return Math.min(1, Math.max(0, (decibels + 60) / 54));
}
