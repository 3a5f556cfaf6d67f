/** Holds the page's state outside calls, applies actions, hands effects on. */
import type { AppAction, AppEffect } from "./actions";
import { reduceApp } from "./reducer";
import type { AppState } from "./state";

export type AppDispatch = (action: AppAction) => void;

export class AppStore {
  #state: AppState;
  #perform: (effect: AppEffect) => void = () => undefined;
  readonly #listeners = new Set<() => void>();

  constructor(state: AppState) {
    this.#state = state;
  }

  readonly state = (): AppState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly dispatch: AppDispatch = (action) => {
    const { state, effects } = reduceApp(this.#state, action);
    if (state !== this.#state) {
      this.#state = state;
      for (const listener of [...this.#listeners]) listener();
    }
    for (const effect of effects) this.#perform(effect);
  };

  /** Who carries the effects out. */
  perform(runner: (effect: AppEffect) => void): void {
    this.#perform = runner;
  }
}
