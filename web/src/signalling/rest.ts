/** Typed client for the media node's REST endpoints, bound to one participant of one call. */
import type { types } from "mediasoup-client";
import { hasCode } from "./errors";
import { DEFAULT_HTTP, type HttpOptions, requestJson } from "./http";
import {
  type AppData,
  type ConsumeResult,
  ENDPOINTS,
  type MediaKind,
  type ProduceResponse,
  type RoomInfo,
  type RoomMembership,
  type TransportDirection,
  type TransportInfo,
} from "./wire";

export interface RestOptions extends RoomMembership {
  /** Origin of the node; empty for the page's own. */
  base: string;
  token: () => string;
  http?: HttpOptions;
}

export interface ProduceRequest {
  kind: MediaKind;
  rtpParameters: types.RtpParameters;
  appData: AppData;
  paused: boolean;
}

/** What fills the braces of a path, beside the call. */
type PathIds = Partial<Record<"transportId" | "producerId" | "consumerId" | "participantId", string>>;
type Endpoint = (typeof ENDPOINTS)[keyof typeof ENDPOINTS];

export class NodeRest {
  readonly callId: string;
  readonly participantId: string;
  readonly #base: string;
  readonly #token: () => string;
  readonly #http: HttpOptions;
  readonly #abort = new AbortController();

  constructor(options: RestOptions) {
    this.callId = options.callId;
    this.participantId = options.participantId;
    this.#base = options.base;
    this.#token = options.token;
    this.#http = options.http ?? DEFAULT_HTTP;
  }

  /** Abandons every request under way; only `leave` works afterwards. */
  close(): void {
    this.#abort.abort();
  }

  async room(): Promise<RoomInfo> {
    return (await this.#ask(ENDPOINTS.FetchRoom)) as RoomInfo;
  }

  /** A second transport of one direction replaces the first, so repeating is harmless. */
  async createTransport(direction: TransportDirection, forceTcp: boolean): Promise<TransportInfo> {
    const body = { participantId: this.participantId, direction, forceTcp };
    return (await this.#ask(ENDPOINTS.CreateTransport, {}, body)) as TransportInfo;
  }

  async connectTransport(transportId: string, dtlsParameters: types.DtlsParameters): Promise<void> {
    await this.#ask(ENDPOINTS.ConnectTransport, { transportId }, { dtlsParameters });
  }

  async restartIce(transportId: string): Promise<types.IceParameters> {
    const data = await this.#ask(ENDPOINTS.RestartIce, { transportId });
    return (data as { iceParameters: types.IceParameters }).iceParameters;
  }

  /** Not repeated when its outcome is unknown: a second one would be refused. */
  async produce(transportId: string, request: ProduceRequest): Promise<ProduceResponse> {
    const body = { participantId: this.participantId, ...request };
    const url = this.#url(ENDPOINTS.Produce, { transportId });
    const options = { method: "POST", url, body, token: this.#token(), signal: this.#abort.signal } as const;
    return (await requestJson({ ...options, repeat: "once" }, this.#http)) as ProduceResponse;
  }

  async consume(producerId: string, rtpCapabilities: types.RtpCapabilities): Promise<ConsumeResult> {
    const body = { participantId: this.participantId, producerId, rtpCapabilities };
    return (await this.#ask(ENDPOINTS.Consume, {}, body)) as ConsumeResult;
  }

  async resumeConsumer(consumerId: string): Promise<void> {
    await this.#ask(ENDPOINTS.ResumeConsumer, { consumerId });
  }

  async pauseConsumer(consumerId: string): Promise<void> {
    await this.#ask(ENDPOINTS.PauseConsumer, { consumerId });
  }

  async preferLayers(consumerId: string, spatialLayer: number): Promise<void> {
    await this.#ask(ENDPOINTS.PreferredLayers, { consumerId }, { spatialLayer });
  }

  async pauseProducer(producerId: string): Promise<void> {
    await this.#ask(ENDPOINTS.PauseProducer, { producerId });
  }

  async resumeProducer(producerId: string): Promise<void> {
    await this.#ask(ENDPOINTS.ResumeProducer, { producerId });
  }

  async closeProducer(producerId: string): Promise<void> {
    try {
      await this.#ask(ENDPOINTS.CloseProducer, { producerId });
    } catch (error) {
      // A repeated or late close finds nothing: that is what was wanted.
      if (!hasCode(error, "PRODUCER_NOT_FOUND")) throw error;
    }
  }

  /** The farewell. Survives the page going away and never fails the caller. */
  async leave(): Promise<void> {
    const url = this.#url(ENDPOINTS.Leave, { participantId: this.participantId });
    const request = { method: "POST", url, token: this.#token(), repeat: "once", keepalive: true } as const;
    try {
      await requestJson(request, this.#http);
    } catch {
      // The node notices the missing socket by itself.
    }
  }

  #ask(endpoint: Endpoint, ids: PathIds = {}, body?: unknown): Promise<unknown> {
    const { method } = endpoint;
    const url = this.#url(endpoint, ids);
    const { signal } = this.#abort;
    return requestJson({ method, url, body, token: this.#token(), signal, repeat: "safe" }, this.#http);
  }

  #url({ path }: Endpoint, ids: PathIds): string {
    const values: Record<string, string | undefined> = { ...ids, callId: this.callId };
    return (
      this.#base + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""))
    );
  }
}
