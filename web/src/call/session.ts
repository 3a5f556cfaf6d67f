/**
 * Starts, joins and leaves calls, and carries out what the reducer asks for. Holds what is not data: capture slots,
 * the call one is in, timers. Knows no React.
 */
import { CaptionMaker, findRecogniser, type Heard } from "./captions";
import {
  canShareScreen,
  listDevices,
  onDeviceChange,
  onPermissionChange,
  openCamera,
  openMicrophone,
  openScreen,
} from "../media/devices";
import type { SwitchGapReport } from "../media/gap-meter";
import { LevelBoard, receiverLevel, trackLevel } from "../media/levels";
import { type OpenTrack, TrackSlot } from "../media/slot";
import { SoundTap } from "../media/sound-tap";
import { ViewBook } from "../media/views";
import type { Sound } from "../media/voice";
import { warmUp } from "../media/warm-up";
import { SignallingError } from "../signalling/errors";
import type { CallType, Initiated, JoinDto } from "../signalling/generated";
import type { Rest } from "../signalling/gateway-rest";
import type { Gateway } from "../signalling/gateway-socket";
import type { Effect, Entry } from "./actions";
import { type CallStats, callStats } from "./call-stats";
import type { OpenDirect } from "./direct-way";
import { type CallEnd, LiveCall } from "./live-call";
import { openDirect, type SfuOpener, sfuOpener } from "./open";
import { endOf, endOfLeaving, refusalOf } from "./outcomes";
import { OwnMedia } from "./own-media";
import { type Flags, pageStorage, remember } from "./preferences";
import { QualityWatch } from "./quality-watch";
import type { Advice, CallPlace, Capture } from "./state";
import type { CallStore } from "./store";

/** What the session reaches out to; tests bring their own. */
export interface Outside {
  openMicrophone: OpenTrack;
  openCamera: OpenTrack;
  openScreen: OpenTrack;
  openDirect: OpenDirect;
  openSfu: SfuOpener;
}

/**
 * Whoever joins a group waits for camera and microphone first, but not longer than this: the others' call may change
 * its mode for the newcomer, and should not have to wait for a device or a prompt.
 */
const DEVICE_PATIENCE = 5_000;
/** Captions stay this long after the last word. */
const CAPTION_STAY = 8_000;
/** A timer this much late means that the machine slept. */
const SLEPT = 8_000;
const WATCH_CLOCK = 2_000;
/** With more people the sound of each is not tapped; there is no switch to measure then either. */
const TAPPED = 4;
const GAPS_KEPT = 500;

export class CallSession {
  readonly views = new ViewBook();
  readonly levels = new LevelBoard();
  /** What every switch so far did to picture and sound here. */
  readonly gaps: SwitchGapReport[] = [];
  readonly #store: CallStore;
  #flags: Flags;
  readonly #outside: Outside;
  readonly #own = new OwnMedia();
  readonly #slots: Record<Capture, TrackSlot>;
  readonly #taps = new Map<string, SoundTap>();
  readonly #captions: CaptionMaker | null;
  #gateway: Gateway | null = null;
  #rest: Pick<Rest, "leaveCall"> | null = null;
  #live: LiveCall | null = null;
  #quality: QualityWatch | null = null;
  #stopListening: (() => void) | null = null;
  /** Counts calls, so that a late answer of one given up is recognised. */
  #attempt = 0;
  #closeMeter: (() => void) | null = null;
  /** Once put away, the same advice is not given again until it was of no use in between. */
  #advised: Advice | null = null;

  constructor(store: CallStore, flags: Flags, replaced: Partial<Outside> = {}) {
    this.#store = store;
    this.#flags = flags;
    this.#outside = { openMicrophone, openCamera, openScreen, openDirect, openSfu: sfuOpener, ...replaced };
    this.#slots = {
      microphone: new TrackSlot(this.#outside.openMicrophone),
      camera: new TrackSlot(this.#outside.openCamera),
      screen: new TrackSlot(this.#outside.openScreen),
    };
    const { chosen } = store.state();
    void this.#slots.microphone.choose(chosen.microphone);
    void this.#slots.camera.choose(chosen.camera);
    for (const capture of ["microphone", "camera", "screen"] as const) this.#follow(capture);
    this.#captions = this.#makeCaptions();
    store.perform((effect) => this.#perform(effect));
    this.#watchMachine();
  }

  /** This machine could. Whether the user may is in the state. */
  get canShareScreen(): boolean {
    return canShareScreen();
  }

  /** Speak through this gateway from now on; null after logging out. */
  attach(gateway: Gateway | null, rest: Pick<Rest, "leaveCall">): void {
    if (gateway === this.#gateway) return;
    if (this.#live !== null) this.leave();
    this.#stopListening?.();
    this.#stopListening = null;
    this.#gateway = gateway;
    this.#rest = rest;
    if (gateway === null) return;
    this.#stopListening = this.#listen(gateway);
    warmUp();
  }

  /** From the next call on: no connection but through a TURN server. */
  requireRelay(): void {
    this.#flags = { ...this.#flags, relay: true };
  }

  start(place: CallPlace, type: CallType): void {
    this.#begin("calling", place, type, "");
    void this.#enter(async (gateway) => {
      const { microphone, camera } = this.#store.state().local;
      try {
        const answer = await gateway.request("call:initiate", {
          conversationId: place.conversationId,
          type,
          settings: { audioEnabled: microphone.on, videoEnabled: camera.on },
        });
        return () => this.#initiated(gateway, answer);
      } catch (error) {
        // Somebody else was quicker: theirs is the call.
        const live = error instanceof SignallingError ? activeCallOf(error) : null;
        if (live === null) throw error;
        return this.#joinStep(gateway, live);
      }
    });
  }

  join(place: CallPlace, callId: string, type: CallType = "video"): void {
    this.#begin("joining", place, type, callId);
    void this.#enter(async (gateway) => {
      const attempt = this.#attempt;
      if (place.conversationType === "group") await this.#devicesSettled();
      // Given up meanwhile: nobody needs to hear of it.
      return attempt === this.#attempt ? this.#joinStep(gateway, callId) : () => undefined;
    });
  }

  /** Resolves when the devices asked for are open or have failed; a prompt nobody answers does not hold it up. */
  async #devicesSettled(): Promise<void> {
    const opened = (["microphone", "camera"] as const)
      .filter((capture) => this.#slots[capture].wanted)
      .map((capture) => this.#slots[capture].want(true));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, DEVICE_PATIENCE)));
    await Promise.race([Promise.all(opened), patience]);
    clearTimeout(timer);
  }

  leave(): void {
    const state = this.#store.state();
    const callId = this.#live?.callId ?? state.call?.callId ?? "";
    if (callId !== "") this.#gateway?.request("call:leave", { callId }).catch(() => undefined);
    this.#over(endOfLeaving(state, Date.now()));
  }

  /** For everybody. */
  end(): void {
    const callId = this.#live?.callId;
    if (callId !== undefined) this.#gateway?.request("call:end", { callId }).catch(() => undefined);
  }

  kick(participantId: string): void {
    const callId = this.#live?.callId;
    if (callId !== undefined)
      this.#gateway?.request("call:kick", { callId, participantId }).catch(() => undefined);
  }

  async stats(): Promise<CallStats> {
    return callStats(this.#live?.plane ?? null, this.#store.state().participants);
  }

  /** A picture was presented. */
  noteFrame(key: string, at: number): void {
    const plane = this.#live?.plane;
    if (plane === undefined) return;
    plane.node?.sfu.noteFrame(key);
    const [id, source] = key.split(":");
    if (id !== undefined && source === "camera") plane.meter.notePicture(id, at);
  }

  /** This is what is heard of somebody from now on. */
  noteVoice(id: string, { track }: Sound): void {
    const plane = this.#live?.plane;
    if (plane === undefined || (this.#taps.size >= TAPPED && !this.#taps.has(id))) return;
    const tap = this.#taps.get(id) ?? new SoundTap((heard) => this.#heard(id, heard));
    this.#taps.set(id, tap);
    tap.listen(track);
  }

  #heard(id: string, heard: { from: number; to: number; silences: { from: number; to: number }[] }): void {
    this.#live?.plane.meter.noteSound(id, heard.from, heard.to, heard.silences);
  }

  #begin(phase: "calling" | "joining", place: CallPlace, callType: CallType, callId: string): void {
    if (this.#live !== null) this.leave();
    const mayShareScreen = place.mayShareScreen && canShareScreen();
    this.#store.dispatch({
      type: "call-begun",
      phase,
      place: { ...place, mayShareScreen },
      callType,
      callId,
    });
  }

  /** One attempt: the gateway is asked, and what it answers carried out unless the user has given up meanwhile. */
  async #enter(ask: (gateway: Gateway) => Promise<() => void>): Promise<void> {
    const attempt = ++this.#attempt;
    const gateway = this.#gateway;
    try {
      if (gateway === null) throw new SignallingError("network", "not connected");
      const carryOut = await ask(gateway);
      if (attempt === this.#attempt) carryOut();
    } catch (error) {
      if (attempt === this.#attempt) this.#over(refusalOf(error));
    }
  }

  async #joinStep(gateway: Gateway, callId: string): Promise<() => void> {
    const { microphone, camera } = this.#store.state().local;
    const request = { callId, audioEnabled: microphone.on, videoEnabled: camera.on };
    const attempt = this.#attempt;
    const dto = await gateway.request("call:join", request);
    // Given up while the gateway was thinking: it does not know that yet.
    if (attempt !== this.#attempt) gateway.request("call:leave", { callId }).catch(() => undefined);
    return () => this.#joined(gateway, dto);
  }

  #initiated(gateway: Gateway, { call, ...answer }: Initiated): void {
    this.#dispatchEntry({
      callId: answer.callId,
      selfId: answer.participantId,
      type: call.type,
      mode: answer.mode,
      initiatorId: call.initiator.userId,
      startedAt: call.startedAt === undefined ? null : Date.parse(call.startedAt),
      participants: call.participants,
    });
    const live = this.#open(gateway, answer.callId, answer.participantId, answer.expiresAt);
    const { mode, iceServers, expiresAt } = answer;
    live.enter({ mode, iceServers, expiresAt, participants: call.participants }, false);
    live.tellMedia();
  }

  #joined(gateway: Gateway, dto: JoinDto): void {
    const initiator = dto.participants.find(({ role }) => role === "initiator");
    this.#dispatchEntry({
      callId: dto.callId,
      selfId: dto.participantId,
      type: dto.type,
      mode: dto.transition?.newMode === "sfu" ? "sfu" : dto.mode,
      initiatorId: initiator?.userId ?? null,
      startedAt: dto.startedAt === undefined ? null : Date.parse(dto.startedAt),
      participants: dto.participants,
    });
    const live = this.#open(gateway, dto.callId, dto.participantId, dto.expiresAt);
    live.enter(dto, false);
    // Devices may have failed while the gateway was asked.
    live.tellMedia();
  }

  #dispatchEntry(entry: Entry): void {
    this.#store.dispatch({ type: "call-entered", entry });
  }

  #open(gateway: Gateway, callId: string, selfId: string, expiresAt: string): LiveCall {
    this.#closeLive();
    const live = new LiveCall({
      gateway,
      store: this.#store,
      own: this.#own,
      views: this.views,
      flags: this.#flags,
      openDirect: this.#outside.openDirect,
      openSfu: this.#outside.openSfu,
      callId,
      selfId,
      expiresAt,
      over: (end) => this.#over(end),
    });
    this.#live = live;
    live.plane.events.on("media", ({ id, source, carried }) => {
      if (source !== "microphone") return;
      const receiver = carried?.receiver ?? null;
      this.levels.setSource(id, receiver === null ? null : receiverLevel(receiver));
    });
    live.plane.events.on("gap", (gap) => {
      this.gaps.push(gap);
      if (this.gaps.length > GAPS_KEPT) this.gaps.shift();
    });
    this.#quality = this.#watchQuality(live);
    return live;
  }

  #watchQuality(live: LiveCall): QualityWatch {
    const { dispatch, state } = this.#store;
    return new QualityWatch({
      receivers: () =>
        new Map(
          state().participants.map(({ id, media }) => [
            id,
            Object.values(media).flatMap(({ receiver }) => (receiver === null ? [] : [receiver])),
          ]),
        ),
      bytesSent: async () => (await this.stats()).bytesSent,
      measured: (own, remote) => dispatch({ type: "quality-measured", own, remote }),
      judged: ({ advice, force }) => {
        const { sfuPath, call, audioOnly } = state();
        if (force && !audioOnly) dispatch({ type: "audio-only-toggled" });
        const unreachable = sfuPath === "failed" && call?.conversationType === "group";
        const shown = advice ?? (unreachable ? "sfu-unreachable" : null);
        if (!audioOnly || shown !== "audio-only") this.#advise(shown);
      },
      report: (report) =>
        live.tell("call:quality-report", { ...report, callId: live.callId, participantId: live.selfId }),
    });
  }

  #advise(advice: Advice | null): void {
    if (advice === this.#advised) return;
    this.#advised = advice;
    this.#store.dispatch({ type: "advised", advice });
  }

  #listen({ events }: Gateway): () => void {
    // Also of a call that is not entered yet.
    return events.on("call:ended", (ended) => {
      const { call, phase } = this.#store.state();
      if (call?.callId === ended.callId && phase !== "idle" && phase !== "ended")
        this.#over(endOf(ended, phase));
    });
  }

  #over(end: CallEnd): void {
    this.#attempt += 1;
    const { call, phase } = this.#store.state();
    this.#closeLive();
    if (phase === "idle" || phase === "ended") return;
    this.#captions?.want(false);
    this.#store.dispatch({
      type: "call-over",
      outcome: {
        kind: end.kind,
        name: end.name ?? call?.title ?? "",
        durationSeconds: end.durationSeconds ?? null,
        code: end.code ?? null,
      },
    });
  }

  #closeLive(): void {
    this.#live?.close();
    this.#live = null;
    this.#quality?.close();
    this.#quality = null;
    this.#advised = null;
    this.#own.setReceiveVideo(true);
    for (const tap of this.#taps.values()) tap.close();
    this.#taps.clear();
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "open":
        void this.#slots[effect.capture].want(true);
        break;
      case "close":
        void this.#slots[effect.capture].want(false);
        break;
      case "choose":
        if (effect.kind !== "speaker") void this.#slots[effect.kind].choose(effect.deviceId);
        break;
      case "set-muted":
        this.#own.setMuted(effect.muted);
        this.#listenToSelf();
        break;
      case "tell-media":
        this.#live?.tellMedia();
        break;
      case "set-audio-only":
        this.#own.setReceiveVideo(!effect.on);
        break;
      case "set-captions":
        this.#listenToSelf();
        break;
      case "retry-switch":
        if (this.#live !== null) this.#live.tell("call:retry-switch", { callId: this.#live.callId });
        break;
      case "remember":
        remember(pageStorage(), this.#store.state());
        break;
      case "later":
        setTimeout(() => this.#store.dispatch(effect.action), effect.milliseconds);
        break;
    }
  }

  #follow(capture: Capture): void {
    const slot = this.#slots[capture];
    slot.events.on("track", (track) => {
      this.#own.setTrack(capture, track);
      this.#store.dispatch({ type: "local-track", capture, track });
      if (capture === "microphone") this.#meter(track);
      // Names of devices appear with the first permission.
      if (track !== null) void this.#listDevices();
    });
    slot.events.on("trouble", (trouble) => this.#store.dispatch({ type: "local-trouble", capture, trouble }));
  }

  #meter(track: MediaStreamTrack | null): void {
    this.#closeMeter?.();
    this.#closeMeter = null;
    this.levels.setSource("local", null);
    if (track === null) return;
    const meter = trackLevel(track);
    this.#closeMeter = meter.close;
    this.levels.setSource("local", () => (this.#own.muted ? 0 : meter.read()));
  }

  #makeCaptions(): CaptionMaker | null {
    const make = findRecogniser();
    this.#store.dispatch({ type: "captions-available", available: make !== null });
    if (make === null) return null;
    return new CaptionMaker({
      make,
      language: () => navigator.language,
      onHeard: (heard) => this.#caption(heard),
      onUnavailable: () => this.#store.dispatch({ type: "captions-available", available: false }),
    });
  }

  #listenToSelf(): void {
    const { captions, local, phase } = this.#store.state();
    this.#captions?.want(captions.on && local.microphone.on && phase === "in-call");
  }

  #caption({ text, final, confidence }: Heard): void {
    const live = this.#live;
    if (live === null) return;
    const { callId, selfId } = live;
    const at = Date.now();
    const { dispatch, state } = this.#store;
    dispatch({ type: "caption-heard", participantId: selfId, name: state().name, text, final, at });
    live.tell("call:transcription", {
      callId,
      participantId: selfId,
      text,
      language: navigator.language.slice(0, 2).toLowerCase(),
      timestamp: new Date(at).toISOString(),
      isFinal: final,
      confidenceScore: confidence ?? undefined,
    });
  }

  #watchMachine(): void {
    void this.#listDevices();
    onDeviceChange(() => void this.#listDevices());
    for (const capture of ["microphone", "camera"] as const) {
      void onPermissionChange(capture, (permission) => {
        const { trouble } = this.#store.state().local[capture];
        // Granted in the browser's settings: no reload, no further click.
        if (permission === "granted" && trouble === "denied") {
          this.#store.dispatch({ type: "capture-retried", capture });
        }
      });
    }
    globalThis.addEventListener("pagehide", () => this.#farewell());
    globalThis.addEventListener("online", () => this.#live?.handleNetworkChange());
    globalThis.document.addEventListener("visibilitychange", () =>
      this.#live?.plane.meter.breakAllPictures(performance.now()),
    );
    this.#watchClock();
  }

  /** Wakes up with the machine, and sweeps captions away. */
  #watchClock(): void {
    let last = Date.now();
    setInterval(() => {
      const now = Date.now();
      if (now - last > SLEPT) this.#live?.handleNetworkChange();
      last = now;
      this.#store.dispatch({ type: "captions-expired", before: now - CAPTION_STAY });
    }, WATCH_CLOCK);
  }

  /** The page goes away: the others see it at once, instead of waiting for somebody who does not come back. */
  #farewell(): void {
    const callId = this.#live?.callId;
    if (callId === undefined) return;
    void this.#rest?.leaveCall(callId);
    this.leave();
  }

  async #listDevices(): Promise<void> {
    this.#store.dispatch({ type: "devices-listed", devices: await listDevices() });
  }
}

/** The call that was in the way, as the refusal names it. */
function activeCallOf(error: SignallingError): string | null {
  if (error.code !== "CALL_ALREADY_ACTIVE") return null;
  return error.about.callId ?? null;
}
