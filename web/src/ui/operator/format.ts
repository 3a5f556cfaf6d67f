/** Figures as the operator's page writes them. */
import type { AdminOverview } from "../../signalling/generated";
import { clock, LANGUAGES } from "../texts";
import { texts } from "./texts";

const compact = new Intl.NumberFormat([...LANGUAGES], { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat([...LANGUAGES], { maximumFractionDigits: 0 });

/** At most four characters or so; 12,345 is "12.3K". */
export function figure(value: number): string {
  return value >= 10_000 ? compact.format(value) : whole.format(value);
}

/** 0 to 1 as whole percents. */
export function percent(part: number): string {
  return `${whole.format(part * 100)} %`;
}

const MIB = 1024 * 1024;

export function bytes(value: number): string {
  if (value >= 1024 * MIB) return `${(value / (1024 * MIB)).toFixed(1)} GiB`;
  return `${whole.format(value / MIB)} MiB`;
}

export function milliseconds(value: number): string {
  return value >= 1_000
    ? `${(value / 1_000).toFixed(value >= 10_000 ? 1 : 2)} s`
    : `${whole.format(value)} ms`;
}

/** How long ago, roughly; milliseconds. */
export function ago(age: number): string {
  const seconds = Math.max(0, Math.floor(age / 1_000));
  if (seconds < 3) return texts.ago.now;
  if (seconds < 60) return texts.ago.seconds(seconds);
  if (seconds < 3_600) return texts.ago.minutes(Math.floor(seconds / 60));
  return texts.ago.hours(Math.floor(seconds / 3_600));
}

/** The time of day of a moment, with seconds. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString([...LANGUAGES], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/**
 * Milliseconds since something the server gave a time for, by the server's own clock as far as it is known: at the
 * overview's time, and what has gone by here since it came.
 */
export function since(
  iso: string,
  overview: Pick<AdminOverview, "at">,
  heardAt: number,
  now: number,
): number {
  const then = Date.parse(iso);
  const at = Date.parse(overview.at);
  if (!Number.isFinite(then) || !Number.isFinite(at)) return 0;
  return Math.max(0, at - then + Math.max(0, now - heardAt));
}

const DAY = 86_400_000;

/** How long something has lasted: a clock, from a day on days and hours. */
export function lasting(duration: number): string {
  if (duration < DAY) return clock(duration);
  return `${String(Math.floor(duration / DAY))} d ${String(Math.floor((duration % DAY) / 3_600_000))} h`;
}
