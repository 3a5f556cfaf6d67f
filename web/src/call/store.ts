/** Holds the state, applies actions, hands effects on. Small enough to need no library. */
import type { Action, Effect } from "./actions";
import { reduce } from "./reducer";
import type { CallState } from "./state";

export type Dispatch = (action: Action) => void;

export class CallStore {
  #state: CallState;
  #perform: (effect: Effect) => void = () => undefined;
  readonly #listeners = new Set<() => void>();

  constructor(state: CallState) {
    this.#state = state;
  }

  readonly state = (): CallState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly dispatch: Dispatch = (action) => {
    const { state, effects } = reduce(this.#state, action);
    if (state !== this.#state) {
      this.#state = state;
      for (const listener of [...this.#listeners]) listener();
    }
    for (const effect of effects) this.#perform(effect);
  };

  /** Who carries the effects out. */
  perform(runner: (effect: Effect) => void): void {
    this.#perform = runner;
  }
}
