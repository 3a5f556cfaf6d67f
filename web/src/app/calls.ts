/** The call session as the application sees it. */
import type { CallSession } from "../call/session";
import type { CallStore } from "../call/store";
import type { Calls } from "./application";

export function callsOf(store: CallStore, session: CallSession): Calls {
  return {
    state: store.state,
    subscribe: store.subscribe,
    attach: (gateway, rest) => session.attach(gateway, rest),
    requireRelay: () => session.requireRelay(),
    identify: (userId, name, avatar) => store.dispatch({ type: "identified", userId, name, avatar }),
    start: (place, type) => session.start(place, type),
    join: (place, callId, type) => session.join(place, callId, type),
    dismissOutcome: () => store.dispatch({ type: "outcome-dismissed" }),
  };
}
