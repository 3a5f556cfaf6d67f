/**
 * One person's sound. When the track changes, the old one is heard until the new one carries sound; then both
 * change places in one task. At any time at most one of them is audible.
 */
import { errorName } from "../error-name";

export interface Sound {
  track: MediaStreamTrack;
  receiver: RTCRtpReceiver | null;
}

export interface VoiceOptions {
  /** The browser wants a touch of the page first. */
  onBlocked: () => void;
  /** Another track is heard from now on. */
  onAudible: (sound: Sound) => void;
  /** For tests: how it is told that a receiver plays something out. */
  emitted?: (receiver: RTCRtpReceiver) => Promise<number>;
}

interface Player {
  element: HTMLAudioElement;
  sound: Sound;
}

/** Milliseconds between looks at whether the new track carries sound. */
const POLL = 30;

export class Voice {
  readonly #box: HTMLElement;
  readonly #options: VoiceOptions;
  readonly #emitted: (receiver: RTCRtpReceiver) => Promise<number>;
  #current: Player | null = null;
  #next: Player | null = null;
  #speaker: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(box: HTMLElement, options: VoiceOptions) {
    this.#box = box;
    this.#options = options;
    this.#emitted = options.emitted ?? emittedSamples;
  }

  /** Null is silence at once. */
  hear(sound: Sound | null): void {
    if (sound === null) {
      this.close();
      return;
    }
    if (this.#next?.sound.track === sound.track) return;
    this.#cancel();
    if (this.#current?.sound.track === sound.track) return;
    const player = this.#start(sound, this.#current !== null);
    if (this.#current === null) this.#become(player);
    else {
      this.#next = player;
      void this.#await(player);
    }
  }

  useSpeaker(deviceId: string | undefined): void {
    this.#speaker = deviceId;
    for (const player of [this.#current, this.#next]) if (player !== null) this.#route(player.element);
  }

  /** After the user has touched the page. */
  retry(): void {
    for (const player of [this.#current, this.#next]) if (player !== null) this.#play(player.element);
  }

  close(): void {
    this.#cancel();
    stop(this.#current);
    this.#current = null;
  }

  #start(sound: Sound, muted: boolean): Player {
    const element = document.createElement("audio");
    element.autoplay = true;
    element.muted = muted;
    element.srcObject = new MediaStream([sound.track]);
    this.#box.append(element);
    this.#route(element);
    this.#play(element);
    return { element, sound };
  }

  #play(element: HTMLAudioElement): void {
    element.play().catch((error: unknown) => {
      if (errorName(error) === "NotAllowedError") this.#options.onBlocked();
    });
  }

  #route(element: HTMLAudioElement): void {
    if (this.#speaker === undefined || !("setSinkId" in element)) return;
    // A speaker that is gone leaves the sound where it was.
    element.setSinkId(this.#speaker).catch(() => undefined);
  }

  /**
   * Waits until the new track's samples were seen to come out twice, or the old track is over anyway. Looks at which
   * nothing has grown count for nothing: a browser gives the same figures again for a while (Chromium for 50 ms), so that
   * at an even pace every other look finds no growth, however well the sound flows.
   */
  async #await(player: Player): Promise<void> {
    let before: number | null = null;
    let grown = 0;
    while (this.#next === player) {
      const { receiver } = player.sound;
      if (this.#current?.sound.track.readyState === "ended" || receiver === null) break;
      const now = await this.#emitted(receiver);
      if (before !== null && now > before) grown += 1;
      before = now;
      if (grown >= 2) break;
      await new Promise((resolve) => (this.#timer = setTimeout(resolve, POLL)));
    }
    if (this.#next === player) this.#become(player);
  }

  #become(player: Player): void {
    const old = this.#current;
    this.#next = null;
    this.#current = player;
    if (old !== null) old.element.muted = true;
    player.element.muted = false;
    stop(old);
    this.#options.onAudible(player.sound);
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    stop(this.#next);
    this.#next = null;
  }
}

function stop(player: Player | null): void {
  if (player === null) return;
  player.element.srcObject = null;
  player.element.remove();
}

/** Samples the jitter buffer has handed out; where the browser does not tell, packets that came in. */
export async function emittedSamples(receiver: RTCRtpReceiver): Promise<number> {
  let found = 0;
  try {
    (await receiver.getStats()).forEach((entry: Record<string, unknown>) => {
      if (entry.type !== "inbound-rtp") return;
      const count = entry.packetsReceived;
      // Played-out silence before the first packet is no sound.
      if (typeof count !== "number" || count === 0) return;
      const emitted = entry.jitterBufferEmittedCount;
      found = typeof emitted === "number" ? emitted : count;
    });
  } catch {
    // Closed while we asked.
  }
  return found;
}
