/** The geometry of plots: axes, lines with holes, bars. Pure. */

export interface Range {
  from: number;
  to: number;
}

/** A function from values to places. */
export function scale(values: Range, places: Range): (value: number) => number {
  const width = values.to - values.from;
  if (width === 0) return () => places.from;
  return (value) => places.from + ((value - values.from) / width) * (places.to - places.from);
}

const ROUND = [1, 2, 5, 10];

/**
 * Where an axis from 0 is marked so that `highest` fits: about `count` steps of a round size. `whole`: nothing between
 * whole numbers, for things that are counted.
 */
export function marks(highest: number, count: number, whole = false): number[] {
  const rough = Math.max(highest, Number.MIN_VALUE) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = (ROUND.find((candidate) => candidate * power >= rough * 0.999_999) ?? 10) * power;
  const step = highest <= 0 ? 1 : whole ? Math.max(1, Math.round(round)) : round;
  const steps = Math.max(1, Math.ceil((highest / step) * 0.999_999));
  // Multiplied, not added up, so that 0.1 three times over is not 0.30000000000000004.
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

export interface Point {
  at: number;
  /** Null: not known then. */
  value: number | null;
}

/** The stretches without a hole: nothing unknown in them, and never more than `hole` between two points. */
export function stretches(points: readonly Point[], hole: number): { at: number; value: number }[][] {
  const all: { at: number; value: number }[][] = [];
  let open: { at: number; value: number }[] = [];
  for (const { at, value } of points) {
    const last = open.at(-1);
    if (value === null || (last !== undefined && at - last.at > hole)) open = [];
    if (value === null) continue;
    if (open.length === 0) all.push(open);
    open.push({ at, value });
  }
  return all;
}

type Place = (value: number) => number;

/** SVG path data of a line; a point that stands alone becomes a dot (with round caps). */
export function linePath(points: readonly Point[], hole: number, x: Place, y: Place): string {
  return stretches(points, hole)
    .map((stretch) => {
      const places = stretch.map(({ at, value }) => `${short(x(at))} ${short(y(value))}`);
      return `M${places.join("L")}${places.length === 1 ? "h0" : ""}`;
    })
    .join("");
}

/** The same, filled down to the axis. */
export function areaPath(points: readonly Point[], hole: number, x: Place, y: Place): string {
  return stretches(points, hole)
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => {
      const places = stretch.map(({ at, value }) => `${short(x(at))} ${short(y(value))}`);
      const [first, last] = [stretch[0], stretch.at(-1)];
      if (first === undefined || last === undefined) return "";
      return `M${short(x(first.at))} ${short(y(0))}L${places.join("L")}L${short(x(last.at))} ${short(y(0))}Z`;
    })
    .join("");
}

function short(place: number): string {
  return String(Math.round(place * 10) / 10);
}

/** The index of the time nearest to one asked for; -1 without times. They ascend. */
export function nearest(times: readonly number[], wanted: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [times[low - 1], times[low]];
  if (before !== undefined && after !== undefined && wanted - before < after - wanted) return low - 1;
  return high < 0 ? -1 : low;
}

export interface Summary {
  now: number | null;
  lowest: number;
  highest: number;
  average: number;
}

/** A line in four figures; null if nothing of it is known. */
export function summary(points: readonly Point[]): Summary | null {
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (known.length === 0) return null;
  return {
    now: points.at(-1)?.value ?? null,
    lowest: Math.min(...known),
    highest: Math.max(...known),
    average: known.reduce((sum, value) => sum + value, 0) / known.length,
  };
}
