import { expect, it } from "vitest";
import { endOfToken, keepToken, looksLikeToken, rememberedToken, tidyToken } from "./token";

const part = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
const token = (claims: unknown) => `${part({ alg: "HS256" })}.${part(claims)}.c2lnbmVk`;

it.each([
  ["a.b.c", "a.b.c"],
  ["  a.b.c\n", "a.b.c"],
  ['"a.b.c"', "a.b.c"],
  ["Bearer a.b.c", "a.b.c"],
  ["Authorization: Bearer a.b.c", "a.b.c"],
  ["a.b\n.c", "a.b.c"],
  ["", ""],
])("%j is tidied to %j", (pasted, wanted) => {
  expect(tidyToken(pasted)).toBe(wanted);
});

it.each([
  [token({ exp: 5 }), true],
  ["", false],
  ["a.b", false],
  ["a.b.c.d", false],
  ["a.b!.c", false],
])("%s has the shape of a token: %s", (text, wanted) => {
  expect(looksLikeToken(text)).toBe(wanted);
});

it("reads when a token ends, and nothing from what is none", () => {
  // A name whose base64 needs both characters that base64url writes differently.
  expect(endOfToken(token({ exp: 1_800_000_000, name: "??>>~~" }))).toBe(1_800_000_000_000);
  expect(endOfToken(token({ sub: "x" }))).toBeNull();
  expect(endOfToken(token({ exp: "soon" }))).toBeNull();
  expect(endOfToken("a.b.c")).toBeNull();
});

it("is kept and forgotten, also where storage refuses", () => {
  const kept = new Map<string, string>();
  const tab = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
  keepToken(tab, "a.b.c");
  expect(rememberedToken(tab)).toBe("a.b.c");
  keepToken(tab, null);
  expect(rememberedToken(tab)).toBeNull();
  expect(kept.size).toBe(0);

  const refuse = () => {
    throw new DOMException("no", "SecurityError");
  };
  const closed = { getItem: refuse, setItem: refuse, removeItem: refuse } as unknown as Storage;
  keepToken(closed, "a.b.c");
  keepToken(closed, null);
  expect(rememberedToken(closed)).toBeNull();
  expect(rememberedToken(undefined)).toBeNull();
});
