import { describe, expect, it } from "vitest";
import { inCall, person } from "../testing/people";
import { endOfLeaving } from "./outcomes";
import type { CallInfo, CallState } from "./state";

const NOW = 31_500;
const others = [person("bob"), person("cleo")];

/** One's own call in a group conversation, begun thirty seconds ago, with these differences. */
function leaving(change: Partial<CallState>, call: Partial<CallInfo> = {}) {
  const state = inCall(change);
  return endOfLeaving({ ...state, call: state.call === null ? null : { ...state.call, ...call } }, NOW);
}

describe("leaving", () => {
  it.each<[string, string, Partial<CallState>, Partial<CallInfo>]>([
    ["left", "a call of several", { participants: others }, {}],
    ["left", "a call with one other", { participants: [person("bob")] }, {}],
    ["left", "somebody who may come back", { participants: [person("bob", { presence: "away" })] }, {}],
    ["ended", "alone", { participants: [] }, {}],
    ["ended", "after the last other", { participants: [person("bob", { presence: "left" })] }, {}],
    ["ended", "one other person", { participants: [person("bob")] }, { conversationType: "direct" }],
    ["ended", "one's own call before it began", { participants: others }, { startedAt: null }],
    [
      "left",
      "another's call before it began",
      { participants: others },
      { startedAt: null, initiatorId: "b" },
    ],
    ["left", "a call of several not yet entered", { phase: "joining", participants: [] }, {}],
    ["ended", "one other, not yet entered", { phase: "joining" }, { conversationType: "direct" }],
    ["cancelled", "before anybody came", { phase: "calling" }, { startedAt: null }],
  ])("is `%s`: %s", (kind, _what, state, call) => {
    expect(leaving(state, call).kind).toBe(kind);
  });

  it("says how long it was, in whole seconds, if it began", () => {
    expect(leaving({ participants: others }).durationSeconds).toBe(30);
    expect(leaving({ participants: others }, { startedAt: null }).durationSeconds).toBeUndefined();
  });
});
