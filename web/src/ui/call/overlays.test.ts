import { describe, expect, it } from "vitest";
import { keepInside, nearestCorner, OVERLAY, overlays, overlaySize } from "./overlays";

const DESKTOP = { width: 1600, height: 900 };
const PHONE = { width: 360, height: 560 };
const keys = (count: number) => Array.from({ length: count }, (_, index) => `p${String(index)}`);

describe("overlays", () => {
  it("are 200 by 280 where there is room, and smaller in proportion on a phone", () => {
    expect(overlaySize(DESKTOP)).toEqual(OVERLAY);
    const small = overlaySize(PHONE);
    expect(small.width).toBeLessThanOrEqual(PHONE.width * 0.3);
    expect(small.width / small.height).toBeCloseTo(OVERLAY.width / OVERLAY.height, 1);
  });

  it.each([
    [DESKTOP, 1],
    [DESKTOP, 5],
    [PHONE, 3],
  ])("in %o, %d of them lie inside and apart from each other", (space, count) => {
    const { rects } = overlays(space, keys(count), new Map());
    const list = [...rects.values()];
    for (const [index, a] of list.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.y).toBeGreaterThanOrEqual(0);
      expect(a.x + a.width).toBeLessThanOrEqual(space.width);
      expect(a.y + a.height).toBeLessThanOrEqual(space.height);
      for (const b of list.slice(index + 1)) {
        const apart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart).toBe(true);
      }
    }
  });

  it("say who did not fit", () => {
    const { rects, hidden } = overlays(DESKTOP, keys(40), new Map());
    expect(rects.size + hidden.length).toBe(40);
    expect(hidden.length).toBeGreaterThan(0);
    expect(hidden).not.toContain("p0");
  });

  it("stay where they were put, also when the window becomes smaller", () => {
    const moved = new Map([["p0", { x: 1300, y: 40 }]]);
    expect(overlays(DESKTOP, keys(2), moved).rects.get("p0")).toMatchObject({ x: 1300, y: 40 });
    const smaller = overlays({ width: 800, height: 900 }, keys(2), moved).rects.get("p0");
    expect(smaller).toMatchObject({ x: 600, y: 40 });
  });
});

it.each([
  [
    { x: -50, y: 5000 },
    { x: 0, y: 620 },
  ],
  [
    { x: 5000, y: -1 },
    { x: 1400, y: 0 },
  ],
  [
    { x: 10, y: 20 },
    { x: 10, y: 20 },
  ],
])("%o is kept inside at %o", (point, kept) => {
  expect(keepInside(point, OVERLAY, DESKTOP)).toEqual(kept);
});

it.each([
  [
    { x: 300, y: 100 },
    { x: 16, y: 16 },
  ],
  [
    { x: 900, y: 100 },
    { x: 1384, y: 16 },
  ],
  [
    { x: 300, y: 600 },
    { x: 16, y: 604 },
  ],
  [
    { x: 900, y: 600 },
    { x: 1384, y: 604 },
  ],
])("let go of at %o, a picture rests in the corner %o", (point, corner) => {
  expect(nearestCorner({ ...point, ...OVERLAY }, DESKTOP)).toEqual(corner);
});
