import { describe, expect, it } from "vitest";
import {
  forgetGuest,
  forgetLogin,
  keepGuest,
  keepLogin,
  keepLoginInTab,
  type Keeping,
  type Login,
  rememberedGuest,
  rememberedLogin,
} from "./remembered";

class FakeStorage implements Storage {
  readonly #items = new Map<string, string>();
  get length(): number {
    return this.#items.size;
  }
  clear(): void {
    this.#items.clear();
  }
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }
}

const NOW = Date.parse("2026-01-01T00:00:00.000Z");

function login(name: string, tokenExpiresAt = "2026-01-02T00:00:00.000Z"): Login {
  return {
    token: `token of ${name}`,
    tokenExpiresAt,
    user: { userId: name, username: name, language: "en" },
  };
}

function browser() {
  const visits = new FakeStorage();
  return { tab: (): Keeping => ({ tab: new FakeStorage(), visits }) };
}

describe("a login", () => {
  it("is found in the next tab and after a reload", () => {
    const { tab } = browser();
    const first = tab();
    keepLogin(first, login("ada"));
    expect(rememberedLogin(first, NOW)).toEqual(login("ada"));
    expect(rememberedLogin(tab(), NOW)).toEqual(login("ada"));
  });

  it("of one tab does not disturb another", () => {
    const { tab } = browser();
    const [first, second] = [tab(), tab()];
    keepLogin(first, login("ada"));
    keepLogin(second, login("bob"));
    expect(rememberedLogin(first, NOW)?.user.userId).toBe("ada");
    expect(rememberedLogin(second, NOW)?.user.userId).toBe("bob");
    keepLoginInTab(first, login("eve"));
    expect(rememberedLogin(tab(), NOW)?.user.userId).toBe("bob");
  });

  it("is forgotten, but not somebody else's", () => {
    const { tab } = browser();
    const [first, second] = [tab(), tab()];
    keepLogin(first, login("ada"));
    keepLogin(second, login("bob"));
    forgetLogin(first);
    expect(rememberedLogin(first, NOW)?.user.userId).toBe("bob");
    forgetLogin(second);
    expect(rememberedLogin(tab(), NOW)).toBeNull();
  });

  it("whose token has run out is none", () => {
    const { tab } = browser();
    const one = tab();
    keepLogin(one, login("ada", "2025-12-31T23:59:59.000Z"));
    expect(rememberedLogin(one, NOW)).toBeNull();
  });

  it.each(["", "null", "{", '"text"', '{"token":1,"user":{}}', '{"token":"t","user":{"userId":"a"}}'])(
    "that reads %j is none",
    (text) => {
      const visits = new FakeStorage();
      visits.setItem("meeshy.session", text);
      expect(rememberedLogin({ tab: undefined, visits }, NOW)).toBeNull();
    },
  );

  it("can do without storage", () => {
    const nowhere: Keeping = { tab: undefined, visits: undefined };
    keepLogin(nowhere, login("ada"));
    expect(rememberedLogin(nowhere, NOW)).toBeNull();
  });
});

it("a guest's pass belongs to its link and to the tab", () => {
  const { tab } = browser();
  const one = tab();
  const link = {
    conversationId: "c",
    linkId: "l",
    title: "T",
    permissions: { joinCalls: true, shareScreen: false },
  };
  const pass = { sessionToken: "s", username: "Guest_Bo", link };
  keepGuest(one, "t", pass);
  expect(rememberedGuest(one, "t")).toEqual(pass);
  expect(rememberedGuest(one, "u")).toBeNull();
  expect(rememberedGuest(tab(), "t")).toBeNull();
  forgetGuest(one, "t");
  expect(rememberedGuest(one, "t")).toBeNull();
});
