/** Typed client for the gateway's REST paths. */
import type { GatewayCredentials } from "./gateway-wire";
import type {
  Account,
  ActiveCall,
  CallHistory,
  ConversationDto,
  CreateConversationRequest,
  CreateLinkRequest,
  GatewayConfig,
  IceServersResponse,
  JoinAnonymousRequest,
  JoinAnonymousResponse,
  LoginResponse,
  Person,
  ShareLinkDto,
  TrackedLink,
} from "./generated";
import { DEFAULT_HTTP, type HttpOptions, type JsonRequest, requestJson } from "./http";

/** Calls of a conversation, newest first. */
export type HistoryPage = Partial<Record<"limit" | "offset", number>>;

/** What the rest of the client needs of it; tests bring their own. */
export type Rest = Pick<GatewayRest, keyof GatewayRest>;

type Ask = Pick<JsonRequest, "method" | "body" | "keepalive"> & {
  open?: boolean;
  repeat?: JsonRequest["repeat"];
};

/** Bytes the bandwidth test fetches: enough to see past the connection's slow start, little on a metered line. */
const BANDWIDTH_TEST = 1_000_000;

export class GatewayRest {
  readonly #base: string;
  readonly #credentials: () => GatewayCredentials | null;
  readonly #http: HttpOptions;

  /** Without credentials only what is open to everybody works: login, config, links. */
  constructor(credentials: () => GatewayCredentials | null, base = "", http: HttpOptions = DEFAULT_HTTP) {
    this.#credentials = credentials;
    this.#base = base;
    this.#http = http;
  }

  async config(): Promise<GatewayConfig> {
    return (await this.#ask("/api/config", { method: "GET", open: true })) as GatewayConfig;
  }

  /** Logs in by name; only where the installation allows it. Repeating it finds the same user. */
  async login(username: string, language?: string): Promise<LoginResponse> {
    const body = { username, language };
    return (await this.#ask("/api/auth/dev-login", { method: "POST", body, open: true })) as LoginResponse;
  }

  async me(): Promise<Account> {
    return (await this.#ask("/api/users/me", { method: "GET" })) as Account;
  }

  async users(query: string): Promise<Person[]> {
    return (await this.#ask(`/api/users?${queryOf({ query })}`, { method: "GET" })) as Person[];
  }

  async conversations(): Promise<ConversationDto[]> {
    return (await this.#ask("/api/conversations", { method: "GET" })) as ConversationDto[];
  }

  /** A direct conversation that exists already is answered as it is. */
  async createConversation(body: CreateConversationRequest): Promise<ConversationDto> {
    const ask: Ask = { method: "POST", body, repeat: "once" };
    return (await this.#ask("/api/conversations", ask)) as ConversationDto;
  }

  async createLink(conversationId: string, body: CreateLinkRequest = {}): Promise<ShareLinkDto> {
    const path = `/api/conversations/${encodeURIComponent(conversationId)}/links`;
    return (await this.#ask(path, { method: "POST", body, repeat: "once" })) as ShareLinkDto;
  }

  async trackedLink(token: string): Promise<TrackedLink> {
    const path = `/api/links/tracked/${encodeURIComponent(token)}`;
    return (await this.#ask(path, { method: "GET", open: true })) as TrackedLink;
  }

  async joinAnonymous(conversationId: string, body: JoinAnonymousRequest): Promise<JoinAnonymousResponse> {
    const path = `/api/conversations/${encodeURIComponent(conversationId)}/join-anonymous`;
    const ask: Ask = { method: "POST", body, open: true, repeat: "once" };
    return (await this.#ask(path, ask)) as JoinAnonymousResponse;
  }

  /** The live call of a conversation, or null. */
  async activeCall(conversationId: string): Promise<ActiveCall | null> {
    const path = `/api/conversations/${encodeURIComponent(conversationId)}/active-call`;
    return ((await this.#ask(path, { method: "GET" })) ?? null) as ActiveCall | null;
  }

  async history(conversationId: string, page: HistoryPage = {}): Promise<CallHistory> {
    const path = `/api/conversations/${encodeURIComponent(conversationId)}/calls?${queryOf(page)}`;
    return (await this.#ask(path, { method: "GET" })) as CallHistory;
  }

  /** The farewell of a page that goes away: it outlives the page and never fails the caller. */
  async leaveCall(callId: string): Promise<void> {
    const path = `/api/calls/${encodeURIComponent(callId)}/leave`;
    try {
      await this.#ask(path, { method: "POST", keepalive: true, repeat: "once" });
    } catch {
      // The gateway notices the missing socket by itself.
    }
  }

  async iceServers(): Promise<IceServersResponse> {
    return (await this.#ask("/api/ice-servers", { method: "GET" })) as IceServersResponse;
  }

  /** Downloads some noise and resolves with the speed, kbit/s. */
  async bandwidthTest(bytes = BANDWIDTH_TEST): Promise<number> {
    const started = performance.now();
    const response = await this.#http.fetch(`${this.#base}/api/bandwidth-test?${queryOf({ bytes })}`, {
      headers: this.#headers(),
      cache: "no-store",
      credentials: "omit",
    });
    const received = (await response.arrayBuffer()).byteLength;
    const seconds = Math.max(0.001, (performance.now() - started) / 1000);
    return response.ok ? (received * 8) / 1000 / seconds : 0;
  }

  /** Everything the installation keeps about one's calls. */
  async exportMyData(): Promise<unknown> {
    return this.#ask("/api/users/me/call-data", { method: "GET" });
  }

  async eraseMyData(): Promise<void> {
    await this.#ask("/api/users/me/call-data", { method: "DELETE" });
  }

  #ask(path: string, { open = false, repeat = "safe", ...ask }: Ask): Promise<unknown> {
    const credentials = open ? null : this.#credentials();
    return requestJson({ ...ask, ...credentials, url: this.#base + path, repeat }, this.#http);
  }

  #headers(): Record<string, string> {
    const credentials = this.#credentials();
    if (credentials === null) return {};
    if ("token" in credentials) return { authorization: `Bearer ${credentials.token}` };
    return { "x-session-token": credentials.sessionToken };
  }
}

function queryOf(fields: Partial<Record<string, string | number>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}
