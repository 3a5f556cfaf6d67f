/** The way into a call: a room name and a display name for a ticket to the media node. */
import { DEFAULT_HTTP, type HttpOptions, requestJson } from "./http";
import { LOBBY, type LobbyTicket, type TokenGrant } from "./wire";

export class LobbyClient {
  readonly #base: string;
  readonly #http: HttpOptions;

  constructor(base = "", http: HttpOptions = DEFAULT_HTTP) {
    this.#base = base;
    this.#http = http;
  }

  /** Joining mints a new participant each time, so a lost answer is not worth repeating blindly. */
  async join(room: string, name: string, signal?: AbortSignal): Promise<LobbyTicket> {
    const url = this.#base + LOBBY.join;
    const request = { method: "POST", url, body: { room, name }, repeat: "once", signal } as const;
    return (await requestJson(request, this.#http)) as LobbyTicket;
  }

  async refresh(token: string): Promise<TokenGrant> {
    const url = this.#base + LOBBY.refresh;
    return (await requestJson({ method: "POST", url, token, repeat: "safe" }, this.#http)) as TokenGrant;
  }
}
