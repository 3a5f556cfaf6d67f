import { expect, it } from "vitest";
import { ago, bytes, figure, lasting, milliseconds, percent, since } from "./format";
import { texts } from "./texts";

it.each<[text: string, wanted: string]>([
  [figure(0), "0"],
  [figure(0.4), "0"],
  [figure(9_999), "9,999"],
  [figure(70_700), "70.7K"],
  [percent(0.423), "42 %"],
  [bytes(412 * 1024 ** 2), "412 MiB"],
  [bytes(1.4 * 1024 ** 3), "1.4 GiB"],
  [milliseconds(640), "640 ms"],
  [milliseconds(1_094), "1.09 s"],
  [milliseconds(12_345), "12.3 s"],
  [ago(-5), texts.ago.now],
  [ago(2_999), texts.ago.now],
  [ago(59_999), texts.ago.seconds(59)],
  [ago(3_599_000), texts.ago.minutes(59)],
  [ago(7_200_000), texts.ago.hours(2)],
  [lasting(754_000), "12:34"],
  [lasting(96 * 3_600_000), "4 d 0 h"],
])("%s is written %s", (text, wanted) => {
  expect(text).toBe(wanted);
});

it("counts by the server's clock, and by ours only what went by since", () => {
  const at = "2026-01-01T10:00:00.000Z";
  // This device's clock is hours off; that must not show.
  expect(since("2026-01-01T09:59:00.000Z", { at }, 5_000_000, 5_003_000)).toBe(63_000);
  expect(since("2026-01-01T10:00:05.000Z", { at }, 0, 0)).toBe(0);
  expect(since("never", { at }, 0, 0)).toBe(0);
});
