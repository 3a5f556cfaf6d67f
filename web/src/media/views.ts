/** Which remote pictures are on screen and how large, so that only those are received, and no larger than shown. */
import { Emitter } from "../emitter";

export interface ViewSize {
  /** Device pixels. */
  width: number;
  height: number;
}

export interface ViewEvents {
  /** Null when the picture has left the screen. */
  change: { key: string; size: ViewSize | null };
}

/** A picture that moves from one place of the page to another is gone for a moment; that is no reason to pause it. */
const HIDE_DELAY = 500;

export class ViewBook {
  readonly events = new Emitter<ViewEvents>();
  readonly #sizes = new Map<string, ViewSize>();
  readonly #hiding = new Map<string, ReturnType<typeof setTimeout>>();

  size(key: string): ViewSize | null {
    return this.#sizes.get(key) ?? null;
  }

  show(key: string, size: ViewSize): void {
    this.#keep(key);
    const before = this.#sizes.get(key);
    if (before?.width === size.width && before.height === size.height) return;
    this.#sizes.set(key, size);
    this.events.emit("change", { key, size });
  }

  hide(key: string): void {
    this.#keep(key);
    const timer = setTimeout(() => {
      this.#hiding.delete(key);
      if (this.#sizes.delete(key)) this.events.emit("change", { key, size: null });
    }, HIDE_DELAY);
    this.#hiding.set(key, timer);
  }

  #keep(key: string): void {
    clearTimeout(this.#hiding.get(key));
    this.#hiding.delete(key);
  }
}
