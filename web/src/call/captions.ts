/** One's own speech as text, where the browser can do that by itself (Web Speech API). */

export interface Heard {
  text: string;
  final: boolean;
  /** 0 to 1; null where the browser does not tell. */
  confidence: number | null;
}

/** The part of the browser's recogniser that is used; TypeScript's library does not know it. */
export interface Recogniser {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  onresult: ((event: RecogniserEvent) => void) | null;
  onerror: ((event: { error: string }) => void) | null;
  onend: (() => void) | null;
  start: () => void;
  abort: () => void;
}

export interface RecogniserEvent {
  resultIndex: number;
  results: ArrayLike<{ isFinal: boolean } & ArrayLike<{ transcript: string; confidence?: number }>>;
}

type MakeRecogniser = () => Recogniser;

/** Browsers end recognition by themselves after a while; it goes on after this. */
const RESTART = 300;
/** Ends without a word in between; after so many nothing is to be expected. */
const MAX_FAILURES = 5;

export function findRecogniser(): MakeRecogniser | null {
  const scope = globalThis as {
    SpeechRecognition?: new () => Recogniser;
    webkitSpeechRecognition?: new () => Recogniser;
  };
  const Made = scope.SpeechRecognition ?? scope.webkitSpeechRecognition;
  return Made === undefined ? null : () => new Made();
}

export class CaptionMaker {
  readonly #make: MakeRecogniser;
  readonly #language: () => string;
  readonly #onHeard: (heard: Heard) => void;
  /** The browser does not let us, now or ever. */
  readonly #onUnavailable: () => void;
  #recogniser: Recogniser | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #on = false;

  constructor(options: {
    make: MakeRecogniser;
    language: () => string;
    onHeard: (heard: Heard) => void;
    onUnavailable: () => void;
  }) {
    this.#make = options.make;
    this.#language = options.language;
    this.#onHeard = options.onHeard;
    this.#onUnavailable = options.onUnavailable;
  }

  /** Listens or does not; a muted microphone is not to be listened to. */
  want(on: boolean): void {
    if (this.#on === on) return;
    this.#on = on;
    this.#failures = 0;
    if (on) this.#start();
    else this.#stop();
  }

  #start(): void {
    const recogniser = this.#make();
    this.#recogniser = recogniser;
    recogniser.lang = this.#language();
    recogniser.continuous = true;
    recogniser.interimResults = true;
    recogniser.onresult = (event) => this.#heard(event);
    recogniser.onerror = ({ error }) => {
      if (error === "not-allowed" || error === "service-not-allowed" || error === "audio-capture")
        this.#giveUp();
      else if (error !== "no-speech") this.#failures += 1;
    };
    recogniser.onend = () => this.#again(recogniser);
    try {
      recogniser.start();
    } catch {
      this.#giveUp();
    }
  }

  #again(recogniser: Recogniser): void {
    if (!this.#on || this.#recogniser !== recogniser) return;
    if (this.#failures >= MAX_FAILURES) {
      this.#giveUp();
      return;
    }
    this.#timer = setTimeout(() => {
      if (this.#on && this.#recogniser === recogniser) this.#start();
    }, RESTART);
  }

  #heard(event: RecogniserEvent): void {
    this.#failures = 0;
    let open = "";
    for (let index = event.resultIndex; index < event.results.length; index += 1) {
      const result = event.results[index];
      const best = result?.[0];
      if (result === undefined || best === undefined) continue;
      if (!result.isFinal) open += best.transcript;
      else if (best.transcript.trim() !== "")
        this.#onHeard({ text: best.transcript.trim(), final: true, confidence: best.confidence ?? null });
    }
    if (open.trim() !== "") this.#onHeard({ text: open.trim(), final: false, confidence: null });
  }

  #stop(): void {
    clearTimeout(this.#timer);
    const recogniser = this.#recogniser;
    this.#recogniser = null;
    if (recogniser === null) return;
    recogniser.onresult = null;
    recogniser.onend = null;
    recogniser.onerror = null;
    recogniser.abort();
  }

  #giveUp(): void {
    this.#on = false;
    this.#stop();
    this.#onUnavailable();
  }
}
