/** Typed client for what only administrators of the installation may ask of the gateway. */
import type { AdminFlags, AdminOverview, AdminDrain, AdminFlagsChange } from "./generated";
import { DEFAULT_HTTP, type HttpOptions, type JsonRequest, requestJson } from "./http";

/** What the operator's page needs of it; tests bring their own. */
export type Admin = Pick<AdminRest, keyof AdminRest>;

/** Whoever looks every two seconds needs neither a long deadline nor a repetition. */
const LOOK: HttpOptions = { ...DEFAULT_HTTP, timeout: 5_000, attempts: 1 };

export class AdminRest {
  readonly #token: () => string | null;
  readonly #base: string;
  readonly #http: HttpOptions;

  constructor(token: () => string | null, base = "", http: HttpOptions = LOOK) {
    this.#token = token;
    this.#base = base;
    this.#http = http;
  }

  async overview(signal?: AbortSignal): Promise<AdminOverview> {
    return (await this.#ask("/api/admin/overview", { method: "GET", signal })) as AdminOverview;
  }

  /** The node takes no new rooms from now on; those it holds go on. */
  async drain(nodeId: string): Promise<AdminDrain> {
    return (await this.#ask(drainPath(nodeId), { method: "POST" })) as AdminDrain;
  }

  /** The node takes new rooms again. */
  async undrain(nodeId: string): Promise<AdminDrain> {
    return (await this.#ask(drainPath(nodeId), { method: "DELETE" })) as AdminDrain;
  }

  /** What is not named stays; null goes back to the setting. */
  async setFlags(body: AdminFlagsChange): Promise<AdminFlags> {
    return (await this.#ask("/api/admin/flags", { method: "PUT", body })) as AdminFlags;
  }

  #ask(path: string, ask: Pick<JsonRequest, "method" | "body" | "signal">): Promise<unknown> {
    const token = this.#token() ?? undefined;
    // Asking twice does no harm anywhere here: what is asked for is a state, not a change.
    return requestJson({ ...ask, token, url: this.#base + path, repeat: "safe" }, this.#http);
  }
}

function drainPath(nodeId: string): string {
  return `/api/admin/nodes/${encodeURIComponent(nodeId)}/drain`;
}
