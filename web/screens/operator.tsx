/** The operator's page with a made-up installation. */
import type { Root } from "react-dom/client";
import "../src/ui/styles/operator-tables.css";
import "../src/ui/styles/operator.css";
import "../src/ui/styles/plot.css";
import { LOOK_EVERY, WINDOW } from "../src/operator/history";
import { reduceOperator } from "../src/operator/reducer";
import { type OperatorAction, type OperatorState, SIGNED_OUT } from "../src/operator/state";
import { OperatorApp } from "../src/ui/operator/OperatorApp";
import { callIds, installation } from "../src/testing/installation";

const NOW = Date.now();
const nothing = () => undefined;
const done = () => Promise.resolve();

/** Ten minutes of a day that goes up and down, with a hole while nobody looked. */
function watched(change: Parameters<typeof installation>[1] = {}, step = 1): OperatorState {
  let state: OperatorState = SIGNED_OUT;
  for (let at = NOW - WINDOW; at <= NOW; at += LOOK_EVERY * step) {
    const minute = (at - (NOW - WINDOW)) / 60_000;
    if (minute > 3 && minute < 3.6) continue;
    const wave = 1 + 0.6 * Math.sin(minute) + 0.1 * Math.sin(minute * 23);
    const overview = installation(at, { wave, ...change });
    state = reduceOperator(state, { type: "heard", overview, at, tokenEndsAt: NOW + 3_600_000 });
  }
  return state;
}

const then = (state: OperatorState, ...actions: OperatorAction[]) => actions.reduce(reduceOperator, state);
const quiet = { calls: 0, nodes: [], switches: 0, turn: [] };

export const operatorScenes: Record<string, (() => OperatorState) | undefined> = {
  operator: () => watched(),
  "operator-busy": () => watched({ calls: callIds.length, failing: true }),
  "operator-empty": () => watched(quiet),
  "operator-lost": () =>
    then(watched(), { type: "missed", problem: "unreachable", at: NOW, retryAt: NOW + 8_000 }),
  "operator-sign-in": () => SIGNED_OUT,
  "operator-refused": () => then(SIGNED_OUT, { type: "refused", refusal: "unauthorized" }),
  "operator-drain": () => watched(),
};

export function showOperator(root: Root, state: OperatorState): void {
  const operator = {
    state: () => state,
    subscribe: () => nothing,
    signIn: nothing,
    signOut: nothing,
    lookNow: nothing,
    drain: done,
    change: done,
  };
  root.render(<OperatorApp operator={operator} userId={null} />);
}
