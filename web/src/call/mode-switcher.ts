/**
 * What this client does while the call changes the way its media takes: build the new way beside the old one,
 * acknowledge when it works, let go of the old one once everybody has, or go back without a trace.
 *
 * Pure: inputs in, state and effects out. Knows no connections and no clock.
 */
import type { Mode } from "../signalling/generated";
import type { Switching } from "./state";

/** A switch as the gateway orders it. */
export interface Order {
  id: string;
  /** Null for somebody who enters the call in the middle of it and has no old way. */
  from: Mode | null;
  to: Mode;
  /** Milliseconds since the epoch. */
  deadline: number;
}

/** A switch that was under way already when this client came, or came back. */
export type Transition = Omit<Order, "from">;

/**
 * - `building`: not acknowledged yet.
 * - `acked`: works here; the others are waited for.
 * - `stuck`: does not work here, also not over TCP; the gateway will call it off.
 */
type Stage = "building" | "acked" | "stuck";

export interface SwitcherState {
  /** The way the call takes, a switch under way apart. */
  mode: Mode;
  current: (Order & { stage: Stage; overTcp: boolean }) | null;
  /** What the page shows about it. */
  switching: Switching | null;
  /** Switches that are over; what still arrives of them is late. */
  finished: readonly string[];
}

export type SwitcherInput =
  /** Entered the call, or came back to it: this is how things stand. */
  | { type: "entered"; mode: Mode; transition: Transition | null; back: boolean; now: number }
  | { type: "ordered"; order: Order; now: number }
  | { type: "works"; id: string }
  | { type: "fails"; id: string; error: string }
  /** Half of the time allowed is over. */
  | { type: "half-time"; id: string; connected: boolean }
  | {
      type: "decided";
      id: string;
      success: boolean;
      mode: Mode;
      error: string | null;
      retryAt: number | null;
    }
  | { type: "left" };

export type SwitcherEffect =
  /** Build the way and aim for it; the old one stays. */
  | { type: "build"; order: Order }
  | { type: "build-over-tcp"; id: string }
  | { type: "acknowledge"; id: string; success: boolean; error: string | null }
  | { type: "watch-half-time"; id: string; at: number }
  /** The new way is the way; the other one is let go of. */
  | { type: "settle"; id: string; from: Mode | null; to: Mode }
  /** Back to the old way; the half-built one is let go of. */
  | { type: "go-back"; id: string; to: Mode; abandoned: Mode }
  /** The gateway and this client have lost sight of each other: ask how things stand. */
  | { type: "ask-anew" }
  | { type: "show"; switching: Switching | null };

export interface SwitcherStep {
  state: SwitcherState;
  effects: SwitcherEffect[];
}

/** More are never late at a time. */
const REMEMBERED = 16;

export const BEFORE_ENTERING: SwitcherState = { mode: "p2p", current: null, switching: null, finished: [] };

export function stepSwitcher(state: SwitcherState, input: SwitcherInput): SwitcherStep {
  switch (input.type) {
    case "entered":
      return entered(state, input);
    case "ordered":
      return ordered(state, input.order, input.now);
    case "works":
      return works(state, input.id);
    case "fails":
      return fails(state, input.id, input.error);
    case "half-time":
      return halfTime(state, input);
    case "decided":
      return decided(state, input);
    case "left":
      return shown(state.current === null ? state : over(state, state.current.id, state.mode), null);
  }
}

function still(state: SwitcherState): SwitcherStep {
  return { state, effects: [] };
}

function shown(
  state: SwitcherState,
  switching: Switching | null,
  ...effects: SwitcherEffect[]
): SwitcherStep {
  if (same(state.switching, switching)) return { state, effects };
  return { state: { ...state, switching }, effects: [...effects, { type: "show", switching }] };
}

function same(one: Switching | null, other: Switching | null): boolean {
  return one?.to === other?.to && one?.phase === other?.phase && one?.retryAt === other?.retryAt;
}

function entered(state: SwitcherState, input: Extract<SwitcherInput, { type: "entered" }>): SwitcherStep {
  const { mode, transition, now } = input;
  if (!input.back) {
    const fresh: SwitcherState = { ...BEFORE_ENTERING, mode };
    return transition === null ? still(fresh) : begin(fresh, { ...transition, from: null }, now);
  }
  const { current } = state;
  if (current !== null) {
    // Still the same switch: building goes on, and the gateway hears the answer again, should it have got lost.
    if (transition?.id === current.id) {
      return { state, effects: current.stage === "acked" ? [acknowledge(current.id)] : [] };
    }
    // While a switch is under way, the mode told is where it leads.
    const standing = transition === null ? mode : state.mode;
    const committed = standing === current.to && transition === null;
    const done = committed ? settled(state, current) : goneBack(state, current, standing);
    return then(done, (next) => (transition === null ? still(next) : resume(next, transition, now)));
  }
  if (transition !== null) return resume(state, transition, now);
  return still({ ...state, mode });
}

/** Takes up a switch that is under way, unless it is known to be over. */
function resume(state: SwitcherState, transition: Transition, now: number): SwitcherStep {
  if (state.finished.includes(transition.id)) return still(state);
  return begin(state, { ...transition, from: state.mode }, now);
}

function ordered(state: SwitcherState, order: Order, now: number): SwitcherStep {
  const { current } = state;
  if (current?.id === order.id || state.finished.includes(order.id)) return still(state);
  // The end of the last one was missed: it cannot be under way any more.
  const clear = current === null ? still(state) : goneBack(state, current, order.from ?? state.mode);
  return then(clear, (next) => {
    // Both ends of a direct call are where they should be.
    if (order.to === "p2p" && next.mode === "p2p") return still(next);
    return begin(next, order, now);
  });
}

function begin(state: SwitcherState, order: Order, now: number): SwitcherStep {
  const next: SwitcherState = { ...state, current: { ...order, stage: "building", overTcp: false } };
  // Going back to the direct way is nobody's business but ours.
  const switching: Switching | null =
    order.to === "sfu" && order.from === "p2p" ? { to: "sfu", phase: "switching", retryAt: null } : null;
  const at = now + Math.max(0, (order.deadline - now) / 2);
  return shown(next, switching, { type: "build", order }, { type: "watch-half-time", id: order.id, at });
}

function works(state: SwitcherState, id: string): SwitcherStep {
  const { current } = state;
  if (current?.id !== id || current.stage === "acked") return still(state);
  return { state: { ...state, current: { ...current, stage: "acked" } }, effects: [acknowledge(id)] };
}

function acknowledge(id: string): SwitcherEffect {
  return { type: "acknowledge", id, success: true, error: null };
}

function fails(state: SwitcherState, id: string, error: string): SwitcherStep {
  const { current } = state;
  if (current?.id !== id || current.stage !== "building") return still(state);
  const effects: SwitcherEffect[] = [{ type: "acknowledge", id, success: false, error }];
  const again = current.to === "sfu" && !current.overTcp;
  if (!again) return { state: { ...state, current: { ...current, stage: "stuck" } }, effects };
  effects.push({ type: "build-over-tcp", id });
  return { state: { ...state, current: { ...current, overTcp: true } }, effects };
}

function halfTime(state: SwitcherState, input: Extract<SwitcherInput, { type: "half-time" }>): SwitcherStep {
  const { current } = state;
  if (input.connected || current?.id !== input.id || current.to !== "sfu" || current.overTcp)
    return still(state);
  return fails(state, input.id, "the transports did not connect in time");
}

function decided(state: SwitcherState, input: Extract<SwitcherInput, { type: "decided" }>): SwitcherStep {
  const { current } = state;
  if (current?.id !== input.id) return decidedElsewhere(state, input);
  if (input.success && input.mode === current.to) return settled(state, current);
  const back = goneBack(state, current, input.mode);
  return then(back, (next) => shown(next, afterFailure(current, input)));
}

/** The end of a switch this client does not know, or no longer. */
function decidedElsewhere(
  state: SwitcherState,
  { id, success, mode, retryAt }: Extract<SwitcherInput, { type: "decided" }>,
): SwitcherStep {
  const { current, switching } = state;
  // News of the next attempt, under the name of the one that failed: at another time, or never.
  if (current === null && switching?.phase === "retrying" && mode === state.mode && !success)
    return shown(remembered(state, id), retryAt === null ? null : { ...switching, retryAt });
  if (state.finished.includes(id)) return still(state);
  const next = remembered(state, id);
  if (current === null && mode !== state.mode) return { state: next, effects: [{ type: "ask-anew" }] };
  // A switch that failed before anything was ordered: only the next attempt is of interest.
  if (retryAt !== null && current === null)
    return shown(next, { to: mode === "p2p" ? "sfu" : "p2p", phase: "retrying", retryAt });
  return still(next);
}

function afterFailure(
  current: Order,
  { retryAt }: Extract<SwitcherInput, { type: "decided" }>,
): Switching | null {
  // Staying with the media node is no loss to anybody.
  if (current.to === "p2p") return null;
  if (retryAt !== null) return { to: current.to, phase: "retrying", retryAt };
  return { to: current.to, phase: "failed", retryAt: null };
}

function settled(state: SwitcherState, current: Order): SwitcherStep {
  const { id, from, to } = current;
  return shown(over(state, id, to), null, { type: "settle", id, from, to });
}

function goneBack(state: SwitcherState, current: Order, mode: Mode): SwitcherStep {
  const { id, to } = current;
  return shown(over(state, id, mode), null, { type: "go-back", id, to: mode, abandoned: to });
}

function over(state: SwitcherState, id: string, mode: Mode): SwitcherState {
  return { ...state, mode, current: null, finished: remember(state.finished, id) };
}

function remembered(state: SwitcherState, id: string): SwitcherState {
  return state.finished.includes(id) ? state : { ...state, finished: remember(state.finished, id) };
}

function remember(finished: readonly string[], id: string): readonly string[] {
  return [...finished, id].slice(-REMEMBERED);
}

function then(step: SwitcherStep, next: (state: SwitcherState) => SwitcherStep): SwitcherStep {
  const { state, effects } = next(step.state);
  return { state, effects: [...step.effects, ...effects] };
}
