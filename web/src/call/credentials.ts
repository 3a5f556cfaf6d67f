/** Asks for fresh credentials before the present ones end, for as long as the call lasts. */

/** Share of the lifetime after which a renewal is due (contract §2.10). */
const RENEW_AT = 0.75;
const RETRY_AFTER_FAILURE = 10_000;
const SHORTEST = 5_000;
/** setTimeout counts in 32 bits; a longer wait would fire at once. */
const MAX_TIMER = 2 ** 31 - 1;

export class Credentials {
  /** Resolves with the new end, ISO 8601. */
  readonly #renew: () => Promise<string>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(expiresAt: string, renew: () => Promise<string>) {
    this.#renew = renew;
    this.renewed(expiresAt);
  }

  /** Fresh ones came by another way. */
  renewed(expiresAt: string): void {
    const left = Date.parse(expiresAt) - Date.now();
    if (Number.isFinite(left)) this.#after(Math.max(SHORTEST, left * RENEW_AT));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #after(delay: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.#work(), Math.min(delay, MAX_TIMER));
  }

  async #work(): Promise<void> {
    try {
      this.renewed(await this.#renew());
    } catch {
      this.#after(RETRY_AFTER_FAILURE);
    }
  }
}
