import { expect, it } from "vitest";
import { roomOf } from "../call/preferences";
import { suggestRoom } from "./room-names";
import { clock } from "./texts";

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

it.each([0, 0.5, 0.999999])("suggests rooms that fit into an address (%d)", (chance) => {
  const room = suggestRoom(() => chance);
  expect(room).toMatch(/^[a-z]+-[a-z]+-\d{1,3}$/);
  expect(roomOf(new URL(`https://call.example/r/${room}`))).toBe(room);
});
