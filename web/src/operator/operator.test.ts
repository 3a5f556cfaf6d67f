import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { failure, FakeAdmin } from "../testing/fake-admin";
import { LOOK_EVERY } from "./history";
import { Operator } from "./operator";

const TOKEN = "aa.bb.cc";

function storage(token: string | null = null): Storage {
  const kept = new Map(token === null ? [] : [["meeshy.operator", token]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
}

function stage(tab = storage()) {
  let fake: FakeAdmin | undefined;
  let visible = true;
  let changed: () => void = () => undefined;
  const operator = new Operator({
    admin: (token) => (fake = new FakeAdmin(token)),
    tab,
    visible: () => visible,
    onVisibility: (listener) => (changed = listener),
  });
  if (fake === undefined) throw new Error("no client was made");
  const see = (now: boolean) => {
    visible = now;
    changed();
  };
  return { operator, admin: fake, tab, see };
}

/** Lets everything happen that happens within so many milliseconds. */
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

async function signedIn() {
  const all = stage();
  all.operator.signIn(TOKEN);
  await pass(0);
  expect(all.operator.state().session.kind).toBe("in");
  return all;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("signing in", () => {
  it("shows the token as it is meant, and keeps it only once it was accepted", async () => {
    const { operator, admin, tab } = stage();
    operator.signIn(` Bearer ${TOKEN}\n`);
    expect(operator.state().session).toMatchObject({ kind: "out", busy: true });
    expect(tab.getItem("meeshy.operator")).toBeNull();
    await pass(0);
    expect(admin.tokens).toEqual([TOKEN]);
    expect(tab.getItem("meeshy.operator")).toBe(TOKEN);
    expect(operator.state().overview).toEqual(admin.overviewNow);
  });

  it.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "gone"],
    [undefined, "unreachable"],
  ] as const)("says why %s keeps one outside, and asks nothing more", async (status, refusal) => {
    const { operator, admin, tab } = stage();
    admin.error = failure(status);
    operator.signIn(TOKEN);
    await pass(60_000);
    expect(operator.state().session).toEqual({ kind: "out", busy: false, refusal });
    expect(admin.looks).toBe(1);
    expect(tab.getItem("meeshy.operator")).toBeNull();
  });

  it("sends nothing that is no token", async () => {
    const { operator, admin } = stage();
    operator.signIn("hello");
    await pass(10_000);
    expect(operator.state().session).toMatchObject({ refusal: "malformed" });
    expect(admin.asked).toEqual([]);
  });

  it("goes on after a reload of the tab, and not without a token", async () => {
    const { operator, admin } = stage(storage(TOKEN));
    operator.open();
    await pass(0);
    expect(admin.tokens).toEqual([TOKEN]);
    expect(operator.state().session.kind).toBe("in");
    const other = stage();
    other.operator.open();
    await pass(10_000);
    expect(other.admin.asked).toEqual([]);
  });
});

describe("looking", () => {
  it("happens every two seconds", async () => {
    const { admin, operator } = await signedIn();
    await pass(5 * LOOK_EVERY);
    expect(admin.looks).toBe(6);
    expect(operator.state().history).toHaveLength(6);
  });

  it("becomes rarer while nobody answers, and keeps what was heard", async () => {
    const { admin, operator } = await signedIn();
    admin.error = failure();
    const before = Date.now();
    const at: number[] = [];
    let seen = admin.looks;
    operator.subscribe(() => {
      if (admin.looks > seen) at.push(Date.now() - before);
      seen = admin.looks;
    });
    await pass(130_000);
    // Every wait twice the one before, up to half a minute.
    expect(at).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 62_000, 92_000, 122_000]);
    expect(operator.state().connection).toMatchObject({ kind: "lost", problem: "unreachable" });
    expect(operator.state().overview).not.toBeNull();
    admin.error = null;
    operator.lookNow();
    await pass(0);
    expect(operator.state().connection.kind).toBe("live");
    const looks = admin.looks;
    await pass(LOOK_EVERY);
    expect(admin.looks).toBe(looks + 1);
  });

  it("waits as long as the server asks", async () => {
    const { admin } = await signedIn();
    admin.error = failure(429, 20_000);
    await pass(LOOK_EVERY);
    const seen = admin.looks;
    await pass(19_000);
    expect(admin.looks).toBe(seen);
    await pass(1_000);
    expect(admin.looks).toBe(seen + 1);
  });

  it("rests while the page is hidden and goes on at once when it is seen", async () => {
    const { admin, operator, see } = await signedIn();
    see(false);
    expect(operator.state().connection.kind).toBe("paused");
    const seen = admin.looks;
    await pass(60_000);
    expect(admin.looks).toBe(seen);
    see(true);
    await pass(0);
    expect(admin.looks).toBe(seen + 1);
    expect(operator.state().connection.kind).toBe("live");
  });

  it("ends where the token has run out, and says so", async () => {
    const { admin, operator, tab } = await signedIn();
    admin.error = failure(401);
    await pass(10_000);
    expect(operator.state().session).toMatchObject({ kind: "out", refusal: "expired" });
    expect(operator.state().overview).toBeNull();
    expect(tab.getItem("meeshy.operator")).toBeNull();
    expect(admin.looks).toBe(2);
  });

  it("ends with signing out, also for an answer on its way", async () => {
    const { admin, operator, tab } = await signedIn();
    await pass(LOOK_EVERY - 1);
    operator.lookNow();
    operator.signOut();
    await pass(60_000);
    expect(admin.signals.at(-1)?.aborted).toBe(true);
    expect(operator.state().session).toMatchObject({ kind: "out", refusal: null });
    expect(operator.state().overview).toBeNull();
    expect(tab.getItem("meeshy.operator")).toBeNull();
  });
});

describe("acting", () => {
  it("drains a node, looks at once, and takes it back", async () => {
    const { admin, operator } = await signedIn();
    const done = operator.drain("node-a", true);
    expect(operator.state().drains["node-a"]?.busy).toBe(true);
    await done;
    await pass(0);
    expect(admin.asked).toEqual(["overview", "drain node-a", "overview"]);
    const stateOf = () => operator.state().overview?.nodes.find(({ nodeId }) => nodeId === "node-a")?.state;
    expect(stateOf()).toBe("draining");
    await operator.drain("node-a", false);
    expect(admin.asked).toContain("undrain node-a");
    expect(stateOf()).toBe("ready");
  });

  it("says why it did not work", async () => {
    const { admin, operator } = await signedIn();
    admin.error = failure(503);
    await operator.drain("node-a", true);
    expect(operator.state().drains["node-a"]).toMatchObject({ busy: false, problem: "busy" });
    await operator.change({ what: "sfu", notice: "flag-off" }, { flags: { sfu: false } });
    expect(operator.state().changes.sfu).toEqual({ busy: false, problem: "busy" });
  });

  it("changes flags", async () => {
    const { admin, operator } = await signedIn();
    await operator.change({ what: "sfu", notice: "flag-off" }, { flags: { sfu: false } });
    expect(admin.asked).toContain('flags {"flags":{"sfu":false}}');
    expect(operator.state().overview?.flags.flags.sfu).toEqual({ on: false, source: "stored" });
  });

  it("shows nothing to whoever signed out meanwhile", async () => {
    const { operator } = await signedIn();
    const done = operator.drain("node-a", true);
    operator.signOut();
    await done;
    await pass(10_000);
    expect(operator.state().drains).toEqual({});
    expect(operator.state().overview).toBeNull();
  });
});
