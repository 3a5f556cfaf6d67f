/**
 * Which track stands for whom. Two ways may carry the same person at once while the call changes from one to the
 * other; the page is given one of them: that of the way aimed for as soon as it is there, else what there is.
 */
import type { Source } from "../signalling/wire";

/** A way media takes: a direct connection or one through a node; every connection has its own name. */
export type PathName = string;

export interface Carried {
  track: MediaStreamTrack;
  receiver: RTCRtpReceiver | null;
}

export type BoardListener = (id: string, source: Source, carried: Carried | null) => void;

export class MediaBoard {
  readonly #paths = new Map<PathName, Map<string, Carried>>();
  readonly #given = new Map<string, Carried>();
  readonly #listener: BoardListener;
  #aim: PathName = "";

  constructor(listener: BoardListener) {
    this.#listener = listener;
  }

  put(path: PathName, id: string, source: Source, carried: Carried | null): void {
    const key = keyOf(id, source);
    const carries = this.#paths.get(path) ?? new Map<string, Carried>();
    this.#paths.set(path, carries);
    if (carried === null) carries.delete(key);
    else carries.set(key, carried);
    this.#choose(key);
  }

  /** From now on this way is preferred. */
  aim(path: PathName): void {
    this.#aim = path;
    for (const key of this.#keys()) this.#choose(key);
  }

  /** The way is gone. */
  drop(path: PathName): void {
    const carries = this.#paths.get(path);
    if (carries === undefined) return;
    this.#paths.delete(path);
    for (const key of carries.keys()) this.#choose(key);
  }

  clear(): void {
    for (const path of [...this.#paths.keys()]) this.drop(path);
  }

  #keys(): Set<string> {
    return new Set([...this.#paths.values()].flatMap((carries) => [...carries.keys()]));
  }

  #choose(key: string): void {
    const chosen = this.#candidate(key);
    const given = this.#given.get(key) ?? null;
    if (chosen?.track === given?.track) return;
    if (chosen === null) this.#given.delete(key);
    else this.#given.set(key, chosen);
    const [id, source] = key.split("\n") as [string, Source];
    this.#listener(id, source, chosen);
  }

  #candidate(key: string): Carried | null {
    const aimed = this.#paths.get(this.#aim)?.get(key);
    if (aimed !== undefined) return aimed;
    // What is shown stays, rather than changing to a third way.
    const given = this.#given.get(key);
    const others = [...this.#paths.values()].flatMap((carries) => carries.get(key) ?? []);
    return others.find((carried) => carried.track === given?.track) ?? others[0] ?? null;
  }
}

function keyOf(id: string, source: Source): string {
  return `${id}\n${source}`;
}
