/**
 * One thing this participant sends (microphone, camera, screen), brought in line with what is wanted.
 *
 * The wish may change while the node is still answering; the slot works until the producer matches the latest
 * wish, and starts over when the transport below it is replaced.
 */
import type { types } from "mediasoup-client";
import { hasCode, SignallingError } from "../signalling/errors";
import { sleep } from "../signalling/http";
import type { NodeRest } from "../signalling/rest";
import type { Source } from "../signalling/wire";

export interface ProducerWish {
  track: MediaStreamTrack | null;
  paused: boolean;
  /** The producer exists, but not a packet is sent: the way is kept ready while the call takes another one. */
  idle: boolean;
}

export interface ProducerSlotOptions {
  source: Source;
  displayName: string;
  rest: NodeRest;
  plan: (track: MediaStreamTrack) => Pick<types.ProducerOptions, "codec" | "encodings" | "codecOptions">;
  /** Something only a new transport or a new join can mend. */
  onStale: (error: unknown) => void;
}

const RETRY_DELAY = 1_000;
const MAX_FAILURES = 5;

export class ProducerSlot {
  readonly source: Source;
  readonly #options: ProducerSlotOptions;
  #transport: types.Transport | null = null;
  #producer: types.Producer | null = null;
  /** What the node believes about the producer. */
  #pausedAtNode = false;
  #wish: ProducerWish = { track: null, paused: false, idle: false };
  /** The sender carries no track. */
  #silent = false;
  #working = false;
  /** Something may be left to do. */
  #restless = false;
  #closed = false;
  #failures = 0;
  /** The node has refused the planned layers: send as the browser likes instead. */
  #plain = false;

  constructor(options: ProducerSlotOptions) {
    this.source = options.source;
    this.#options = options;
  }

  get producer(): types.Producer | null {
    return this.#producer;
  }

  /** Everything wanted is with the node: nothing to send, or sent and not held back. */
  get flowing(): boolean {
    const { track, paused, idle } = this.#wish;
    if (track === null || paused) return true;
    return this.#producer !== null && !idle && !this.#silent && !this.#pausedAtNode;
  }

  /** Notes and returns whether the node is to create the producer paused. Called while it is being created. */
  beginPaused(): boolean {
    this.#pausedAtNode = this.#wish.paused || this.#wish.idle;
    return this.#pausedAtNode;
  }

  want(wish: Partial<ProducerWish>): void {
    // The gateway pauses and resumes producers by itself when somebody mutes: what is believed may be out of date.
    if (wish.idle === false && this.#wish.idle) this.#pausedAtNode = true;
    this.#wish = { ...this.#wish, ...wish };
    this.#failures = 0;
    void this.#settle();
  }

  /** A new transport below: the producer of the old one is gone, at the node as well. */
  setTransport(transport: types.Transport | null): void {
    this.#transport = transport;
    this.#producer = null;
    this.#failures = 0;
    void this.#settle();
  }

  close(): void {
    this.#closed = true;
    this.#producer?.close();
    this.#producer = null;
  }

  async #settle(): Promise<void> {
    this.#restless = true;
    if (this.#working) return;
    this.#working = true;
    try {
      // A wish may change between a step's last look and the end of the loop.
      while (!this.#closed && this.#restless) {
        this.#restless = false;
        if (await this.#step()) this.#restless = true;
      }
    } finally {
      this.#working = false;
    }
  }

  /** One move towards the wish; false when there is nothing left to do for now. */
  async #step(): Promise<boolean> {
    const transport = this.#transport;
    if (transport === null || transport.closed) return false;
    try {
      return await this.#move(transport);
    } catch (error) {
      // What failed because the transport went away is done again on the next one.
      if (this.#closed) return false;
      if (this.#transport !== transport) return true;
      return await this.#failed(error);
    }
  }

  async #move(transport: types.Transport): Promise<boolean> {
    const wish = this.#wish;
    const track = wish.track?.readyState === "live" ? wish.track : null;
    const producer = this.#producer;
    if (producer === null) {
      if (track === null) return false;
      await this.#produce(transport, track);
    } else if (track === null) {
      this.#producer = null;
      producer.close();
      await this.#options.rest.closeProducer(producer.id);
    } else if (wish.idle && !this.#silent) {
      await this.#silence(producer);
    } else if (this.#pausedAtNode !== (wish.paused || wish.idle)) {
      // Before the first packet: the key frame the sender begins with is to be passed on.
      await this.#setPaused(producer, wish.paused || wish.idle);
    } else if (!wish.idle && (this.#silent || producer.track !== track)) {
      await this.#carry(producer, track);
    } else {
      return false;
    }
    return true;
  }

  async #silence(producer: types.Producer): Promise<void> {
    await producer.rtpSender?.replaceTrack(null);
    this.#silent = true;
  }

  async #carry(producer: types.Producer, track: MediaStreamTrack): Promise<void> {
    if (producer.track !== track) await producer.replaceTrack({ track });
    else await producer.rtpSender?.replaceTrack(track);
    this.#silent = false;
  }

  async #produce(transport: types.Transport, track: MediaStreamTrack): Promise<void> {
    const { source, displayName, plan, rest } = this.#options;
    const options: types.ProducerOptions = {
      track,
      // Tracks belong to whoever opened them; a direct connection may be sending the same ones.
      stopTracks: false,
      disableTrackOnPause: false,
      // Before anything is negotiated, so that not even one packet leaves.
      onRtpSender: (sender) => {
        this.#silent = this.#wish.idle;
        if (this.#silent) void sender.replaceTrack(null).catch(() => undefined);
      },
      appData: { source, displayName },
      ...(this.#plain ? {} : plan(track)),
    };
    try {
      this.#adopt(await transport.produce(options), transport);
    } catch (error) {
      if (!hasCode(error, "PRODUCER_ALREADY_EXISTS")) throw error;
      // An answer got lost: the node has a producer of ours that this side never learnt of.
      await this.#closeStray(rest);
      this.#adopt(await transport.produce(options), transport);
    }
  }

  #adopt(producer: types.Producer, transport: types.Transport): void {
    if (this.#closed || this.#transport !== transport) {
      producer.close();
      return;
    }
    this.#producer = producer;
    this.#failures = 0;
  }

  async #closeStray(rest: NodeRest): Promise<void> {
    const room = await rest.room();
    const strays = room.producers.filter(
      (summary) => summary.participantId === rest.participantId && summary.appData.source === this.source,
    );
    await Promise.all(strays.map((summary) => rest.closeProducer(summary.producerId)));
  }

  async #setPaused(producer: types.Producer, paused: boolean): Promise<void> {
    if (paused) await this.#options.rest.pauseProducer(producer.id);
    else await this.#options.rest.resumeProducer(producer.id);
    this.#pausedAtNode = paused;
  }

  async #failed(error: unknown): Promise<boolean> {
    if (error instanceof SignallingError && error.kind === "aborted") return false;
    if (hasCode(error, "ROOM_NOT_FOUND", "UNAUTHORIZED", "TRANSPORT_NOT_FOUND", "PRODUCER_NOT_FOUND")) {
      this.#options.onStale(error);
      return false;
    }
    if (hasCode(error, "INVALID_RTP_PARAMETERS")) {
      // Asking the same again would be refused again.
      const retry = !this.#plain;
      this.#plain = true;
      return retry;
    }
    this.#failures += 1;
    if (this.#failures >= MAX_FAILURES) {
      this.#options.onStale(error);
      return false;
    }
    await sleep(RETRY_DELAY * this.#failures);
    return true;
  }
}
