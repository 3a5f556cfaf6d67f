/**
 * The way through the media node: proven quietly while the call is direct, resumed when it is needed, paused when it
 * is not. Keeps one connection per room and tries harder ones when the plain one fails.
 */
import { Emitter } from "../emitter";
import type { MediaStatus } from "../media/recovery";
import type { SfuConnection } from "../media/sfu";
import type { MediaServerConfig } from "../signalling/generated";
import type { OwnMedia } from "./own-media";
import type { SfuPath } from "./state";

export type Sfu = Pick<
  SfuConnection,
  | "events"
  | "active"
  | "status"
  | "connected"
  | "struggling"
  | "sending"
  | "incoming"
  | "connect"
  | "activate"
  | "standBy"
  | "setMicrophone"
  | "setMuted"
  | "setCamera"
  | "setScreen"
  | "setReceiveVideo"
  | "noteFrame"
  | "stats"
  | "forceTcp"
  | "resync"
  | "close"
>;

export interface SfuWish {
  config: MediaServerConfig;
  active: boolean;
  forceTcp: boolean;
  relayOnly: boolean;
  token: () => string;
}

export type OpenSfu = (wish: SfuWish) => Sfu;

export interface SfuWayPath {
  name: string;
  routerId: string;
  sfu: Sfu;
  release: () => void;
}

export interface SfuProofResult {
  proven: boolean;
  protocol: string | undefined;
  error: string | undefined;
}

export interface SfuWayEvents {
  path: SfuPath;
  proof: SfuProofResult;
  status: MediaStatus;
  opened: { path: SfuWayPath };
  dropped: { path: SfuWayPath };
  /** It carried the call, or was to, and cannot be mended from here. */
  lost: { error: string };
}

export interface SfuWayOptions {
  open: OpenSfu;
  own: OwnMedia;
  forceTcp: boolean;
  relayOnly: boolean;
  /** A TURN server is known, so that there is one more thing to try. */
  hasRelay: () => boolean;
}

/** What is tried, one after the other, until the way stands. */
type Attempt = "plain" | "relay";
/** After everything failed; then the last one again and again. */
const QUIET_RETRIES = [15_000, 30_000, 60_000] as const;

export class SfuWay {
  readonly events = new Emitter<SfuWayEvents>();
  readonly #options: SfuWayOptions;
  #path: SfuWayPath | null = null;
  #config: MediaServerConfig | null = null;
  #token = "";
  #attempt: Attempt = "plain";
  #failures = 0;
  #made = 0;
  #told: boolean | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SfuWayOptions) {
    this.#options = options;
  }

  get path(): SfuWayPath | null {
    return this.#path;
  }

  setToken(token: string): void {
    this.#token = token;
  }

  /** To be built and proven, but not used. Null: there is no such way any more. */
  offer(config: MediaServerConfig | null): void {
    if (config === null) {
      this.drop();
      return;
    }
    this.#token = config.token;
    if (this.#path?.routerId === config.routerId) return;
    this.#begin(config, false);
  }

  /** The call is to go this way; what is there already is only resumed. */
  use(config: MediaServerConfig | null): void {
    if (config !== null) this.#token = config.token;
    const wanted = config ?? this.#config;
    if (wanted === null) {
      this.events.emit("lost", { error: "no media server" });
      return;
    }
    clearTimeout(this.#timer);
    if (this.#path?.routerId === wanted.routerId) this.#path.sfu.activate();
    else this.#begin(wanted, true);
  }

  /** The same room over a new connection, because the old one is lost. */
  renew(config: MediaServerConfig): void {
    this.#token = config.token;
    this.#begin(config, true);
  }

  /** TCP instead of what does not connect. */
  useTcp(): void {
    if (this.#path === null && this.#config !== null) this.#open(this.#config, true, true);
    else this.#path?.sfu.forceTcp();
  }

  standBy(): void {
    this.#path?.sfu.standBy();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#config = null;
    this.#told = null;
    this.#let();
    this.events.emit("path", "none");
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#let();
    this.events.removeAll();
  }

  #begin(config: MediaServerConfig, active: boolean): void {
    clearTimeout(this.#timer);
    this.#config = config;
    this.#attempt = "plain";
    this.#failures = 0;
    this.#told = null;
    this.events.emit("path", "proving");
    this.#open(config, active, this.#options.forceTcp);
  }

  #open(config: MediaServerConfig, active: boolean, forceTcp: boolean): void {
    const old = this.#path;
    const { open, own, relayOnly } = this.#options;
    this.#made += 1;
    const sfu = open({
      config,
      active,
      forceTcp,
      relayOnly: relayOnly || this.#attempt === "relay",
      token: () => this.#token,
    });
    const detach = own.attach({
      setTrack: (source, track) => {
        if (source === "microphone") sfu.setMicrophone(track);
        else if (source === "camera") sfu.setCamera(track);
        else sfu.setScreen(track);
      },
      setMuted: (muted) => sfu.setMuted(muted),
      setReceiveVideo: (wanted) => sfu.setReceiveVideo(wanted),
    });
    const path: SfuWayPath = { name: `sfu:${this.#made}`, routerId: config.routerId, sfu, release: detach };
    this.#path = path;
    this.events.emit("opened", { path });
    sfu.events.on("status", (status) => {
      if (this.#path === path && sfu.active) this.events.emit("status", status);
    });
    sfu.events.on("proven", ({ protocol }) => this.#proven(path, protocol));
    sfu.events.on("lost", ({ error }) => this.#lost(path, messageOf(error)));
    sfu
      .connect({ rtpCapabilities: config.rtpCapabilities as never, producers: config.producers })
      .catch((error: unknown) => this.#lost(path, messageOf(error)));
    // Last: the old one's pictures stay until the new one has taken over what it can.
    if (old !== null) this.#letGo(old);
  }

  #proven(path: SfuWayPath, protocol: string): void {
    if (this.#path !== path) return;
    this.#failures = 0;
    this.events.emit("path", "proven");
    this.#tell({ proven: true, protocol, error: undefined });
  }

  #lost(path: SfuWayPath, error: string): void {
    if (this.#path !== path) return;
    if (path.sfu.active) {
      this.events.emit("lost", { error });
      return;
    }
    const config = this.#config;
    if (config === null) return;
    if (this.#attempt === "plain" && !this.#options.relayOnly && this.#options.hasRelay()) {
      this.#attempt = "relay";
      this.#open(config, false, false);
      return;
    }
    this.#let();
    this.events.emit("path", "failed");
    this.#tell({ proven: false, protocol: undefined, error });
    const delay = QUIET_RETRIES[Math.min(this.#failures, QUIET_RETRIES.length - 1)];
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#attempt = "plain";
      this.#open(config, false, this.#options.forceTcp);
    }, delay);
  }

  /** The gateway hears of changes only. */
  #tell(proof: SfuProofResult): void {
    if (this.#told === proof.proven) return;
    this.#told = proof.proven;
    this.events.emit("proof", proof);
  }

  #let(): void {
    const path = this.#path;
    this.#path = null;
    if (path !== null) this.#letGo(path);
  }

  #letGo(path: SfuWayPath): void {
    path.release();
    path.sfu.close();
    this.events.emit("dropped", { path });
  }
}

/** Names and codes, never what a server or browser says in full: there may be addresses in it. */
function messageOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "failed";
}
