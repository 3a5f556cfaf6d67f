/**
 * One call this client is in, from the acknowledgement of starting or joining it to its end: what the gateway tells
 * goes to the roster and the media, and what both have to say goes to the gateway.
 */
import { meansOver } from "./outcomes";
import type { ViewBook } from "../media/views";
import { hasCode, SignallingError } from "../signalling/errors";
import type { IceServer, JoinDto, Signal } from "../signalling/generated";
import type { Gateway } from "../signalling/gateway-socket";
import type { Answer, GatewayEvents, GatewayRequestName, Payload } from "../signalling/gateway-wire";
import { Credentials } from "./credentials";
import type { OpenDirect } from "./direct-way";
import { MediaPlane } from "./media-plane";
import { feedOf, type SfuOpener } from "./open";
import type { OwnMedia } from "./own-media";
import type { Flags } from "./preferences";
import { presenceOf } from "./roster";
import type { OutcomeKind } from "./state";
import type { CallStore } from "./store";

export interface LiveCallOptions {
  gateway: Gateway;
  store: CallStore;
  own: OwnMedia;
  views: ViewBook;
  flags: Flags;
  openDirect: OpenDirect;
  openSfu: SfuOpener;
  callId: string;
  selfId: string;
  expiresAt: string;
  /** The call is over for this client. */
  over: (end: CallEnd) => void;
}

export interface CallEnd {
  kind: OutcomeKind;
  name?: string;
  durationSeconds?: number;
  code?: string;
}

/** How things stand, as every way into a call tells it. */
export type Standing = Pick<
  JoinDto,
  "mode" | "participants" | "iceServers" | "expiresAt" | "transition" | "mediaServerConfig"
>;

/** A gateway that is back within this is not worth a word to the user. */
const LINK_PATIENCE = 2_500;
/** Without gateway and without media: after this the call is given up. */
const LOST_PATIENCE = 90_000;
/** A signal that was one too many goes out again after this. */
const LIMITED_DELAY = 3_000;
const SIGNAL_ATTEMPTS = 4;
const REJOIN_DELAYS = [500, 1_000, 2_000, 4_000, 8_000] as const;

export class LiveCall {
  readonly callId: string;
  readonly selfId: string;
  readonly plane: MediaPlane;
  readonly #options: LiveCallOptions;
  readonly #gateway: Gateway;
  readonly #store: CallStore;
  readonly #credentials: Credentials;
  readonly #release: (() => void)[] = [];
  #linkDown = false;
  #linkTimer: ReturnType<typeof setTimeout> | undefined;
  #lostTimer: ReturnType<typeof setTimeout> | undefined;
  #rejoinTimer: ReturnType<typeof setTimeout> | undefined;
  #rejoining = false;
  #rejoinTries = 0;
  #needsNode = false;
  #closed = false;

  constructor(options: LiveCallOptions) {
    this.#options = options;
    this.#gateway = options.gateway;
    this.#store = options.store;
    this.callId = options.callId;
    this.selfId = options.selfId;
    const { feed, release } = feedOf(options.gateway, options.callId);
    this.#release.push(release);
    let iceServers: IceServer[] = [];
    this.plane = new MediaPlane({
      selfId: options.selfId,
      own: options.own,
      views: options.views,
      flags: options.flags,
      openDirect: options.openDirect,
      openSfu: options.openSfu({
        callId: options.callId,
        selfId: options.selfId,
        displayName: options.store.state().name,
        feed,
        views: options.views,
        flags: options.flags,
        iceServers: () => iceServers,
      }),
      send: (peerId, signal) => void this.#signal(peerId, signal),
      others: () => options.store.state().participants,
    });
    this.#credentials = new Credentials(options.expiresAt, async () => {
      const fresh = await this.request("call:refresh-credentials", { callId: this.callId });
      iceServers = fresh.iceServers;
      this.plane.setIceServers(fresh.iceServers);
      if (fresh.mediaToken !== undefined) this.plane.setNodeToken(fresh.mediaToken);
      return fresh.tokenExpiresAt ?? fresh.expiresAt;
    });
    this.#setIceServers = (servers) => (iceServers = servers);
    this.#listenPlane();
    this.#listenGateway();
  }

  readonly #setIceServers: (servers: IceServer[]) => void;

  /** Acts on how things stand; the roster has them already. */
  enter(standing: Standing, back: boolean): void {
    this.#setIceServers(standing.iceServers);
    this.#credentials.renewed(standing.mediaServerConfig?.tokenExpiresAt ?? standing.expiresAt);
    this.plane.enter(standing, back);
  }

  request<K extends GatewayRequestName>(name: K, payload: Payload<K>): Promise<Answer<K>> {
    return this.#gateway.request(name, payload);
  }

  /** For what is of no further interest, whether it arrives or not. */
  tell<K extends GatewayRequestName>(name: K, payload: Payload<K>): void {
    this.request(name, payload).catch(() => undefined);
  }

  handleNetworkChange(): void {
    this.plane.handleNetworkChange();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of [this.#linkTimer, this.#lostTimer, this.#rejoinTimer]) clearTimeout(timer);
    for (const release of this.#release) release();
    this.#credentials.close();
    this.plane.close();
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #over(end: CallEnd): void {
    if (!this.#closed) this.#options.over(end);
  }

  #listenPlane(): void {
    const { events } = this.plane;
    const { dispatch } = this.#store;
    const { callId, selfId: participantId } = this;
    events.on("mode", (mode) => dispatch({ type: "mode-changed", mode }));
    events.on("switching", (switching) => dispatch({ type: "switching-changed", switching }));
    events.on("sfu-path", (path) => dispatch({ type: "sfu-path-changed", path }));
    events.on("status", () => this.#publishLink());
    events.on("media", ({ id, source, carried }) =>
      dispatch({
        type: "media-track",
        id,
        source,
        track: carried?.track ?? null,
        receiver: carried?.receiver ?? null,
      }),
    );
    events.on("flow", (flow) => dispatch({ type: "media-flow", ...flow }));
    events.on(
      "acknowledge",
      ({ transitionId, success, error }) =>
        void this.#insist("call:mode-switch-ack", {
          callId,
          participantId,
          transitionId,
          success,
          error: error ?? undefined,
        }),
    );
    events.on("proof", (proof) => this.tell("call:sfu-proof", { callId, ...proof }));
    events.on("gap", (gap) =>
      this.tell("call:switch-gap", {
        callId,
        transitionId: gap.transitionId,
        remoteParticipantId: gap.remoteParticipantId,
        videoGapMs: gap.videoGapMs ?? undefined,
        videoBaselineMs: gap.videoBaselineMs ?? undefined,
        audioGapMs: gap.audioGapMs ?? undefined,
        audioBaselineMs: gap.audioBaselineMs ?? undefined,
      }),
    );
    events.on("diagnosis", (diagnosis) => this.tell("call:diagnostics", { callId, ...diagnosis }));
    events.on("connected", () => this.tell("call:connected", { callId, participantId }));
    events.on("ask-anew", () => void this.#rejoin());
    events.on("sfu-lost", () => {
      this.#needsNode = true;
      void this.#rejoin();
    });
  }

  #listenGateway(): void {
    const { dispatch } = this.#store;
    this.#on("call:participant-joined", ({ participant }) => {
      dispatch({ type: "participant-joined", participant });
      if (participant.participantId !== this.selfId) this.plane.participantJoined(participant.participantId);
    });
    this.#on("call:started", ({ startedAt }) =>
      dispatch({ type: "call-started", at: Date.parse(startedAt) }),
    );
    this.#on("call:participant-left", ({ participantId, reason }) => {
      if (participantId === this.selfId) {
        if (reason === "kicked") this.#over({ kind: "kicked" });
        else void this.#rejoin();
        return;
      }
      dispatch({ type: "participant-left", id: participantId });
      this.plane.participantLeft(participantId);
    });
    this.#on("call:participant-media-state", (event) => {
      const { participantId: id, audioEnabled, videoEnabled, screenShareEnabled, status } = event;
      if (id === this.selfId) return;
      dispatch({
        type: "media-state",
        id,
        audioOn: audioEnabled,
        videoOn: videoEnabled,
        screenOn: screenShareEnabled,
      });
      if (status !== undefined) dispatch({ type: "presence-changed", id, presence: presenceOf({ status }) });
    });
    this.#on("call:media-toggled", ({ participantId: id, mediaType, enabled }) => {
      if (id === this.selfId) return;
      const change =
        mediaType === "audio"
          ? { audioOn: enabled }
          : mediaType === "video"
            ? { videoOn: enabled }
            : { screenOn: enabled };
      dispatch({ type: "media-state", id, ...change });
    });
    this.#on("call:rejected", ({ username, reason }) => {
      const { call } = this.#store.state();
      if (call?.conversationType !== "direct") dispatch({ type: "participant-declined", name: username });
      else this.#over({ kind: reason === "busy" ? "busy" : "declined", name: username });
    });
    this.#on("call:signal", (event) => this.plane.handleSignal(event));
    this.#on("call:media-server", ({ mediaServerConfig }) => this.plane.offerNode(mediaServerConfig));
    this.#on("call:mode-switch", (event) => this.plane.order(event));
    this.#on("call:mode-switched", (event) => this.plane.decide(event));
    this.#on("call:active-speaker", ({ participantId }) =>
      dispatch({ type: "speaker-changed", id: participantId }),
    );
    this.#on("call:transcription", (event) => {
      if (event.participantId === this.selfId) return;
      dispatch({
        type: "caption-heard",
        participantId: event.participantId,
        name: event.username,
        text: event.translation ?? event.text,
        final: event.isFinal,
        at: Date.now(),
      });
    });
    this.#on("call:error", ({ code }) => {
      if (code === "KICKED") this.#over({ kind: "kicked", code });
      else if (code === "CALL_ENDED") this.#over({ kind: "ended", code });
      else if (code === "MODE_SWITCH_FAILED") this.#over({ kind: "failed", code });
    });
    this.#release.push(
      this.#gateway.events.on("link", (link) => {
        if (link === "interrupted") this.#linkLost();
        else if (link === "ready") void this.#rejoin();
        else if (link === "refused") this.#over({ kind: "lost", code: "UNAUTHORIZED" });
      }),
    );
  }

  /** Events of other calls, or of the conversation, are no business of this one. */
  #on<K extends keyof GatewayEvents>(name: K, listener: (event: GatewayEvents[K]) => void): void {
    this.#release.push(
      this.#gateway.events.on(name, (event: GatewayEvents[K]) => {
        const about = (event as { callId?: string }).callId;
        if (!this.#closed && (about === undefined || about === this.callId)) listener(event);
      }),
    );
  }

  #linkLost(): void {
    clearTimeout(this.#linkTimer);
    this.#linkTimer = setTimeout(() => {
      this.#linkDown = true;
      this.#publishLink();
    }, LINK_PATIENCE);
  }

  #publishLink(): void {
    const media = this.plane.status;
    const link = media === "connected" && this.#linkDown ? "reconnecting" : media;
    this.#store.dispatch({ type: "link-changed", link });
    const hopeless = media !== "connected" && (this.#linkDown || this.#needsNode);
    if (!hopeless) {
      clearTimeout(this.#lostTimer);
      this.#lostTimer = undefined;
    } else {
      this.#lostTimer ??= setTimeout(() => this.#over({ kind: "lost" }), LOST_PATIENCE);
    }
  }

  /** Asks how things stand and falls in with it; what still works is left as it is. */
  async #rejoin(): Promise<void> {
    clearTimeout(this.#linkTimer);
    if (this.#rejoining || this.#closed) return;
    this.#rejoining = true;
    clearTimeout(this.#rejoinTimer);
    try {
      const dto = await this.#askAnew();
      if (this.#isClosed()) return;
      this.#rejoinTries = 0;
      this.#linkDown = false;
      this.#takeStanding(dto);
    } catch (error) {
      this.#rejoinFailed(error);
    } finally {
      this.#rejoining = false;
    }
    this.#publishLink();
  }

  async #askAnew(): Promise<JoinDto> {
    const { callId, selfId: participantId } = this;
    try {
      return await this.request("call:rejoin", { callId, participantId });
    } catch (error) {
      if (!hasCode(error, "PARTICIPANT_NOT_FOUND")) throw error;
      // The seat is gone, the call may not be. Coming in anew gives the same seat back.
      const { microphone, camera } = this.#store.state().local;
      return this.request("call:join", { callId, audioEnabled: microphone.on, videoEnabled: camera.on });
    }
  }

  #takeStanding(dto: JoinDto): void {
    const { dispatch } = this.#store;
    dispatch({ type: "participants-synced", participants: dto.participants });
    if (dto.startedAt !== undefined) dispatch({ type: "call-started", at: Date.parse(dto.startedAt) });
    if (dto.participantId !== this.selfId) {
      // Another seat than before: nothing of this one holds any more.
      this.#over({ kind: "lost" });
      return;
    }
    this.enter(dto, true);
    if (this.#needsNode && dto.mediaServerConfig !== undefined) this.plane.renewNode(dto.mediaServerConfig);
    this.#needsNode = false;
    this.tellMedia();
  }

  #rejoinFailed(error: unknown): void {
    if (this.#closed) return;
    const end = meansOver(error);
    if (end !== null) {
      this.#over(end);
      return;
    }
    const delay = REJOIN_DELAYS[Math.min(this.#rejoinTries, REJOIN_DELAYS.length - 1)];
    this.#rejoinTries += 1;
    // Without the link the next one asks; with it, waiting is all there is.
    if (this.#gateway.link === "ready") this.#rejoinTimer = setTimeout(() => void this.#rejoin(), delay);
  }

  /** What one sends now, all at once. */
  tellMedia(): void {
    const { microphone, camera, screen } = this.#store.state().local;
    this.tell("call:media-state-change", {
      callId: this.callId,
      participantId: this.selfId,
      audioEnabled: microphone.on,
      videoEnabled: camera.on,
      screenShareEnabled: screen.on && screen.track !== null,
    });
  }

  async #signal(targetParticipantId: string, signal: Signal): Promise<void> {
    for (let attempt = 1; !this.#closed; attempt += 1) {
      try {
        await this.request("call:signal", { callId: this.callId, targetParticipantId, signal });
        return;
      } catch (error) {
        if (!hasCode(error, "RATE_LIMIT_EXCEEDED") || attempt >= SIGNAL_ATTEMPTS) return;
        const wait = error instanceof SignallingError ? (error.retryAfter ?? LIMITED_DELAY) : LIMITED_DELAY;
        await new Promise((resolve) => setTimeout(resolve, Math.min(wait, LIMITED_DELAY)));
      }
    }
  }

  /** The gateway waits for it: sent again when it got lost, refused only if it is of no use any more. */
  async #insist<K extends GatewayRequestName>(name: K, payload: Payload<K>): Promise<void> {
    for (let attempt = 1; attempt <= 3 && !this.#closed; attempt += 1) {
      try {
        await this.request(name, payload);
        return;
      } catch (error) {
        if (error instanceof SignallingError && error.kind === "api") return;
      }
    }
  }
}
