/** Which remote pictures are on screen and how large, so that only those are received, and no larger than shown. */
import { Emitter } from "../emitter";

export interface ViewSize {
  /** Device pixels. */
  width: number;
  height: number;
}

export interface ViewEvents {
  /** Null when the picture has left the screen. */
  change: { producerId: string; size: ViewSize | null };
}

/** A picture that moves from one place of the page to another is gone for a moment; that is no reason to pause it. */
const HIDE_DELAY = 500;

export class ViewBook {
  readonly events = new Emitter<ViewEvents>();
  readonly #sizes = new Map<string, ViewSize>();
  readonly #hiding = new Map<string, ReturnType<typeof setTimeout>>();

  size(producerId: string): ViewSize | null {
    return this.#sizes.get(producerId) ?? null;
  }

  show(producerId: string, size: ViewSize): void {
    this.#keep(producerId);
    const before = this.#sizes.get(producerId);
    if (before?.width === size.width && before.height === size.height) return;
    this.#sizes.set(producerId, size);
    this.events.emit("change", { producerId, size });
  }

  hide(producerId: string): void {
    this.#keep(producerId);
    const timer = setTimeout(() => {
      this.#hiding.delete(producerId);
      if (this.#sizes.delete(producerId)) this.events.emit("change", { producerId, size: null });
    }, HIDE_DELAY);
    this.#hiding.set(producerId, timer);
  }

  #keep(producerId: string): void {
    clearTimeout(this.#hiding.get(producerId));
    this.#hiding.delete(producerId);
  }
}
