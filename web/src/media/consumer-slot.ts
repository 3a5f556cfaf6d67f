/** One remote producer and, while it is wanted, the consumer that receives it. */
import type { types } from "mediasoup-client";
import { errorName } from "../error-name";
import { hasCode, meansRejoin, SignallingError } from "../signalling/errors";
import { sleep } from "../signalling/http";
import type { NodeRest } from "../signalling/rest";
import type { AppData, ConsumeResult, MediaKind, Source } from "../signalling/wire";
import { receivedCount } from "./arrival";
import { layerForHeight, spatialLayers } from "./encodings";

/** A producer as the rest of the page knows it. */
export interface RemoteProducer {
  producerId: string;
  participantId: string;
  kind: MediaKind;
  source: Source;
  displayName: string;
}

export interface ReceiveSide {
  transport: types.Transport;
  rtpCapabilities: types.RtpCapabilities;
}

export interface ConsumerSlotOptions {
  remote: RemoteProducer;
  rest: NodeRest;
  onTrack: (track: MediaStreamTrack | null) => void;
  onProducerPaused: (paused: boolean) => void;
  /** The producer is gone at the node. */
  onGone: () => void;
  onStale: (error: unknown) => void;
  now?: () => number;
}

const RETRY_DELAY = 1_000;
const MAX_FAILURES = 5;
const FIRST_FRAME_POLL = 200;
const FIRST_FRAME_PATIENCE = 15_000;

export class ConsumerSlot {
  readonly remote: RemoteProducer;
  readonly #options: ConsumerSlotOptions;
  readonly #now: () => number;
  #side: ReceiveSide | null = null;
  #consumer: types.Consumer | null = null;
  #layers = 1;
  #flowing = false;
  #wantFlow: boolean;
  /** It is made, whether or not it flows. */
  #wantReady = false;
  /** Frames decoded or packets received before it was last resumed. */
  #before = 0;
  /** Height in device pixels the picture is shown at; infinite until somebody says. */
  #height = Number.POSITIVE_INFINITY;
  /** The spatial layer last asked for; the node starts with the highest. */
  #layer: number | null = null;
  #resumedAt: number | null = null;
  #firstFrameMs: number | null = null;
  #working = false;
  /** Something may be left to do. */
  #restless = false;
  #closed = false;
  #unsupported = false;
  #failures = 0;
  /** How often the node has told of its pauses. */
  #heard = 0;

  constructor(options: ConsumerSlotOptions) {
    this.#options = options;
    this.remote = options.remote;
    this.#now = options.now ?? (() => performance.now());
    this.#wantFlow = false;
  }

  get consumer(): types.Consumer | null {
    return this.#consumer;
  }

  /** Milliseconds from resume to the first decoded picture. */
  get firstFrameMs(): number | null {
    return this.#firstFrameMs;
  }

  get flowing(): boolean {
    return this.#flowing;
  }

  /** `ready` keeps it made while it does not flow. */
  want(flow: boolean, ready: boolean): void {
    if (this.#wantFlow === flow && this.#wantReady === ready) return;
    this.#wantFlow = flow;
    this.#wantReady = ready;
    this.#failures = 0;
    void this.#settle();
  }

  /** Something has come in since it was last resumed: a decoded picture, or sound. */
  async arrived(): Promise<boolean> {
    const consumer = this.#consumer;
    if (consumer === null || !this.#flowing) return false;
    return (await mediaCount(consumer)) > this.#before;
  }

  showAt(height: number): void {
    this.#height = height;
    void this.#settle();
  }

  /** A new transport below; consumers of the old one are gone, at the node as well. */
  setSide(side: ReceiveSide | null): void {
    this.#side = side;
    this.#forget();
    this.#failures = 0;
    void this.#settle();
  }

  /** The node tells whether it is paused: later than any answer that is under way. */
  hearOfFlow(): void {
    this.#heard += 1;
  }

  /** The node can be reached again. */
  retry(): void {
    this.#failures = 0;
    void this.#settle();
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  /** The element that shows the picture has drawn its first frame. */
  noteFrame(): void {
    if (this.#firstFrameMs !== null || this.#resumedAt === null) return;
    this.#firstFrameMs = Math.round(this.#now() - this.#resumedAt);
  }

  /** False once an answer is of no use any more. */
  #current(side: ReceiveSide): boolean {
    return !this.#closed && this.#side === side;
  }

  #forget(): void {
    const consumer = this.#consumer;
    this.#consumer = null;
    this.#flowing = false;
    this.#layer = null;
    if (consumer === null) return;
    consumer.close();
    if (!this.#closed) this.#options.onTrack(null);
  }

  async #settle(): Promise<void> {
    this.#restless = true;
    if (this.#working) return;
    this.#working = true;
    try {
      // A wish may change between a step's last look and the end of the loop.
      while (!this.#closed && !this.#unsupported && this.#restless) {
        this.#restless = false;
        if (await this.#step()) this.#restless = true;
      }
    } finally {
      this.#working = false;
    }
  }

  async #step(): Promise<boolean> {
    const side = this.#side;
    if (side === null || side.transport.closed) return false;
    try {
      return await this.#move(side);
    } catch (error) {
      if (this.#closed) return false;
      if (this.#side !== side) return true;
      return await this.#failed(error);
    }
  }

  async #move(side: ReceiveSide): Promise<boolean> {
    const consumer = this.#consumer;
    const wanted = this.#wantedLayer();
    if (consumer === null) {
      if (!this.#wantFlow && !this.#wantReady) return false;
      await this.#consume(side);
    } else if (this.#wantFlow && wanted !== null && wanted !== this.#layer) {
      // Before resuming, so that the first picture already has the right size.
      this.#layer = wanted;
      await this.#options.rest.preferLayers(consumer.id, wanted);
    } else if (this.#wantFlow !== this.#flowing) {
      await this.#setFlow(consumer, this.#wantFlow);
    } else {
      return false;
    }
    return true;
  }

  async #consume(side: ReceiveSide): Promise<void> {
    const { rest, remote } = this.#options;
    const heard = this.#heard;
    const result = await rest.consume(remote.producerId, side.rtpCapabilities);
    if (!this.#current(side)) return;
    const consumer = await side.transport.consume({
      id: result.consumerId,
      producerId: result.producerId,
      kind: result.kind,
      rtpParameters: result.rtpParameters,
      // Voice and face share a stream and are kept in step; a screen must not wait for either.
      streamId: remote.source === "screen" ? `${remote.participantId}-screen` : remote.participantId,
    });
    if (!this.#current(side)) {
      consumer.close();
      return;
    }
    this.#adopt(consumer, result);
    // Events about a consumer come after its making, and may overtake the answer to it.
    if (this.#heard === heard) this.#options.onProducerPaused(result.producerPaused);
    this.#options.onTrack(consumer.track);
  }

  #adopt(consumer: types.Consumer, result: ConsumeResult): void {
    this.#consumer = consumer;
    this.#flowing = false;
    this.#failures = 0;
    this.#layers = result.type === "simple" ? 1 : spatialLayers(result.rtpParameters);
    this.#layer = this.#layers > 1 ? this.#layers - 1 : null;
  }

  #wantedLayer(): number | null {
    return this.#layers > 1 ? layerForHeight(this.#height, this.#layers) : null;
  }

  async #setFlow(consumer: types.Consumer, flow: boolean): Promise<void> {
    if (flow) {
      this.#before = await mediaCount(consumer);
      this.#resumedAt ??= this.#now();
      await this.#options.rest.resumeConsumer(consumer.id);
      if (consumer.kind === "video") void this.#watchFirstFrame(consumer);
    } else {
      await this.#options.rest.pauseConsumer(consumer.id);
    }
    if (this.#consumer === consumer) this.#flowing = flow;
  }

  /** For browsers and pages where no element reports its frames. */
  async #watchFirstFrame(consumer: types.Consumer): Promise<void> {
    const until = this.#now() + FIRST_FRAME_PATIENCE;
    while (this.#firstFrameMs === null && !consumer.closed && this.#now() < until) {
      await sleep(FIRST_FRAME_POLL);
      const stats = await consumer.getStats().catch(() => null);
      stats?.forEach((entry: { framesDecoded?: number }) => {
        if ((entry.framesDecoded ?? 0) > 0) this.noteFrame();
      });
    }
  }

  async #failed(error: unknown): Promise<boolean> {
    if (error instanceof SignallingError && error.kind === "aborted") return false;
    if (hasCode(error, "PRODUCER_NOT_FOUND")) {
      this.#options.onGone();
      return false;
    }
    if (hasCode(error, "UNSUPPORTED_CODEC") || errorName(error) === "UnsupportedError") {
      this.#unsupported = true;
      return false;
    }
    if (meansRejoin(error)) {
      this.#options.onStale(error);
      return false;
    }
    if (hasCode(error, "CONSUMER_NOT_FOUND")) this.#forget();
    this.#failures += 1;
    if (this.#failures >= MAX_FAILURES) return false;
    await sleep(RETRY_DELAY * this.#failures);
    return true;
  }
}

/** Pictures decoded, or packets of sound received. */
async function mediaCount(consumer: types.Consumer): Promise<number> {
  if (consumer.closed) return 0;
  return receivedCount(() => consumer.getStats(), consumer.kind);
}

export function sourceOf(kind: MediaKind, appData: AppData | undefined): Source {
  const source = appData?.source;
  if (kind === "audio") return "microphone";
  return source === "screen" ? "screen" : "camera";
}
