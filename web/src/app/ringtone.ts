/** The ringtone, made with Web Audio: two notes, a pause, again, until somebody does something. */

interface Note {
  /** Hertz. */
  frequency: number;
  /** Seconds after the first note of the round. */
  at: number;
}

/** C5, then E5 (contract §9). */
const NOTES: readonly Note[] = [
  { frequency: 523.25, at: 0 },
  { frequency: 659.25, at: 0.4 },
];
const NOTE_SECONDS = 0.4;
const PAUSE_SECONDS = 1.5;
const VOLUME = 0.3;
/** Seconds over which a note fades in and out; without it one hears clicks. */
const FADE = 0.02;
const ROUND_MS = (NOTES.length * NOTE_SECONDS + PAUSE_SECONDS) * 1000;

export type AudioOutput = Pick<
  AudioContext,
  "currentTime" | "destination" | "state" | "resume" | "createOscillator" | "createGain"
>;

export class Ringtone {
  readonly #open: () => AudioOutput;
  #output: AudioOutput | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #sounding = new Set<OscillatorNode>();

  constructor(open: () => AudioOutput = () => new AudioContext()) {
    this.#open = open;
  }

  get ringing(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    if (this.ringing) return;
    this.#timer = setInterval(() => this.#round(), ROUND_MS);
    this.#round();
  }

  /** At once, in the middle of a note if need be. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const note of this.#sounding) note.stop();
    this.#sounding.clear();
  }

  /** To be called on a click or key: browsers keep pages silent until then. */
  unlock(): void {
    if (this.#output?.state === "suspended") this.#output.resume().catch(() => undefined);
  }

  #round(): void {
    try {
      this.#output ??= this.#open();
    } catch {
      // No sound on this machine: the card is seen all the same.
      return;
    }
    const output = this.#output;
    if (output.state === "running") {
      this.#play(output);
      return;
    }
    // Refused before the first touch of the page; the next round tries again.
    output.resume().then(
      () => {
        if (this.ringing && this.#sounding.size === 0) this.#play(output);
      },
      () => undefined,
    );
  }

  #play(output: AudioOutput): void {
    for (const { frequency, at } of NOTES) {
      const oscillator = output.createOscillator();
      const gain = output.createGain();
      const start = output.currentTime + at;
      const end = start + NOTE_SECONDS;
      oscillator.type = "sine";
      oscillator.frequency.value = frequency;
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(VOLUME, start + FADE);
      gain.gain.setValueAtTime(VOLUME, end - FADE);
      gain.gain.linearRampToValueAtTime(0, end);
      oscillator.connect(gain).connect(output.destination);
      oscillator.onended = () => {
        this.#sounding.delete(oscillator);
        gain.disconnect();
      };
      oscillator.start(start);
      oscillator.stop(end);
      this.#sounding.add(oscillator);
    }
  }
}
