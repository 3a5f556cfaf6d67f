/** The gateway's side of the operator's page in memory: an installation, and answers a test may turn into errors. */
import type { Admin } from "../signalling/admin-rest";
import type { AdminDrain, AdminFlags, AdminFlagsChange, AdminOverview } from "../signalling/generated";
import { SignallingError } from "../signalling/errors";
import { installation } from "./installation";

export class FakeAdmin implements Admin {
  overviewNow: AdminOverview = installation(Date.now());
  /** What every request ends with; null: it is answered. */
  error: SignallingError | null = null;
  /** Requests in order, as method and what they are about. */
  readonly asked: string[] = [];
  /** The tokens shown with them. */
  readonly tokens: (string | null)[] = [];
  readonly signals: (AbortSignal | undefined)[] = [];
  readonly #token: () => string | null;

  constructor(token: () => string | null) {
    this.#token = token;
  }

  /** How often the overview was asked for. */
  get looks(): number {
    return this.asked.filter((line) => line === "overview").length;
  }

  overview(signal?: AbortSignal): Promise<AdminOverview> {
    this.signals.push(signal);
    return this.#answer("overview", () => this.overviewNow);
  }

  drain(nodeId: string): Promise<AdminDrain> {
    return this.#drain(nodeId, true);
  }

  undrain(nodeId: string): Promise<AdminDrain> {
    return this.#drain(nodeId, false);
  }

  setFlags(body: AdminFlagsChange): Promise<AdminFlags> {
    return this.#answer(`flags ${JSON.stringify(body)}`, () => {
      const { flags } = this.overviewNow;
      const changed = Object.entries(body.flags ?? {}).map(([name, on]) => [
        name,
        on === null ? { on: true, source: "setting" } : { on, source: "stored" },
      ]);
      const next = {
        flags: { ...flags.flags, ...(Object.fromEntries(changed) as AdminFlags["flags"]) },
        sfuPercent: body.sfuPercent ?? flags.sfuPercent,
        sfuConversations: body.sfuConversations ?? flags.sfuConversations,
      };
      this.overviewNow = { ...this.overviewNow, flags: next };
      return next;
    });
  }

  #drain(nodeId: string, draining: boolean): Promise<AdminDrain> {
    return this.#answer(`${draining ? "drain" : "undrain"} ${nodeId}`, () => {
      const nodes = this.overviewNow.nodes.map((node) =>
        node.nodeId === nodeId
          ? { ...node, state: draining ? ("draining" as const) : ("ready" as const) }
          : node,
      );
      this.overviewNow = { ...this.overviewNow, nodes };
      return { nodeId, draining, rooms: 1 };
    });
  }

  #answer<T>(line: string, answer: () => T): Promise<T> {
    this.asked.push(line);
    this.tokens.push(this.#token());
    return this.error === null ? Promise.resolve(answer()) : Promise.reject(this.error);
  }
}

export function failure(status?: number, retryAfter?: number): SignallingError {
  if (status === undefined) return new SignallingError("network", "no network");
  return new SignallingError("api", "no", { status, retryAfter });
}
