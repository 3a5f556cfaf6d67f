import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LevelBoard, meterPosition } from "./levels";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it.each([
  [0, 0],
  [0.001, 0],
  [0.5, 1],
  [1, 1],
])("level %d stands at %d on the meter", (level, position) => {
  expect(meterPosition(level)).toBeCloseTo(position, 1);
});

it("grows with loudness", () => {
  expect(meterPosition(0.02)).toBeGreaterThan(meterPosition(0.01));
});

it("polls only while somebody watches, and reads the source of the moment", () => {
  const board = new LevelBoard();
  const seen: number[] = [];
  board.setSource("a", () => 0.5);
  expect(vi.getTimerCount()).toBe(0);
  const stop = board.subscribe("a", (level) => seen.push(level));
  vi.advanceTimersByTime(100);
  board.setSource("a", null);
  vi.advanceTimersByTime(100);
  stop();
  expect(seen).toEqual([0.5, 0]);
  expect(vi.getTimerCount()).toBe(0);
});
