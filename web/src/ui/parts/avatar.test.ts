import { expect, it } from "vitest";
import { hueOf, initialsOf } from "./avatar";

it.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["  Jean  Paul   Sartre ", "JS"],
  ["Σοφία", "Σ"],
  ["李 小龙", "李小"],
  ["👩‍🚀 Sam", "👩‍🚀S"],
  ["", "?"],
])("%j has initials %j", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

it("gives a name always the same colour, and different names different ones", () => {
  expect(hueOf("Ada")).toBe(hueOf("Ada"));
  expect(new Set(["Ada", "Bob", "Eve", "Yuki", "Noor", "Diego"].map(hueOf)).size).toBeGreaterThan(3);
});
