/**
 * `window.meeshy`: a read-only look inside, for people who investigate a call and for end-to-end tests.
 *
 * - `getStats()` resolves to what `call-stats.ts` describes: both ways, direct and through the node.
 * - `state()` returns the state of the call without its tracks. `getState()` is the same.
 * - `gaps()` returns what every switch so far did to picture and sound here (`media/gap-meter.ts`).
 */
import type { SwitchGapReport } from "../media/gap-meter";
import type { CallStats } from "./call-stats";
import type { CallSession } from "./session";
import type { CallStore } from "./store";

export interface DebugSurface {
  readonly version: string;
  getStats: () => Promise<CallStats>;
  state: () => unknown;
  getState: () => unknown;
  gaps: () => SwitchGapReport[];
}

declare global {
  interface Window {
    meeshy: DebugSurface;
  }
}

export function exposeDebugSurface(store: CallStore, session: CallSession): void {
  const state = () =>
    JSON.parse(
      JSON.stringify(store.state(), (key, value: unknown) =>
        key === "track" || key === "receiver" ? value !== null : value,
      ),
    ) as unknown;
  window.meeshy = {
    version: "2",
    getStats: () => session.stats(),
    state,
    getState: state,
    gaps: () => structuredClone(session.gaps),
  };
}
