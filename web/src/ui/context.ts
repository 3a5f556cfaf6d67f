import { createContext, use, useSyncExternalStore } from "react";
import type { CallSession } from "../call/session";
import type { CallState } from "../call/state";
import type { CallStore, Dispatch } from "../call/store";

export interface CallServices {
  store: CallStore;
  /** What the page itself needs of it. */
  session: Pick<CallSession, "views" | "levels" | "canShareScreen" | "noteFrame">;
}

export const CallContext = createContext<CallServices | null>(null);

export function useServices(): CallServices {
  const services = use(CallContext);
  if (services === null) throw new Error("CallContext is missing");
  return services;
}

export function useCall(): CallState {
  const { store } = useServices();
  return useSyncExternalStore(store.subscribe, store.state);
}

export function useDispatch(): Dispatch {
  return useServices().store.dispatch;
}
