import { describe, expect, it } from "vitest";
import { clock, dayAndTime, moment, textsFor, wideClock } from "./texts";
import { en as operator } from "./operator/texts/en";
import { en } from "./texts/en";

it.each([
  [0, "0:00"],
  [59_999, "0:59"],
  [60_000, "1:00"],
  [3_599_000, "59:59"],
  [3_600_000, "1:00:00"],
  [36_061_000, "10:01:01"],
  [-5, "0:00"],
])("%d ms read %s", (milliseconds, text) => {
  expect(clock(milliseconds)).toBe(text);
});

it.each([
  [7_000, "00:07"],
  [754_000, "12:34"],
  [3_600_000, "1:00:00"],
])("%d ms read %s on the banner", (milliseconds, text) => {
  expect(wideClock(milliseconds)).toBe(text);
});

describe("moment", () => {
  const now = Date.parse("2026-03-12T15:00:00.000");
  it.each([
    ["2026-03-12T09:05:00.000", /^09:05/],
    ["2026-03-10T09:05:00.000", /^Tue$/],
    ["2026-01-02T09:05:00.000", /^Jan 2$/],
    ["nonsense", /^$/],
  ])("of %s is short", (iso, text) => {
    expect(moment(iso, now, ["en-US"])).toMatch(text);
  });

  it("has a long form", () => {
    expect(dayAndTime("2026-03-12T09:05:00.000", ["en-US"])).toMatch(/^Mar 12.*09:05/);
    expect(dayAndTime("nonsense")).toBe("");
  });
});

it("speaks the first language it has a translation for, else English", () => {
  expect(textsFor(["en-GB", "de"])).toBe(en);
  expect(textsFor(["xx"])).toBe(en);
  expect(textsFor([])).toBe(en);
});

/** Every word of a text, functions called with stand-ins. */
function words(text: unknown, path: string): [string, string][] {
  if (typeof text === "string") return [[path, text]];
  if (typeof text === "function") {
    const answer: unknown = (text as (...stand: unknown[]) => unknown)("Ada", 2, true);
    return [[path, String(answer)]];
  }
  return Object.entries(text as Record<string, unknown>).flatMap(([key, value]) =>
    words(value, `${path}.${key}`),
  );
}

it("has something to say everywhere", () => {
  const silent = words(en, "texts").filter(
    ([, text]) => text.trim() === "" || /undefined|\[object/.test(text),
  );
  // Somebody who is simply here needs no word for it.
  expect(silent.map(([path]) => path)).toEqual(["texts.people.state.here"]);
});

it("has something to say everywhere on the operator's page", () => {
  const silent = words(operator, "texts").filter(
    ([, text]) => text.trim() === "" || /undefined|\[object/.test(text),
  );
  // What is merely counted has no unit, and what is not built has nothing to be told about.
  const wanted = silent.map(([path]) => path).filter((path) => !/\.flags\.names\..*\.1$/.test(path));
  expect(wanted).toEqual(["texts.plots.unit.count"]);
});
