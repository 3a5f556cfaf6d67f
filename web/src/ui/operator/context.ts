import { createContext, use, useSyncExternalStore } from "react";
import type { Operator } from "../../operator/operator";
import type { OperatorState } from "../../operator/state";
import type { AdminOverview } from "../../signalling/generated";

/** What the screens need of the operator; tests may bring their own. */
export type OperatorServices = Pick<
  Operator,
  "state" | "subscribe" | "signIn" | "signOut" | "lookNow" | "drain" | "change"
>;

export const OperatorContext = createContext<OperatorServices | null>(null);

export function useServices(): OperatorServices {
  const services = use(OperatorContext);
  if (services === null) throw new Error("OperatorContext is missing");
  return services;
}

export function useOperator(): OperatorState {
  const { state, subscribe } = useServices();
  return useSyncExternalStore(subscribe, state);
}

/** An overview, and when it came; milliseconds since the epoch. */
export interface Heard {
  overview: AdminOverview;
  heardAt: number;
}
