import { describe, expect, it } from "vitest";
import { SignallingError } from "../signalling/errors";
import { FLAGS, installation, node } from "../testing/installation";
import { reduceOperator } from "./reducer";
import {
  type FlagChange,
  type OperatorAction,
  type OperatorState,
  type Problem,
  problemOf,
  refusalOf,
  SIGNED_OUT,
} from "./state";

const AT = Date.parse("2026-01-01T10:00:00.000Z");
const CHANGE: FlagChange = { what: "sfu", notice: "flag-off" };

const after = (state: OperatorState, ...actions: OperatorAction[]) => actions.reduce(reduceOperator, state);
const heard = (at = AT, wishes: Parameters<typeof installation>[1] = {}): OperatorAction => ({
  type: "heard",
  overview: installation(at, wishes),
  at,
  tokenEndsAt: null,
});
const missed = (at: number, problem: Problem = "unreachable"): OperatorAction => ({
  type: "missed",
  problem,
  at,
  retryAt: at + 2_000,
});

describe("the session", () => {
  it("begins with the first answer", () => {
    const busy = after(SIGNED_OUT, { type: "token-offered" });
    expect(busy.session).toEqual({ kind: "out", busy: true, refusal: null });
    const inside = after(busy, heard());
    expect(inside.session.kind).toBe("in");
    expect(inside.connection.kind).toBe("live");
    expect(inside.history).toHaveLength(1);
  });

  it("does not begin where nobody answers", () => {
    const outside = after(SIGNED_OUT, { type: "token-offered" }, missed(AT));
    expect(outside.session).toEqual({ kind: "out", busy: false, refusal: "unreachable" });
  });

  it("leaves nothing behind when it ends", () => {
    const inside = after(SIGNED_OUT, heard(), { type: "drain-asked", nodeId: "node-a" });
    expect(after(inside, { type: "signed-out" })).toEqual(SIGNED_OUT);
    expect(after(inside, { type: "refused", refusal: "expired" })).toEqual({
      ...SIGNED_OUT,
      session: { kind: "out", busy: false, refusal: "expired" },
    });
  });
});

describe("the connection", () => {
  it("when lost keeps what was heard, and since when; said once, and once more when it is back", () => {
    const lost = after(SIGNED_OUT, heard(), missed(AT + 3_000));
    expect(lost.overview).not.toBeNull();
    expect(lost.connection).toEqual({
      kind: "lost",
      problem: "unreachable",
      since: AT,
      retryAt: AT + 5_000,
    });
    expect(lost.notice).toMatchObject({ kind: "connection-lost" });
    const still = after(lost, missed(AT + 9_000, "busy"));
    expect(still.connection).toMatchObject({ since: AT, problem: "busy", retryAt: AT + 11_000 });
    expect(still.notice).toBe(lost.notice);
    expect(after(still, heard(AT + 12_000)).notice).toMatchObject({ kind: "connection-back" });
  });

  it("rests while the page is hidden, and is not known until the next answer", () => {
    const hidden = after(SIGNED_OUT, heard(), { type: "hidden" });
    expect(hidden.connection.kind).toBe("paused");
    expect(after(hidden, { type: "shown" }).connection.kind).toBe("opening");
    expect(after(hidden, { type: "shown" }, heard(AT + 9_000)).notice).toBeNull();
    expect(after(SIGNED_OUT, { type: "hidden" })).toBe(SIGNED_OUT);
  });
});

describe("nodes", () => {
  const nodes = (change: Parameters<typeof node>[0]) => ({ nodes: [node(change)] });

  it("are announced when they are lost and when a drained one is empty", () => {
    const ready = after(SIGNED_OUT, heard(AT, nodes({})));
    expect(ready.notice).toBeNull();
    expect(after(ready, heard(AT + 1, nodes({ state: "lost" }))).notice).toMatchObject({
      kind: "node-lost",
      name: "node-a",
    });
    const draining = after(ready, heard(AT + 1, nodes({ state: "draining", rooms: 1 })));
    expect(draining.notice).toBeNull();
    const empty = after(draining, heard(AT + 2, nodes({ state: "draining", rooms: 0 })));
    expect(empty.notice).toMatchObject({ kind: "node-empty" });
    expect(after(empty, heard(AT + 3, nodes({ state: "draining", rooms: 0 }))).notice).toBe(empty.notice);
  });

  it("drain with the rooms counted from the beginning, and forget it when taken back", () => {
    const asked = after(SIGNED_OUT, heard(AT, nodes({ rooms: 3 })), {
      type: "drain-asked",
      nodeId: "node-a",
    });
    expect(asked.drains["node-a"]).toMatchObject({ busy: true });
    const answer = (draining: boolean, rooms: number): OperatorAction => ({
      type: "drain-answered",
      answer: { nodeId: "node-a", draining, rooms },
    });
    // The answer's number counts rooms that merely stand by as well.
    const draining = after(asked, answer(true, 5));
    expect(draining.overview?.nodes[0]).toMatchObject({ state: "draining", rooms: 3 });
    expect(draining.drains["node-a"]).toEqual({ busy: false, problem: null, roomsAtStart: 3 });
    expect(draining.notice).toMatchObject({ kind: "node-draining", name: "node-a" });
    const later = after(draining, heard(AT + 2_000, nodes({ state: "draining", rooms: 1 })));
    expect(later.drains["node-a"]?.roomsAtStart).toBe(3);
    const back = after(later, answer(false, 1));
    expect(back.overview?.nodes[0]?.state).toBe("ready");
    expect(back.notice).toMatchObject({ kind: "node-back" });
    expect(after(back, heard(AT + 4_000, nodes({ rooms: 1 }))).drains).toEqual({});
  });

  it("that others drain are counted from when it was seen", () => {
    const state = after(SIGNED_OUT, heard(AT, nodes({ state: "draining", rooms: 2 })));
    expect(state.drains["node-a"]?.roomsAtStart).toBe(2);
  });

  it("say why they could not be drained until it is tried again", () => {
    const failed = after(
      SIGNED_OUT,
      heard(AT, nodes({})),
      { type: "drain-asked", nodeId: "node-a" },
      { type: "drain-failed", nodeId: "node-a", problem: "unreachable" },
      heard(AT + 2_000, nodes({})),
    );
    expect(failed.drains["node-a"]).toMatchObject({ busy: false, problem: "unreachable" });
    expect(after(failed, { type: "drain-asked", nodeId: "node-a" }).drains["node-a"]?.problem).toBeNull();
  });
});

describe("flags", () => {
  it("are as the server answers, not as was asked for", () => {
    const asked = after(SIGNED_OUT, heard(), { type: "flags-asked", change: CHANGE });
    expect(asked.changes.sfu).toEqual({ busy: true, problem: null });
    expect(asked.overview?.flags).toEqual(FLAGS);
    const flags = { ...FLAGS, flags: { ...FLAGS.flags, sfu: { on: false, source: "stored" as const } } };
    const done = after(asked, { type: "flags-answered", change: CHANGE, flags });
    expect(done.overview?.flags.flags.sfu?.on).toBe(false);
    expect(done.changes.sfu).toEqual({ busy: false, problem: null });
    expect(done.notice).toMatchObject({ kind: "flag-off", name: "sfu" });
  });

  it("say when they could not be changed", () => {
    const failed = after(SIGNED_OUT, heard(), { type: "flags-failed", change: CHANGE, problem: "refused" });
    expect(failed.changes.sfu).toEqual({ busy: false, problem: "refused" });
    expect(failed.notice).toBeNull();
  });
});

describe("errors", () => {
  const api = (status: number) => new SignallingError("api", "", { status });
  it.each<[string, unknown, Problem]>([
    ["no network", new SignallingError("network", ""), "unreachable"],
    ["no answer", new SignallingError("timeout", ""), "unreachable"],
    ["a proxy without a server", new SignallingError("malformed", "", { status: 502 }), "unreachable"],
    ["too much asked", api(429), "busy"],
    ["a server without its database", api(503), "busy"],
    ["nothing there", api(404), "gone"],
    ["no", api(403), "refused"],
    ["a fault", api(500), "broken"],
    ["a page instead of JSON", new SignallingError("malformed", "", { status: 200 }), "broken"],
    ["a mistake of ours", new TypeError("x"), "broken"],
  ])("%s", (_name, error, problem) => {
    expect(problemOf(error)).toBe(problem);
  });

  it("blame the token only where the server does", () => {
    expect(refusalOf(api(401))).toBe("unauthorized");
    const stranger = { status: 401, about: { reason: "account-unknown" } };
    expect(refusalOf(new SignallingError("api", "", stranger))).toBe("unknown");
    expect(refusalOf(api(403))).toBe("forbidden");
    expect(refusalOf(api(500))).toBeNull();
    expect(refusalOf(new Error("x"))).toBeNull();
  });
});
