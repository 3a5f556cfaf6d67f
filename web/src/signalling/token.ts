/** The participant's token, renewed before it runs out for as long as the call lasts. */
import type { TokenGrant } from "./wire";

/** Share of the lifetime after which a renewal is due; the rest is room for failed attempts. */
const RENEW_AT = 0.8;
const RETRY_AFTER_FAILURE = 10_000;
/** setTimeout counts in 32 bits; a longer wait would fire at once. */
const MAX_TIMER = 2 ** 31 - 1;

export class TokenKeeper {
  #token: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  readonly #renew: (token: string) => Promise<TokenGrant>;

  constructor(grant: TokenGrant, renew: (token: string) => Promise<TokenGrant>) {
    this.#token = grant.token;
    this.#renew = renew;
    this.#schedule(grant.tokenExpiresAt);
  }

  get current(): string {
    return this.#token;
  }

  /** Renews now; for the case that the server has refused the token. */
  async refresh(): Promise<void> {
    const grant = await this.#renew(this.#token);
    if (this.#closed) return;
    this.#token = grant.token;
    this.#schedule(grant.tokenExpiresAt);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(expiresAt: string): void {
    const left = Date.parse(expiresAt) - Date.now();
    if (!Number.isFinite(left)) return;
    this.#after(Math.max(1_000, left * RENEW_AT));
  }

  #after(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.refresh().catch(() => {
          if (!this.#closed) this.#after(RETRY_AFTER_FAILURE);
        });
      },
      Math.min(delay, MAX_TIMER),
    );
  }
}
