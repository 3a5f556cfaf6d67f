import { createContext, use, useSyncExternalStore } from "react";
import type { AppState } from "../app/state";
import type { AppDispatch, AppStore } from "../app/store";
import type { CallState } from "../call/state";
import type { CallStore, Dispatch } from "../call/store";
import type { LevelBoard } from "../media/levels";
import type { ViewBook } from "../media/views";
import type { Sound } from "../media/voice";

/** What the page itself needs of the call session. */
export interface CallHands {
  readonly views: ViewBook;
  readonly levels: LevelBoard;
  readonly canShareScreen: boolean;
  /** A frame of this picture was presented at this time (`performance.now()`). */
  noteFrame: (key: string, at: number) => unknown;
  /** This is what is heard of the participant from now on. */
  noteVoice: (id: string, sound: Sound) => unknown;
  leave: () => unknown;
  /** Ends the call for everybody. */
  end: () => unknown;
  kick: (id: string) => unknown;
}

export interface CallServices {
  store: CallStore;
  session: CallHands;
}

export interface AppServices {
  store: AppStore;
  /** Sound may be played from now on. */
  touched: () => void;
  /** Kilobits a second from the server to here; 0 if it cannot be told. */
  measureSpeed: () => Promise<number>;
}

export const CallContext = createContext<CallServices | null>(null);
export const AppContext = createContext<AppServices | null>(null);

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

export function useAppServices(): AppServices {
  const services = use(AppContext);
  if (services === null) throw new Error("AppContext is missing");
  return services;
}

export function useApp(): AppState {
  const { store } = useAppServices();
  return useSyncExternalStore(store.subscribe, store.state);
}

export function useAppDispatch(): AppDispatch {
  return useAppServices().store.dispatch;
}
