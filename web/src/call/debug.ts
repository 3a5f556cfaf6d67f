/**
 * `window.meeshy`: a read-only look inside, for people who investigate a call and for end-to-end tests.
 *
 * - `getStats()` resolves to `{transports, producers, consumers}` as described in `media/stats.ts`; empty lists
 *   outside a call.
 * - `getState()` returns the state of the call without its tracks.
 */
import type { SfuStats } from "../media/stats";
import type { CallSession } from "./session";
import type { CallStore } from "./store";

export interface DebugSurface {
  readonly version: string;
  getStats: () => Promise<SfuStats>;
  getState: () => unknown;
}

declare global {
  interface Window {
    meeshy: DebugSurface;
  }
}

export function exposeDebugSurface(store: CallStore, session: CallSession): void {
  window.meeshy = {
    version: "1",
    getStats: () => session.stats(),
    getState: () =>
      JSON.parse(
        JSON.stringify(store.state(), (key, value: unknown) =>
          key === "track" || key === "receiver" ? value !== null : value,
        ),
      ) as unknown,
  };
}
