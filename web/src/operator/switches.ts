/** How long switches took, sorted into bars. */
import type { AdminSwitch } from "../signalling/generated";
import { marks } from "./plot";

export interface Bar {
  /** Milliseconds; from this on, up to but not including `to`. The last bar includes it. */
  from: number;
  to: number;
  succeeded: number;
  failed: number;
}

/** Bars an axis is divided into; more would leave most of fifty switches alone in theirs. */
const BARS = 14;

/** Bars of one width from 0 to beyond the longest; empty if no switch has a duration. */
export function bars(switches: readonly AdminSwitch[]): Bar[] {
  const timed = switches.flatMap(({ durationMs, success }) =>
    durationMs === null ? [] : [{ milliseconds: Math.max(0, durationMs), success }],
  );
  if (timed.length === 0) return [];
  const longest = Math.max(...timed.map(({ milliseconds }) => milliseconds));
  // A tenth of a second is the least that is worth telling apart.
  const edges = marks(Math.max(longest, 1_000), BARS);
  const all = edges
    .slice(0, -1)
    .map((from, index) => ({ from, to: edges[index + 1] ?? from, succeeded: 0, failed: 0 }));
  for (const { milliseconds, success } of timed) {
    const bar = all.find(({ to }) => milliseconds < to) ?? all.at(-1);
    if (bar === undefined) continue;
    if (success) bar.succeeded += 1;
    else bar.failed += 1;
  }
  return all;
}
