/**
 * Carries out what the reducer asks for, and tells it what happens outside: devices, lobby, node, other people.
 *
 * Holds the things that are not data (capture slots, connection, timers). Knows no React.
 */
import {
  canShareScreen,
  listDevices,
  onDeviceChange,
  onPermissionChange,
  openCamera,
} from "../media/devices";
import { openMicrophone, openScreen } from "../media/devices";
import { LevelBoard, receiverLevel, trackLevel } from "../media/levels";
import { type OpenTrack, TrackSlot } from "../media/slot";
import type { SfuStats } from "../media/stats";
import { ViewBook } from "../media/views";
import { errorName } from "../error-name";
import { hasCode, SignallingError } from "../signalling/errors";
import { sleep } from "../signalling/http";
import { LobbyClient } from "../signalling/lobby";
import type { Effect } from "./actions";
import { type Connection, connectionOpener, type OpenConnection } from "./connection";
import { type Flags, pageStorage, remember } from "./preferences";
import type { Capture, JoinProblem } from "./state";
import type { CallStore } from "./store";

interface Destination {
  room: string;
  name: string;
}

/** How long joining anew is tried before the call is given up. */
const REJOIN_PATIENCE = 90_000;
/** How long an automatic join waits for camera and microphone. */
const DEVICE_PATIENCE = 5_000;
const REJOIN_FIRST_DELAY = 500;
const REJOIN_MAX_DELAY = 8_000;
const NO_STATS: SfuStats = { transports: [], producers: [], consumers: [] };

/** What the session reaches out to; tests bring their own. */
export interface Outside {
  lobby: Pick<LobbyClient, "join">;
  open: OpenConnection;
  openMicrophone: OpenTrack;
  openCamera: OpenTrack;
  openScreen: OpenTrack;
}

export class CallSession {
  readonly views = new ViewBook();
  readonly levels = new LevelBoard();
  readonly #store: CallStore;
  readonly #lobby: Pick<LobbyClient, "join">;
  readonly #open: OpenConnection;
  readonly #slots: Record<Capture, TrackSlot>;
  #muted = false;
  #joined: Connection | null = null;
  /** Counts attempts, so that a late answer of an abandoned one is recognised. */
  #attempt = 0;
  #lostSince: number | null = null;
  #closeMeter: (() => void) | null = null;

  constructor(store: CallStore, flags: Flags, replaced: Partial<Outside> = {}) {
    const lobby = new LobbyClient();
    this.#store = store;
    this.#lobby = replaced.lobby ?? lobby;
    this.#open = replaced.open ?? connectionOpener(lobby, this.views, flags);
    this.#slots = {
      microphone: new TrackSlot(replaced.openMicrophone ?? openMicrophone),
      camera: new TrackSlot(replaced.openCamera ?? openCamera),
      screen: new TrackSlot(replaced.openScreen ?? openScreen),
    };
    const { chosen } = store.state();
    void this.#slots.microphone.choose(chosen.microphone);
    void this.#slots.camera.choose(chosen.camera);
    for (const capture of ["microphone", "camera", "screen"] as const) this.#follow(capture);
    store.perform((effect) => this.#perform(effect));
    this.#watchMachine();
  }

  get canShareScreen(): boolean {
    return canShareScreen();
  }

  /** Resolves when the devices asked for are open or have failed; a prompt nobody answers does not hold it up. */
  async devicesSettled(): Promise<void> {
    const opened = (["microphone", "camera"] as const)
      .filter((capture) => this.#slots[capture].wanted)
      .map((capture) => this.#slots[capture].want(true));
    await Promise.race([Promise.all(opened), sleep(DEVICE_PATIENCE)]);
  }

  async stats(): Promise<SfuStats> {
    return (await this.#joined?.sfu.stats()) ?? NO_STATS;
  }

  noteFrame(producerId: string): void {
    this.#joined?.sfu.noteFrame(producerId);
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
        this.#muted = effect.muted;
        this.#joined?.sfu.setMuted(effect.muted);
        break;
      case "join":
        void this.#join(effect);
        break;
      case "leave":
        this.#end("self");
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
      this.#store.dispatch({ type: "local-track", capture, track });
      this.#send(capture, track);
      if (capture === "microphone") this.#meter(track);
      // Names of devices appear with the first permission.
      if (track !== null) void this.#listDevices();
    });
    slot.events.on("trouble", (trouble) => this.#store.dispatch({ type: "local-trouble", capture, trouble }));
  }

  #send(capture: Capture, track: MediaStreamTrack | null): void {
    const sfu = this.#joined?.sfu;
    if (capture === "microphone") sfu?.setMicrophone(track);
    else if (capture === "camera") sfu?.setCamera(track);
    else sfu?.setScreen(track);
  }

  #meter(track: MediaStreamTrack | null): void {
    this.#closeMeter?.();
    this.#closeMeter = null;
    this.levels.setSource("local", null);
    if (track === null) return;
    const meter = trackLevel(track);
    this.#closeMeter = meter.close;
    this.levels.setSource("local", () => (this.#muted ? 0 : meter.read()));
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
    globalThis.addEventListener("pagehide", () => {
      if (this.#store.state().phase === "in-call") this.#end("self");
    });
  }

  async #listDevices(): Promise<void> {
    this.#store.dispatch({ type: "devices-listed", devices: await listDevices() });
  }

  async #join(destination: Destination): Promise<void> {
    const attempt = ++this.#attempt;
    try {
      await this.#connect(destination, attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#drop();
      this.#store.dispatch({ type: "join-failed", problem: problemOf(error) });
    }
  }

  /** One attempt: ticket, connection, media. */
  async #connect(destination: Destination, attempt: number): Promise<void> {
    const ticket = await this.#lobby.join(destination.room, destination.name);
    if (attempt !== this.#attempt) return;
    const joined = this.#open(ticket, destination.name);
    this.#joined = joined;
    this.#listen(joined, destination);
    this.#startSending(joined.sfu);
    await joined.sfu.join();
    if (attempt !== this.#attempt) return;
    this.#store.dispatch({ type: "joined", selfId: ticket.participantId, at: Date.now() });
  }

  #startSending(sfu: Connection["sfu"]): void {
    sfu.setMuted(this.#muted);
    sfu.setMicrophone(this.#slots.microphone.track);
    sfu.setCamera(this.#slots.camera.track);
    sfu.setScreen(this.#slots.screen.track);
  }

  #listen({ sfu }: Connection, destination: Destination): void {
    const { dispatch } = this.#store;
    sfu.events.on("status", (link) => {
      if (link === "connected") this.#lostSince = null;
      dispatch({ type: "link-changed", link });
    });
    sfu.events.on("media-added", (media) => dispatch({ type: "media-added", media }));
    sfu.events.on("media-track", ({ remote, track, receiver }) => {
      if (remote.source === "microphone") {
        const source = receiver === null ? null : receiverLevel(receiver);
        this.levels.setSource(remote.participantId, source);
      }
      dispatch({ type: "media-track", producerId: remote.producerId, track, receiver });
    });
    sfu.events.on("media-flow", (flow) => dispatch({ type: "media-flow", ...flow }));
    sfu.events.on("media-removed", ({ producerId }) => dispatch({ type: "media-removed", producerId }));
    sfu.events.on("synced", ({ producerIds }) => dispatch({ type: "media-synced", producerIds }));
    sfu.events.on("active-speaker", ({ participantId }) =>
      dispatch({ type: "speaker-changed", id: participantId }),
    );
    sfu.events.on("lost", () => void this.#rejoin(destination));
  }

  /** Without a click: the old connection goes, new ones are tried until one holds or patience ends. */
  async #rejoin(destination: Destination): Promise<void> {
    const attempt = ++this.#attempt;
    if (this.#store.state().phase === "joining") {
      this.#drop();
      this.#store.dispatch({ type: "join-failed", problem: "unreachable" });
      return;
    }
    this.#store.dispatch({ type: "link-changed", link: "reconnecting" });
    // Counted from the first loss: a join that never carries media does not start the patience anew.
    this.#lostSince ??= Date.now();
    const until = this.#lostSince + REJOIN_PATIENCE;
    for (let delay = REJOIN_FIRST_DELAY; ; delay = Math.min(delay * 2, REJOIN_MAX_DELAY)) {
      this.#drop();
      await sleep(delay);
      if (attempt !== this.#attempt) return;
      try {
        await this.#connect(destination, attempt);
        return;
      } catch {
        if (attempt !== this.#attempt) return;
        if (Date.now() > until) break;
      }
    }
    this.#end("lost");
  }

  /** Lets the connection go; the node is told, and others see this participant leave. */
  #drop(): void {
    const joined = this.#joined;
    this.#joined = null;
    joined?.tokens.close();
    void joined?.sfu.leave();
  }

  #end(reason: "self" | "lost"): void {
    this.#attempt += 1;
    this.#drop();
    this.#store.dispatch({ type: "ended", reason, at: Date.now() });
  }
}

export function problemOf(error: unknown): JoinProblem {
  if (hasCode(error, "INVALID_REQUEST")) return "invalid";
  if (hasCode(error, "ROOM_FULL")) return "full";
  if (hasCode(error, "SERVER_AT_CAPACITY", "RESOURCE_LIMIT_REACHED", "RATE_LIMIT_EXCEEDED")) return "busy";
  if (error instanceof SignallingError) return error.kind === "api" ? "refused" : "unreachable";
  if (errorName(error) === "UnsupportedError") return "unsupported";
  return "refused";
}
