import { describe, expect, it } from "vitest";
import { arrange, type Layout, type LayoutTile, type Rect, type Space } from "./layout";

function tiles(others: number): LayoutTile[] {
  const list = Array.from({ length: others }, (_, index) => ({ key: `p${String(index)}`, self: false }));
  return [...list, { key: "self", self: true }];
}

const desktop = { width: 1888, height: 900 };
const phone = { width: 359, height: 520 };
const sizes: Space[] = [
  desktop,
  { width: 1334, height: 608 },
  { width: 736, height: 870 },
  phone,
  { width: 580, height: 359 },
  { width: 200, height: 120 },
];

function lay(others: number, space: Space, change: { stage?: string; page?: number } = {}): Layout {
  return arrange({
    space,
    tiles: tiles(others),
    stage: change.stage ?? null,
    page: change.page ?? 0,
    gap: 8,
  });
}

function overlap(a: Rect, b: Rect): boolean {
  const slack = 0.01;
  return (
    a.x + a.width > b.x + slack &&
    b.x + b.width > a.x + slack &&
    a.y + a.height > b.y + slack &&
    b.y + b.height > a.y + slack
  );
}

function shape(layout: Layout): string {
  const rects = [...layout.rects.values()];
  const rows = new Set(rects.map(({ y }) => Math.round(y)));
  const widest = Math.max(...[...rows].map((row) => rects.filter(({ y }) => Math.round(y) === row).length));
  return `${String(widest)}x${String(rows.size)}`;
}

describe("arrange", () => {
  const counts = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 30, 49];
  const cases = sizes.flatMap((space) =>
    counts.flatMap((others) => [undefined, "p0"].map((stage) => ({ space, others, stage }))),
  );
  it.each(cases)(
    "keeps $others others apart and inside $space.width x $space.height, stage $stage",
    ({ space, others, stage }) => {
      const seen = new Set<string>();
      const pages = lay(others, space, { stage }).pages;
      for (let page = 0; page < pages; page += 1) {
        const layout = lay(others, space, { stage, page });
        const rects = [...layout.rects.entries()];
        for (const [key, rect] of rects) {
          seen.add(key);
          expect(rect.x).toBeGreaterThanOrEqual(-0.01);
          expect(rect.y).toBeGreaterThanOrEqual(-0.01);
          expect(rect.x + rect.width).toBeLessThanOrEqual(space.width + 0.01);
          expect(rect.y + rect.height).toBeLessThanOrEqual(space.height + 0.01);
        }
        if (layout.mode === "duo") continue;
        for (const [index, [, a]] of rects.entries()) {
          for (const [, b] of rects.slice(index + 1)) expect(overlap(a, b)).toBe(false);
        }
      }
      expect(seen.size).toBe(others + 1);
    },
  );

  it.each([
    [2, "2x2"],
    [3, "2x2"],
    [8, "3x3"],
    [15, "4x4"],
  ])("shows %d others and oneself as %s on a desktop", (others, expected) => {
    expect(shape(lay(others, { width: 1600, height: 900 }))).toBe(expected);
  });

  it("turns pages from the seventeenth person on, oneself on the first", () => {
    expect(lay(15, desktop).pages).toBe(1);
    const layout = lay(16, desktop);
    expect(layout.pages).toBe(2);
    expect(layout.rects.size).toBe(16);
    expect(layout.rects.has("self")).toBe(true);
    expect([...lay(16, desktop, { page: 1 }).rects.keys()]).toEqual(["p15"]);
  });

  it("shows the last page there is when people of later pages have left", () => {
    expect(lay(16, desktop, { page: 9 }).page).toBe(1);
    expect(lay(3, desktop, { page: 9 }).page).toBe(0);
  });

  it("shows a single person everywhere, and two as large and small", () => {
    expect([...lay(0, desktop).rects.values()]).toEqual([{ x: 0, y: 0, ...desktop }]);
    const two = lay(1, phone);
    expect(two.mode).toBe("duo");
    expect(two.rects.get("p0")).toEqual({ x: 0, y: 0, ...phone });
    const self = two.rects.get("self");
    expect((self?.width ?? 0) / phone.width).toBeLessThan(0.35);
    expect((self?.height ?? 0) / (self?.width ?? 1)).toBeGreaterThan(1);
  });

  it.each(sizes)("gives the stage most of $width x $height", (space) => {
    const layout = lay(5, space, { stage: "p0" });
    const stage = layout.rects.get("p0");
    const area = (stage?.width ?? 0) * (stage?.height ?? 0);
    for (const [key, rect] of layout.rects) {
      if (key !== "p0") expect(rect.width * rect.height).toBeLessThan(area);
    }
  });

  it("keeps people on portrait phones large enough to be recognised", () => {
    for (const rect of lay(11, phone).rects.values()) {
      expect(rect.width).toBeGreaterThanOrEqual(150);
      expect(rect.height).toBeGreaterThanOrEqual(108);
    }
  });

  it("ignores a stage that is not there", () => {
    expect(lay(3, desktop, { stage: "nobody" }).mode).toBe("grid");
  });
});
