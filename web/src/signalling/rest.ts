/** Typed client for the media node's REST endpoints, bound to one participant of one call. */
import type { types } from "mediasoup-client";
import { hasCode } from "./errors";
import { DEFAULT_HTTP, type HttpOptions, type JsonRequest, requestJson } from "./http";
import type {
  AppData,
  ConsumeResult,
  MediaKind,
  ProduceResult,
  RoomInfo,
  RoomMembership,
  TransportInfo,
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
}

export type Direction = "send" | "recv";

export class NodeRest {
  readonly callId: string;
  readonly participantId: string;
  readonly #room: string;
  readonly #token: () => string;
  readonly #http: HttpOptions;
  readonly #abort = new AbortController();

  constructor(options: RestOptions) {
    this.callId = options.callId;
    this.participantId = options.participantId;
    this.#room = `${options.base}/api/rooms/${encodeURIComponent(options.callId)}`;
    this.#token = options.token;
    this.#http = options.http ?? DEFAULT_HTTP;
  }

  /** Abandons every request under way; only `leave` works afterwards. */
  close(): void {
    this.#abort.abort();
  }

  async room(): Promise<RoomInfo> {
    return (await this.#get("")) as RoomInfo;
  }

  async createTransport(direction: Direction, forceTcp: boolean): Promise<TransportInfo> {
    const body = { participantId: this.participantId, direction, forceTcp };
    // A second transport of one direction replaces the first, so repeating is harmless.
    return (await this.#post("/transports", body)) as TransportInfo;
  }

  async connectTransport(transportId: string, dtlsParameters: types.DtlsParameters): Promise<void> {
    await this.#post(`/transports/${transportId}/connect`, { dtlsParameters });
  }

  async restartIce(transportId: string): Promise<types.IceParameters> {
    const data = (await this.#post(`/transports/${transportId}/restart-ice`)) as {
      iceParameters: types.IceParameters;
    };
    return data.iceParameters;
  }

  async produce(transportId: string, request: ProduceRequest): Promise<ProduceResult> {
    const body = { participantId: this.participantId, ...request };
    return (await this.#send("POST", `/transports/${transportId}/produce`, { body, repeat: "once" })) as ProduceResult;
  }

  async consume(producerId: string, rtpCapabilities: types.RtpCapabilities): Promise<ConsumeResult> {
    const body = { participantId: this.participantId, producerId, rtpCapabilities };
    return (await this.#post("/consume", body)) as ConsumeResult;
  }

  async resumeConsumer(consumerId: string): Promise<void> {
    await this.#post(`/consumers/${consumerId}/resume`);
  }

  async pauseConsumer(consumerId: string): Promise<void> {
    await this.#post(`/consumers/${consumerId}/pause`);
  }

  async preferLayers(consumerId: string, spatialLayer: number, temporalLayer?: number): Promise<void> {
    await this.#post(`/consumers/${consumerId}/preferred-layers`, { spatialLayer, temporalLayer });
  }

  async pauseProducer(producerId: string): Promise<void> {
    await this.#post(`/producers/${producerId}/pause`);
  }

  async resumeProducer(producerId: string): Promise<void> {
    await this.#post(`/producers/${producerId}/resume`);
  }

  async closeProducer(producerId: string): Promise<void> {
    try {
      await this.#send("DELETE", `/producers/${producerId}`, { repeat: "safe" });
    } catch (error) {
      // A repeated or late close finds nothing: that is what was wanted.
      if (!hasCode(error, "PRODUCER_NOT_FOUND")) throw error;
    }
  }

  /** The farewell. Survives the page going away and never fails the caller. */
  async leave(): Promise<void> {
    const url = `${this.#room}/participants/${encodeURIComponent(this.participantId)}/leave`;
    const request = { method: "POST", url, token: this.#token(), repeat: "once", keepalive: true } as const;
    try {
      await requestJson(request, this.#http);
    } catch {
      // The node notices the missing socket by itself.
    }
  }

  #get(path: string): Promise<unknown> {
    return this.#send("GET", path, { repeat: "safe" });
  }

  #post(path: string, body?: unknown): Promise<unknown> {
    return this.#send("POST", path, { body, repeat: "safe" });
  }

  #send(
    method: JsonRequest["method"],
    path: string,
    rest: Pick<JsonRequest, "body" | "repeat">,
  ): Promise<unknown> {
    const url = `${this.#room}${path}`;
    return requestJson({ method, url, token: this.#token(), signal: this.#abort.signal, ...rest }, this.#http);
  }
}
