import { describe, expect, it } from "vitest";
import type { AdminSwitch } from "../signalling/generated";
import { bars } from "./switches";

const took = (durationMs: number | null, success = true): AdminSwitch => ({
  at: "2026-01-01T10:00:00.000Z",
  callId: "k",
  from: "p2p",
  to: "sfu",
  reason: "participant-count-changed",
  success,
  durationMs,
});

describe("bars", () => {
  it("are none without a time", () => {
    expect(bars([])).toEqual([]);
    expect(bars([took(null, false)])).toEqual([]);
  });

  it("count every timed switch once, a value on an edge in the later bar", () => {
    const all = bars([took(0), took(99), took(100), took(1_000), took(350, false), took(null)]);
    const at = (from: number) => all.find((bar) => bar.from === from);
    expect(at(0)).toMatchObject({ to: 100, succeeded: 2, failed: 0 });
    expect(at(100)).toMatchObject({ succeeded: 1 });
    expect(at(300)).toMatchObject({ succeeded: 0, failed: 1 });
    // The longest lies on the last edge.
    expect(all.at(-1)).toMatchObject({ to: 1_000, succeeded: 1 });
    expect(all.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0)).toBe(5);
  });

  it("stay few however long a switch took", () => {
    for (const longest of [5, 1_001, 10_000, 25_000, 90_000]) {
      const all = bars([took(longest), took(20)]);
      expect(all.length).toBeGreaterThanOrEqual(5);
      expect(all.length).toBeLessThanOrEqual(15);
      expect(all.at(-1)?.to).toBeGreaterThanOrEqual(longest);
      all.slice(1).forEach((bar, index) => expect(bar.from).toBe(all[index]?.to));
    }
  });
});
