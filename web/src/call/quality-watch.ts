/** Looks at the counters every two seconds, tells the page what it means, and the gateway every ten. */
import type { QualityReport } from "../signalling/generated";
import {
  Adviser,
  type Judged,
  levelOf,
  merged,
  reportOf,
  type Totals,
  totalsOf,
  type Window,
  windowBetween,
} from "./quality";
import type { Quality } from "./state";

export interface QualityWatchOptions {
  /** Whose media arrives where. */
  receivers: () => ReadonlyMap<string, readonly RTCRtpReceiver[]>;
  bytesSent: () => Promise<number>;
  measured: (own: Quality | null, remote: Record<string, Quality>) => void;
  judged: (judged: Judged) => void;
  report: (report: Omit<QualityReport, "callId">) => void;
  now?: () => number;
}

const LOOK_EVERY = 2_000;
/** Every so many looks. */
const REPORT_EVERY = 5;
/** Levels are taken over the last looks together, so that they do not flicker. */
const SMOOTHED_OVER = 3;

interface Person {
  totals: Totals;
  windows: Window[];
}

export class QualityWatch {
  readonly #options: QualityWatchOptions;
  readonly #now: () => number;
  readonly #adviser = new Adviser();
  readonly #timer: ReturnType<typeof setInterval>;
  #people = new Map<string, Person>();
  #since: Window[] = [];
  #looks = 0;
  #lookedAt: number;
  #closed = false;

  constructor(options: QualityWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lookedAt = this.#now();
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const now = this.#now();
    const seconds = (now - this.#lookedAt) / 1_000;
    this.#lookedAt = now;
    const asked = [...this.#options.receivers()];
    const found = await Promise.all(
      asked.map(async ([id, receivers]) => [id, await totalsOf(receivers)] as const),
    );
    if (this.#closed) return;
    const windows = found.flatMap(([id, totals]) => this.#take(id, totals, seconds) ?? []);
    this.#forgetAllBut(new Set(found.map(([id]) => id)));
    this.#publish(
      found.map(([, totals]) => totals),
      windows,
      seconds,
    );
  }

  #take(id: string, totals: Totals, seconds: number): Window | null {
    const before = this.#people.get(id);
    const window = before === undefined ? null : windowBetween(before.totals, totals, seconds);
    // Counters that began anew: the levels stay until there is something new to say.
    const windows = window === null ? (before?.windows ?? []) : [...(before?.windows ?? []), window];
    this.#people.set(id, { totals, windows: windows.slice(-SMOOTHED_OVER) });
    return window;
  }

  #forgetAllBut(present: ReadonlySet<string>): void {
    for (const id of this.#people.keys()) if (!present.has(id)) this.#people.delete(id);
  }

  #publish(totals: Totals[], windows: Window[], seconds: number): void {
    const remote: Record<string, Quality> = {};
    for (const [id, person] of this.#people) {
      const level = levelOf(merged(person.windows));
      if (level !== null) remote[id] = level;
    }
    const all = [...this.#people.values()].flatMap((person) => person.windows);
    const own = levelOf(merged(all));
    this.#options.measured(own, remote);
    const outgoing = totals.flatMap(({ outgoing: bits }) => (bits === null ? [] : [bits]));
    this.#options.judged(this.#adviser.judge(own, outgoing.length === 0 ? null : Math.max(...outgoing)));
    // People's streams run side by side: their seconds are the same seconds.
    this.#since.push({ ...merged(windows), seconds });
    this.#looks += 1;
    if (this.#looks % REPORT_EVERY === 0 && totals.length > 0) void this.#report(totals);
  }

  async #report(totals: Totals[]): Promise<void> {
    const window = merged(this.#since);
    this.#since = [];
    const sent = await this.#options.bytesSent();
    if (!this.#closed) this.#options.report(reportOf(totals, window, sent));
  }
}
