/**
 * Looks at the installation every two seconds while the page is seen, and carries out what the operator asks for.
 *
 * Owns the token and the timer. Knows no React.
 */
import type { Admin } from "../signalling/admin-rest";
import { AdminRest } from "../signalling/admin-rest";
import type { AdminFlagsChange } from "../signalling/generated";
import { SignallingError } from "../signalling/errors";
import { LOOK_EVERY } from "./history";
import { reduceOperator } from "./reducer";
import {
  type FlagChange,
  type OperatorAction,
  type OperatorState,
  problemOf,
  refusalOf,
  SIGNED_OUT,
} from "./state";
import { endOfToken, keepToken, looksLikeToken, rememberedToken, tidyToken } from "./token";

/** Milliseconds between looks at a server that does not answer, at most: an operator waits for it to come back. */
const LONGEST_WAIT = 30_000;

/** What it reaches out to; tests bring their own. */
export interface Outside {
  admin: (token: () => string | null) => Admin;
  tab: Storage | undefined;
  /** Whether somebody can see the page. */
  visible: () => boolean;
  /** Calls back whenever that changes. */
  onVisibility: (listener: () => void) => void;
}

export class Operator {
  #state: OperatorState = SIGNED_OUT;
  readonly #listeners = new Set<() => void>();
  readonly #outside: Outside;
  readonly #admin: Admin;
  #token: string | null = null;
  #misses = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #look: AbortController | null = null;

  constructor(outside: Outside) {
    this.#outside = outside;
    this.#admin = outside.admin(() => this.#token);
    outside.onVisibility(() => this.#visibilityChanged());
  }

  readonly state = (): OperatorState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Goes on with the token this tab remembers, if there is one. */
  open(): void {
    this.#token = rememberedToken(this.#outside.tab);
    if (this.#token === null) return;
    this.#apply({ type: "token-remembered", tokenEndsAt: endOfToken(this.#token) });
    this.#lookNow();
  }

  readonly signIn = (pasted: string): void => {
    const token = tidyToken(pasted);
    if (!looksLikeToken(token)) {
      this.#apply({ type: "refused", refusal: "malformed" });
      return;
    }
    this.#token = token;
    this.#apply({ type: "token-offered" });
    this.#stopLooking();
    void this.#lookOnce();
  };

  readonly signOut = (): void => {
    this.#forget();
    this.#apply({ type: "signed-out" });
  };

  /** Looks at once, where the next attempt was to come later. */
  readonly lookNow = (): void => {
    if (this.#state.session.kind === "in") this.#lookNow();
  };

  /** Has a node take no new rooms, or take them again. */
  readonly drain = async (nodeId: string, draining: boolean): Promise<void> => {
    this.#apply({ type: "drain-asked", nodeId });
    await this.#carryOut(
      async () => {
        const answer = draining ? await this.#admin.drain(nodeId) : await this.#admin.undrain(nodeId);
        return { type: "drain-answered", answer };
      },
      (error) => ({ type: "drain-failed", nodeId, problem: problemOf(error) }),
    );
  };

  /** Changes flags or the rollout of one. */
  readonly change = async (change: FlagChange, request: AdminFlagsChange): Promise<void> => {
    this.#apply({ type: "flags-asked", change });
    await this.#carryOut(
      async () => ({ type: "flags-answered", change, flags: await this.#admin.setFlags(request) }),
      (error) => ({ type: "flags-failed", change, problem: problemOf(error) }),
    );
  };

  async #carryOut(
    ask: () => Promise<OperatorAction>,
    failed: (error: unknown) => OperatorAction,
  ): Promise<void> {
    const token = this.#token;
    let action: OperatorAction;
    try {
      action = await ask();
    } catch (error) {
      action = failed(error);
    }
    // Somebody signed out meanwhile.
    if (this.#token !== token || token === null) return;
    this.#apply(action);
    // A look that began before the change would show what was before it.
    this.#lookNow();
  }

  #lookNow(): void {
    this.#stopLooking();
    if (this.#outside.visible()) void this.#lookOnce();
  }

  async #lookOnce(): Promise<void> {
    const look = new AbortController();
    this.#look = look;
    const began = Date.now();
    try {
      const overview = await this.#admin.overview(look.signal);
      if (look.signal.aborted) return;
      this.#misses = 0;
      this.#accept();
      const tokenEndsAt = this.#token === null ? null : endOfToken(this.#token);
      this.#apply({ type: "heard", overview, at: Date.now(), tokenEndsAt });
      this.#lookIn(Math.max(0, began + LOOK_EVERY - Date.now()));
    } catch (error) {
      if (!look.signal.aborted) this.#missed(error);
    }
  }

  #missed(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal !== null) {
      const wasGood = refusal === "unauthorized" && this.#state.overview !== null;
      this.#forget();
      this.#apply({ type: "refused", refusal: wasGood ? "expired" : refusal });
      return;
    }
    const outside = this.#state.session.kind === "out";
    this.#misses += 1;
    const asked = error instanceof SignallingError ? (error.retryAfter ?? 0) : 0;
    const wait = Math.max(asked, Math.min(LOOK_EVERY * 2 ** (this.#misses - 1), LONGEST_WAIT));
    const at = Date.now();
    this.#apply({ type: "missed", problem: problemOf(error), at, retryAt: at + wait });
    if (outside) this.#forget();
    else this.#lookIn(wait);
  }

  /** The token is good: kept for a reload of this tab. */
  #accept(): void {
    if (this.#state.session.kind === "out") keepToken(this.#outside.tab, this.#token);
  }

  #lookIn(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#lookNow(), milliseconds);
  }

  #stopLooking(): void {
    clearTimeout(this.#timer);
    this.#look?.abort();
    this.#look = null;
  }

  #forget(): void {
    this.#stopLooking();
    this.#misses = 0;
    this.#token = null;
    keepToken(this.#outside.tab, null);
  }

  #visibilityChanged(): void {
    if (this.#state.session.kind !== "in") return;
    if (this.#outside.visible()) {
      this.#apply({ type: "shown" });
      this.#lookNow();
    } else {
      this.#stopLooking();
      this.#apply({ type: "hidden" });
    }
  }

  #apply(action: OperatorAction): void {
    const next = reduceOperator(this.#state, action);
    if (next === this.#state) return;
    this.#state = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The real things, for the page. */
export function browserOutside(tab: Storage | undefined): Outside {
  return {
    admin: (token) => new AdminRest(token),
    tab,
    visible: () => document.visibilityState === "visible",
    onVisibility: (listener) => document.addEventListener("visibilitychange", listener),
  };
}
