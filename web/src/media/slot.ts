/**
 * One capture device that is wanted or not, whatever the order in which people press buttons.
 *
 * Opening takes as long as a permission prompt; in the meantime wishes may change several times. The slot
 * remembers only the latest wish and works towards it, so ten quick toggles end where the last one pointed.
 */
import { Emitter } from "../emitter";
import { type DeviceTrouble, troubleOf } from "./devices";

export interface SlotEvents {
  track: MediaStreamTrack | null;
  trouble: DeviceTrouble | null;
}

export type OpenTrack = (deviceId: string | undefined) => Promise<MediaStreamTrack>;

interface Wish {
  on: boolean;
  deviceId: string | undefined;
}

export class TrackSlot {
  readonly events = new Emitter<SlotEvents>();
  readonly #open: OpenTrack;
  #wish: Wish = { on: false, deviceId: undefined };
  #held: { track: MediaStreamTrack; deviceId: string | undefined } | null = null;
  #trouble: DeviceTrouble | null = null;
  #settling: Promise<void> | null = null;

  constructor(open: OpenTrack) {
    this.#open = open;
  }

  get track(): MediaStreamTrack | null {
    return this.#held?.track ?? null;
  }

  get trouble(): DeviceTrouble | null {
    return this.#trouble;
  }

  get wanted(): boolean {
    return this.#wish.on;
  }

  get deviceId(): string | undefined {
    return this.#wish.deviceId;
  }

  /** Resolves when the latest wish is fulfilled or has failed. */
  want(on: boolean): Promise<void> {
    this.#wish = { ...this.#wish, on };
    return this.#settle();
  }

  choose(deviceId: string | undefined): Promise<void> {
    this.#wish = { ...this.#wish, deviceId };
    return this.#settle();
  }

  close(): void {
    void this.want(false);
  }

  #settle(): Promise<void> {
    this.#settling ??= this.#work();
    return this.#settling;
  }

  async #work(): Promise<void> {
    // Lets the caller's further wishes of the same moment arrive first.
    await Promise.resolve();
    while (!this.#fulfilled()) {
      const wish = this.#wish;
      if (!wish.on) this.#release();
      else if (!(await this.#acquire(wish)) && this.#wish === wish) {
        // What is held stays held; the failed wish is not tried again by itself.
        const held = this.#held;
        this.#wish = held === null ? { ...wish, on: false } : { on: true, deviceId: held.deviceId };
      }
    }
    // In the same breath as the last look, so that no wish falls in between.
    this.#settling = null;
  }

  #fulfilled(): boolean {
    if (!this.#wish.on) return this.#held === null;
    return this.#held !== null && this.#held.deviceId === this.#wish.deviceId;
  }

  async #acquire(wish: Wish): Promise<boolean> {
    try {
      const track = await this.#openWith(wish.deviceId);
      this.#hold(track, wish.deviceId);
      this.#report(null);
      return true;
    } catch (error) {
      this.#report(troubleOf(error));
      return false;
    }
  }

  /** Some phones cannot open a second camera while the first is open: then close the first and try again. */
  async #openWith(deviceId: string | undefined): Promise<MediaStreamTrack> {
    try {
      return await this.#open(deviceId);
    } catch (error) {
      if (this.#held === null || troubleOf(error) !== "busy") throw error;
      this.#release();
      return this.#open(deviceId);
    }
  }

  #hold(track: MediaStreamTrack, deviceId: string | undefined): void {
    const previous = this.#held?.track;
    this.#held = { track, deviceId };
    track.addEventListener("ended", () => this.#lost(track), { once: true });
    // Listeners swap first, so that a sender never carries a stopped track.
    this.events.emit("track", track);
    previous?.stop();
  }

  #release(): void {
    const previous = this.#held?.track;
    if (previous === undefined) return;
    this.#held = null;
    this.events.emit("track", null);
    previous.stop();
  }

  /** Unplugged, or permission taken back. Another device of the kind may still do. */
  #lost(track: MediaStreamTrack): void {
    if (this.#held?.track !== track) return;
    const chosen = this.#held.deviceId !== undefined;
    this.#held = null;
    this.events.emit("track", null);
    if (chosen) void this.choose(undefined);
    else {
      this.#wish = { ...this.#wish, on: false };
      this.#report("lost");
    }
  }

  #report(trouble: DeviceTrouble | null): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.events.emit("trouble", trouble);
  }
}
