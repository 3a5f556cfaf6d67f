import { describe, expect, it } from "vitest";
import { areaPath, linePath, marks, nearest, type Point, scale, stretches, summary } from "./plot";

const same = (value: number) => value;
const points = (...values: [at: number, value: number | null][]): Point[] =>
  values.map(([at, value]) => ({ at, value }));

describe("scale", () => {
  it("maps both ends, what lies between and what lies beyond", () => {
    const place = scale({ from: 10, to: 20 }, { from: 100, to: 0 });
    expect([10, 15, 20, 25].map(place)).toEqual([100, 50, 0, -50]);
  });

  it("survives a range without width", () => {
    expect(scale({ from: 3, to: 3 }, { from: 7, to: 9 })(3)).toBe(7);
  });
});

describe("marks", () => {
  it.each<[highest: number, count: number, whole: boolean, wanted: number[]]>([
    [0, 4, false, [0, 1]],
    [1, 4, false, [0, 0.5, 1]],
    [0.3, 3, false, [0, 0.1, 0.2, 0.3]],
    [7, 4, false, [0, 2, 4, 6, 8]],
    [100, 4, false, [0, 50, 100]],
    [123_456, 4, false, [0, 50_000, 100_000, 150_000]],
    [1, 4, true, [0, 1]],
    [3, 4, true, [0, 1, 2, 3]],
    [9, 4, true, [0, 5, 10]],
  ])("up to %d in about %d steps (whole: %s)", (highest, count, whole, wanted) => {
    expect(marks(highest, count, whole)).toEqual(wanted);
  });

  it("always has room for the highest value, with few marks", () => {
    for (let highest = 0.001; highest < 1e7; highest *= 1.37) {
      for (const whole of [false, true]) {
        const all = marks(highest, 4, whole);
        expect(all.at(-1)).toBeGreaterThanOrEqual(highest * 0.999_99);
        expect(all.length).toBeLessThanOrEqual(6);
      }
    }
  });
});

describe("lines", () => {
  it("break where nobody looked and where nothing is known", () => {
    const line = points([0, 1], [2, 2], [10, 3], [12, null], [14, 4]);
    expect(stretches(line, 5).map((stretch) => stretch.map(({ at }) => at))).toEqual([[0, 2], [10], [14]]);
  });

  it("are drawn through their points; what stands alone is a dot", () => {
    const line = points([0, 1.04], [2, 2], [20, 3]);
    expect(linePath(line, 5, same, same)).toBe("M0 1L2 2M20 3h0");
    expect(linePath([], 5, same, same)).toBe("");
  });

  it("are filled down to the axis, dots excepted", () => {
    const line = points([1, 5], [3, 6], [20, 3]);
    expect(areaPath(line, 5, same, (value) => 10 - value)).toBe("M1 10L1 5L3 4L3 10Z");
  });
});

it.each<[wanted: number, index: number]>([
  [-5, 0],
  [0, 0],
  [14, 1],
  [15, 2],
  [16, 2],
  [99, 3],
])("the sample nearest to %d is number %d", (wanted, index) => {
  expect(nearest([0, 10, 20, 30], wanted)).toBe(index);
});

it("finds nothing near where there is nothing", () => {
  expect(nearest([], 3)).toBe(-1);
});

it("sums a line up, leaving out what is unknown", () => {
  expect(summary(points([0, 2], [1, null], [2, 6], [3, 4]))).toEqual({
    now: 4,
    lowest: 2,
    highest: 6,
    average: 4,
  });
  expect(summary(points([0, 2], [1, null]))?.now).toBeNull();
  expect(summary(points([0, null]))).toBeNull();
});
