/**
 * Measures what a switch does to what is seen and heard of each other person: the largest time between two pictures
 * presented, and the largest hole in the sound, around the switch and over the seconds before it.
 *
 * Told of every presented picture and of every stretch of silence; knows no elements and no clock.
 */

/** Milliseconds, the time base of `performance.now()`. */
export const GAP_WINDOWS = {
  /** How long before a switch is the measure of the ordinary. */
  baseline: 5_000,
  /** How long after a switch its effects may show. */
  after: 2_000,
} as const;

export interface SwitchGapReport {
  transitionId: string;
  from: string;
  to: string;
  remoteParticipantId: string;
  videoGapMs: number | null;
  /** When that interval began, counted from the order; negative when it began before. */
  videoGapAtMs: number | null;
  videoBaselineMs: number | null;
  audioGapMs: number | null;
  audioBaselineMs: number | null;
  /** From the order to this client's acknowledgement, and to the end. */
  ackMs: number | null;
  totalMs: number;
}

interface Running {
  transitionId: string;
  from: string;
  to: string;
  startedAt: number;
  ackedAt: number | null;
  endedAt: number | null;
  /** Whom one sees and hears when it begins; newcomers have no gap. */
  watched: Set<string>;
}

interface Silence {
  from: number;
  to: number;
}

/** Longer than baseline, switch and aftermath together. */
const KEPT = 30_000;

/** Times at which something happened, and times across which nothing may be concluded. */
class Timeline {
  readonly frames: number[] = [];
  readonly breaks: number[] = [];
  silences: Silence[] = [];
  heardFrom: number | null = null;
  heardTo: number | null = null;

  trim(now: number): void {
    while (this.frames.length > 0 && (this.frames[0] ?? now) < now - KEPT) this.frames.shift();
    while (this.breaks.length > 0 && (this.breaks[0] ?? now) < now - KEPT) this.breaks.shift();
    this.silences = this.silences.filter((silence) => silence.to > now - KEPT);
  }
}

export class GapMeter {
  readonly #people = new Map<string, { seen: Timeline; heard: Timeline }>();
  #running: Running | null = null;

  /** A picture of this person was presented. */
  notePicture(id: string, at: number): void {
    const { seen } = this.#person(id);
    const last = seen.frames.at(-1);
    if (last !== undefined && at <= last) return;
    seen.frames.push(at);
    if (seen.frames.length % 256 === 0) seen.trim(at);
  }

  /** From here on pictures are not to be expected, or may be again: a camera turned off, a tile or page hidden. */
  breakPictures(id: string, at: number): void {
    this.#person(id).seen.breaks.push(at);
  }

  breakAllPictures(at: number): void {
    for (const id of this.#people.keys()) this.breakPictures(id, at);
  }

  /** Sound was listened to from one time to another; `silences` lie within. */
  noteSound(id: string, from: number, to: number, silences: readonly Silence[]): void {
    const { heard } = this.#person(id);
    const gapless = heard.heardTo !== null && from - heard.heardTo < 5;
    if (!gapless) {
      heard.heardFrom = from;
      heard.silences = [];
    }
    heard.heardTo = to;
    for (const silence of silences) {
      const last = heard.silences.at(-1);
      // A silence that goes on from one look to the next is one.
      if (last !== undefined && silence.from - last.to < 2) last.to = silence.to;
      else heard.silences.push({ ...silence });
    }
    heard.trim(to);
  }

  breakSound(id: string, at: number): void {
    this.#person(id).heard.breaks.push(at);
  }

  forget(id: string): void {
    this.#people.delete(id);
  }

  /** A switch begins. One that is still being measured is given up. */
  begin(transition: { id: string; from: string; to: string }, watched: string[], at: number): void {
    const { id, from, to } = transition;
    this.#running = {
      transitionId: id,
      from,
      to,
      startedAt: at,
      ackedAt: null,
      endedAt: null,
      watched: new Set(watched),
    };
  }

  acked(transitionId: string, at: number): void {
    if (this.#running?.transitionId === transitionId) this.#running.ackedAt ??= at;
  }

  ended(transitionId: string, at: number): void {
    if (this.#running?.transitionId === transitionId) this.#running.endedAt ??= at;
  }

  cancel(transitionId: string): void {
    if (this.#running?.transitionId === transitionId) this.#running = null;
  }

  /** What the switch that ended did; to be asked for when its aftermath is over. */
  collect(transitionId: string, now: number): SwitchGapReport[] {
    const running = this.#running;
    if (running?.transitionId !== transitionId || running.endedAt === null) return [];
    this.#running = null;
    return [...running.watched].flatMap((id) => {
      const person = this.#people.get(id);
      return person === undefined ? [] : [report(running, id, person, now)];
    });
  }

  #person(id: string): { seen: Timeline; heard: Timeline } {
    const known = this.#people.get(id);
    if (known !== undefined) return known;
    const made = { seen: new Timeline(), heard: new Timeline() };
    this.#people.set(id, made);
    return made;
  }
}

function report(
  running: Running,
  id: string,
  { seen, heard }: { seen: Timeline; heard: Timeline },
  now: number,
): SwitchGapReport {
  const { transitionId, from, to, startedAt, ackedAt, endedAt } = running;
  const before = { from: startedAt - GAP_WINDOWS.baseline, to: startedAt };
  const around = { from: startedAt, to: Math.min(now, (endedAt ?? now) + GAP_WINDOWS.after) };
  const gap = largestInterval(seen, around);
  return {
    transitionId,
    from,
    to,
    remoteParticipantId: id,
    videoGapMs: gap?.length ?? null,
    videoGapAtMs: gap?.at ?? null,
    videoBaselineMs: largestInterval(seen, before)?.length ?? null,
    audioGapMs: largestHole(heard, around),
    audioBaselineMs: largestHole(heard, before),
    ackMs: ackedAt === null ? null : round(ackedAt - startedAt),
    totalMs: round((endedAt ?? now) - startedAt),
  };
}

interface Span {
  from: number;
  to: number;
}

/**
 * The largest time without a new picture that touches the span, from the last picture before it to its end.
 * Null when there were no pictures, or when something else than the switch took them away.
 */
export function largestInterval(
  { frames, breaks }: Pick<Timeline, "frames" | "breaks">,
  span: Span,
): { length: number; at: number } | null {
  if (breaks.some((at) => at >= span.from && at <= span.to)) return null;
  const lastBreak = breaks.findLast((at) => at < span.from) ?? Number.NEGATIVE_INFINITY;
  const previous = frames.findLast((at) => at <= span.from && at > lastBreak);
  const within = frames.filter((at) => at > span.from && at <= span.to);
  const start = previous ?? within[0];
  if (start === undefined) return null;
  let largest = { length: 0, at: start };
  let last = start;
  // A picture that never came back shows at the end.
  for (const at of [...within, span.to]) {
    if (at - last > largest.length) largest = { length: at - last, at: last };
    last = at;
  }
  return { length: round(largest.length), at: round(largest.at - span.from) };
}

/** The largest silence within the span; null when it was not listened to all along. */
export function largestHole(
  heard: Pick<Timeline, "breaks" | "silences" | "heardFrom" | "heardTo">,
  span: Span,
): number | null {
  const { heardFrom, heardTo, breaks, silences } = heard;
  if (heardFrom === null || heardTo === null) return null;
  // The last look may lie a little back.
  if (heardFrom > span.from + 200 || heardTo < span.to - 1_000) return null;
  if (breaks.some((at) => at >= span.from && at <= span.to)) return null;
  const holes = silences.map((silence) => Math.min(silence.to, span.to) - Math.max(silence.from, span.from));
  return round(Math.max(0, ...holes));
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
