/** The media node's REST side in memory, as far as the client can tell: rooms, transports, producers, consumers. */
import type { types } from "mediasoup-client";
import {
  generateConsumerRemoteParameters,
  generateRouterRtpCapabilities,
  generateTransportRemoteParameters,
} from "mediasoup-client/fakeParameters";
import type { HttpOptions } from "../signalling/http";
import type { AppData, MediaKind, ProducerSummary } from "../signalling/wire";

export interface Recorded {
  method: string;
  /** Below the room, without the leading part. */
  path: string;
  body: Record<string, unknown>;
}

interface Refusal {
  match: RegExp;
  status: number;
  error: Record<string, unknown>;
  times: number;
}

export class FakeNode {
  readonly requests: Recorded[] = [];
  producers: ProducerSummary[] = [];
  /** Simulcast consumers get this as their layers. */
  scalabilityMode = "L3T3";
  readonly #refusals: Refusal[] = [];
  #held: { match: RegExp; until: Promise<void> } | null = null;
  #ids = 0;

  readonly fetch = (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const path = String(input).replace(/^.*\/api\/rooms\/[^/]+/, "");
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const request = { method: init.method ?? "GET", path, body };
    this.requests.push(request);
    const refusal = this.#refusals.find(
      (one) => one.times > 0 && one.match.test(`${request.method} ${path}`),
    );
    if (refusal) {
      refusal.times -= 1;
      return Promise.resolve(json(refusal.status, { success: false, error: refusal.error }));
    }
    const answer = json(200, { success: true, data: this.#answer(request) });
    const held = this.#held?.match.test(`${request.method} ${path}`) === true ? this.#held.until : undefined;
    return Promise.resolve(held).then(() => answer);
  };

  get http(): HttpOptions {
    return { fetch: this.fetch, timeout: 1000, attempts: 3, sleep: () => Promise.resolve() };
  }

  /** The next `times` requests that match are refused. */
  refuse(match: RegExp, status: number, code: string, times = 1): void {
    this.#refusals.push({ match, status, error: { code, message: code }, times });
  }

  /** Answers to what matches are on their way, with what held when it was asked, until the result is called. */
  hold(match: RegExp): () => void {
    let release: (() => void) | undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held = { match, until };
    return () => {
      this.#held = null;
      release?.();
    };
  }

  addProducer(participantId: string, kind: MediaKind, appData: AppData = {}): ProducerSummary {
    const summary = { producerId: this.#id("producer"), participantId, kind, paused: false, appData };
    this.producers = [...this.producers, summary];
    return summary;
  }

  removeProducer(producerId: string): void {
    this.producers = this.producers.filter((summary) => summary.producerId !== producerId);
  }

  /** `METHOD path` of every request that matches, ids replaced by their kind. */
  seen(match = /./): string[] {
    return this.requests
      .map(({ method, path }) => `${method} ${path.replace(/(transport|producer|consumer)-\d+/g, "$1")}`)
      .filter((line) => match.test(line));
  }

  #id(kind: string): string {
    this.#ids += 1;
    return `${kind}-${String(this.#ids)}`;
  }

  #answer({ method, path, body }: Recorded): unknown {
    if (method === "GET") return this.#room();
    if (path === "/transports") return this.#transport();
    if (path.endsWith("/produce")) return this.#produce(body);
    if (path === "/consume") return this.#consume(String(body.producerId));
    if (path.endsWith("/restart-ice")) return { iceParameters: { usernameFragment: "new", password: "new" } };
    if (method === "DELETE") this.removeProducer(path.replace("/producers/", ""));
    return undefined;
  }

  #room(): unknown {
    return {
      roomId: "room",
      routerId: "router",
      rtpCapabilities: generateRouterRtpCapabilities(),
      participantCount: 1,
      createdAt: "2026-01-01T00:00:00.000Z",
      producers: this.producers,
    };
  }

  #transport(): unknown {
    const { iceParameters, iceCandidates, dtlsParameters } = generateTransportRemoteParameters();
    const transportId = this.#id("transport");
    return { transportId, iceParameters, iceCandidates, dtlsParameters, sctpParameters: null };
  }

  #produce(body: Record<string, unknown>): unknown {
    const kind = body.kind as MediaKind;
    const summary = this.addProducer(String(body.participantId), kind, body.appData as AppData);
    return { producerId: summary.producerId, kind };
  }

  #consume(producerId: string): unknown {
    const producer = this.producers.find((summary) => summary.producerId === producerId);
    const kind = producer?.kind ?? "audio";
    const codecMimeType = kind === "audio" ? "audio/opus" : "video/VP8";
    // Frozen as generated; the answer goes through JSON anyway.
    const rtpParameters = structuredClone(generateConsumerRemoteParameters({ codecMimeType }).rtpParameters);
    if (kind === "video") layered(rtpParameters, this.scalabilityMode);
    const type = kind === "audio" ? "simple" : "simulcast";
    const producerPaused = producer?.paused ?? false;
    return { consumerId: this.#id("consumer"), producerId, kind, rtpParameters, type, producerPaused };
  }
}

function layered(parameters: types.RtpParameters | undefined, scalabilityMode: string): void {
  const encoding = parameters?.encodings?.[0];
  if (encoding) encoding.scalabilityMode = scalabilityMode;
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}
