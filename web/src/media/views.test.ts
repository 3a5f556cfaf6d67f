import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ViewBook } from "./views";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function book() {
  const views = new ViewBook();
  const changes: [string, number | null][] = [];
  views.events.on("change", ({ key, size }) => changes.push([key, size?.height ?? null]));
  return { views, changes };
}

it("tells new sizes once", () => {
  const { views, changes } = book();
  views.show("a", { width: 10, height: 20 });
  views.show("a", { width: 10, height: 20 });
  views.show("a", { width: 30, height: 40 });
  expect(changes).toEqual([
    ["a", 20],
    ["a", 40],
  ]);
});

it("takes a picture that moves for one that stays", () => {
  const { views, changes } = book();
  views.show("a", { width: 10, height: 20 });
  views.hide("a");
  vi.advanceTimersByTime(100);
  views.show("a", { width: 10, height: 20 });
  vi.advanceTimersByTime(5000);
  expect(changes).toEqual([["a", 20]]);
  views.hide("a");
  vi.advanceTimersByTime(5000);
  expect(changes.at(-1)).toEqual(["a", null]);
  expect(views.size("a")).toBeNull();
});
