/** The gateway's socket in memory: remembers what was asked, answers what the test says, and says what it is told to. */
import { Emitter } from "../emitter";
import { SignallingError } from "../signalling/errors";
import type { ErrorCode } from "../signalling/wire";
import type { Gateway, GatewayLink, GatewaySocketEvents } from "../signalling/gateway-socket";
import type { Answer, GatewayRequestName, Payload } from "../signalling/gateway-wire";

type Answerer = (payload: never) => unknown;

export class FakeGateway implements Gateway {
  readonly events = new Emitter<GatewaySocketEvents>();
  readonly asked: { name: GatewayRequestName; payload: Record<string, unknown> }[] = [];
  link: GatewayLink = "ready";
  readonly #answers = new Map<GatewayRequestName, Answerer>();

  /** What a request is answered with; a thrown error refuses it. Without, everything is done and nothing said. */
  answer<K extends GatewayRequestName>(name: K, answerer: (payload: Payload<K>) => Answer<K>): void {
    this.#answers.set(name, answerer);
  }

  request<K extends GatewayRequestName>(name: K, payload: Payload<K>): Promise<Answer<K>> {
    this.asked.push({ name, payload: payload });
    try {
      const answerer = this.#answers.get(name);
      return Promise.resolve((answerer?.(payload as never) ?? null) as Answer<K>);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): void {
    this.events.removeAll();
  }

  become(link: GatewayLink): void {
    this.link = link;
    this.events.emit("link", link);
  }

  /** The payloads of every request of this name. */
  payloads(name: GatewayRequestName): Record<string, unknown>[] {
    return this.asked.filter((request) => request.name === name).map(({ payload }) => payload);
  }
}

export function refusal(code: ErrorCode, about: Record<string, string> = {}): SignallingError {
  return new SignallingError("api", code, { code, about });
}
