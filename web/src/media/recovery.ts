/**
 * The ladder climbed when media stops flowing: wait a moment, restart ICE, rebuild over TCP, join anew.
 *
 * Knows time and transport states only; what a step does is the caller's.
 */
import type { types } from "mediasoup-client";
import type { TransportDirection } from "../signalling/wire";

export interface RecoverySteps {
  restartIce: (direction: TransportDirection) => void;
  rebuild: () => void;
  rejoin: () => void;
  status: (status: MediaStatus) => void;
}

export type MediaStatus = "connecting" | "connected" | "reconnecting";
type Rung = "fine" | "waiting" | "restarting" | "rebuilding" | "rejoining";

export const PATIENCE = {
  /** ICE itself often recovers from a short gap within this. */
  disconnected: 2_000,
  /** First connection: checks over UDP that nobody answers are given up sooner than the browser would. */
  connecting: 10_000,
  restart: 6_000,
  rebuild: 10_000,
};

/** For a way that only stands by. */
export const QUICK_PATIENCE: typeof PATIENCE = { ...PATIENCE, connecting: 5_000, rebuild: 6_000 };

export class Recovery {
  readonly #steps: RecoverySteps;
  readonly #patience: typeof PATIENCE;
  readonly #states = new Map<TransportDirection, types.ConnectionState>();
  #rung: Rung = "fine";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #everConnected = false;
  #status: MediaStatus = "connecting";

  constructor(steps: RecoverySteps, patience: typeof PATIENCE = PATIENCE) {
    this.#steps = steps;
    this.#patience = patience;
  }

  /** A transport reports its state. */
  handleState(direction: TransportDirection, state: types.ConnectionState): void {
    if (this.#rung === "rejoining") return;
    this.#states.set(direction, state);
    if (this.#broken().length === 0 && !this.#pending()) this.#recovered();
    else if (state === "failed") this.#failed(direction);
    else if (state === "disconnected" && this.#rung === "fine") this.#climb("waiting");
    else if (state === "connecting" && this.#rung === "fine") this.#arm(this.#patience.connecting);
    this.#publish();
  }

  /** The machine has a network again, or another one: old paths are probably dead. */
  handleNetworkChange(): void {
    if (this.#rung === "rejoining" || this.#rung === "rebuilding" || !this.#everConnected) return;
    this.#climb("restarting");
    this.#publish();
  }

  /** A step could not be carried out; take the next one, unless that has been done already. */
  handleStepFailed(step: "restarting" | "rebuilding"): void {
    if (this.#rung !== step) return;
    this.#climb(step === "restarting" ? "rebuilding" : "rejoining");
    this.#publish();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#rung = "rejoining";
  }

  #failed(direction: TransportDirection): void {
    if (this.#rung === "fine" || this.#rung === "waiting") this.#climb("restarting");
    else if (this.#rung === "restarting" && this.#states.get(direction) === "failed")
      this.#climb("rebuilding");
  }

  #broken(): TransportDirection[] {
    return (["send", "recv"] as const).filter((direction) => {
      const state = this.#states.get(direction);
      return state === "disconnected" || state === "failed";
    });
  }

  #pending(): boolean {
    return [...this.#states.values()].includes("connecting");
  }

  #recovered(): void {
    if (![...this.#states.values()].includes("connected")) return;
    clearTimeout(this.#timer);
    this.#rung = "fine";
    this.#everConnected = true;
  }

  #next(): void {
    switch (this.#rung) {
      case "fine":
        // Only the first connection is timed in this state.
        if (this.#pending()) this.#climb("rebuilding");
        break;
      case "waiting":
        this.#climb("restarting");
        break;
      case "restarting":
        // A restart that finds the old path alive never leaves "connected".
        if (this.#broken().length === 0 && !this.#pending()) this.#recovered();
        else this.#climb("rebuilding");
        break;
      case "rebuilding":
        this.#climb("rejoining");
        break;
      case "rejoining":
        break;
    }
  }

  #climb(rung: Rung): void {
    this.#rung = rung;
    switch (rung) {
      case "fine":
        break;
      case "waiting":
        this.#arm(this.#patience.disconnected);
        break;
      case "restarting":
        this.#arm(this.#patience.restart);
        for (const direction of this.#states.keys()) this.#steps.restartIce(direction);
        break;
      case "rebuilding":
        this.#arm(this.#patience.rebuild);
        this.#states.clear();
        this.#steps.rebuild();
        break;
      case "rejoining":
        clearTimeout(this.#timer);
        this.#steps.rejoin();
        break;
    }
  }

  #arm(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#next();
      this.#publish();
    }, delay);
  }

  #publish(): void {
    const status = this.#current();
    if (status === this.#status) return;
    this.#status = status;
    this.#steps.status(status);
  }

  #current(): MediaStatus {
    // A one-second hiccup is not worth a word.
    if (this.#rung === "fine") return this.#everConnected ? "connected" : "connecting";
    if (this.#rung === "waiting") return this.#everConnected ? this.#status : "connecting";
    return this.#everConnected ? "reconnecting" : "connecting";
  }
}
