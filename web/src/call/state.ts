/** Everything the page knows about the call, as plain data. Tracks are carried along but never looked into. */
import type { DeviceList, DeviceTrouble } from "../media/devices";
import { NO_DEVICES } from "../media/devices";
import type { CallType, ConversationType, Mode, ParticipantRole } from "../signalling/generated";
import type { Source } from "../signalling/wire";

export type Phase = "idle" | "calling" | "joining" | "in-call" | "ended";
export type Link = "connecting" | "connected" | "reconnecting";
export type Capture = "microphone" | "camera" | "screen";
export type ChosenKind = "microphone" | "camera" | "speaker";
export type Quality = "excellent" | "good" | "fair" | "poor";

/** How far the way through the media node is proven while the call is direct. */
export type SfuPath = "none" | "proving" | "proven" | "failed";

/**
 * - `weak-network`: much is lost or late for a while.
 * - `audio-only`: so little gets through that pictures should be given up.
 * - `sfu-unreachable`: a third person could not be taken in from here.
 */
export type Advice = "audio-only" | "weak-network" | "sfu-unreachable";

/** Where a call takes place, and what the user may do there. The caller of `CallSession.start` and `join` says so. */
export interface CallPlace {
  conversationId: string;
  /** Of a direct conversation the other person's name. */
  title: string;
  conversationType: ConversationType;
  /** The user administers the conversation. */
  admin: boolean;
  /** False for guests whose link does not allow it. */
  mayShareScreen: boolean;
}

export interface CallInfo {
  /** Empty until the gateway has named it. */
  callId: string;
  conversationId: string;
  title: string;
  type: CallType;
  conversationType: ConversationType;
  /** Milliseconds since the epoch; null until a second person has come. */
  startedAt: number | null;
  /** A user's id. */
  initiatorId: string | null;
}

export interface RemoteTrack {
  /** `<participant>:<source>`; the same whichever way the media takes. */
  key: string;
  track: MediaStreamTrack | null;
  receiver: RTCRtpReceiver | null;
  /** The sender has paused it; for a microphone: is muted. */
  paused: boolean;
  /** The node holds it back for want of bandwidth or capacity. */
  held: boolean;
}

/** `away`: the connection is lost and may come back. `left`: shown for a moment before the tile goes. */
export type Presence = "connecting" | "here" | "away" | "left";

export interface Participant {
  id: string;
  /** Null for guests. */
  userId: string | null;
  name: string;
  avatar: string | null;
  isGuest: boolean;
  role: ParticipantRole;
  presence: Presence;
  audioOn: boolean;
  videoOn: boolean;
  screenOn: boolean;
  media: Partial<Record<Source, RemoteTrack>>;
  /** How well their media arrives here; null until measured. */
  quality: Quality | null;
}

export interface LocalCapture {
  /** What the user wants: unmuted, camera on, screen shared. */
  on: boolean;
  track: MediaStreamTrack | null;
  trouble: DeviceTrouble | null;
}

/** A change of the way media takes that is under way or did not work out. */
export interface Switching {
  to: Mode;
  /** `retrying`: called off, and tried again by itself. `failed`: given up. */
  phase: "switching" | "retrying" | "failed";
  /** When it is tried again, milliseconds since the epoch. */
  retryAt: number | null;
}

export interface CaptionLine {
  /** Counts up; tells lines of one speaker apart. */
  id: number;
  participantId: string;
  name: string;
  text: string;
  /** The words will not change any more. */
  final: boolean;
  /** Milliseconds since the epoch. */
  at: number;
}

export interface Captions {
  /** This browser can turn one's own speech into text. */
  available: boolean;
  on: boolean;
  lines: CaptionLine[];
}

/**
 * How a call went:
 * `declined`, `missed` (nobody answered), `cancelled` (the caller gave up), `offline` (not to be reached), `busy`,
 * `ended`, `left` (the call goes on without one), `kicked`, `lost` (the connection, for good), `full`, `failed`, `elsewhere` (on another device of the user).
 */
export type OutcomeKind =
  | "declined"
  | "missed"
  | "cancelled"
  | "offline"
  | "busy"
  | "ended"
  | "left"
  | "kicked"
  | "lost"
  | "full"
  | "failed"
  | "elsewhere";

export interface Outcome {
  kind: OutcomeKind;
  /** Who declined, is busy or offline; else the title of the conversation. */
  name: string;
  durationSeconds: number | null;
  /** The server's code, where there is one. */
  code: string | null;
}

export type NoticeKind =
  | "joined"
  | "left"
  | "declined"
  | "sharing"
  | "stopped-sharing"
  | "link-copied"
  | "copy-failed"
  | "microphone-trouble"
  | "camera-trouble"
  | "screen-trouble"
  | "muted"
  | "unmuted"
  | "camera-on"
  | "camera-off"
  | "reconnecting"
  | "reconnected"
  | "group-mode"
  | "direct-mode"
  | "captions-on"
  | "captions-off"
  | "audio-only-on"
  | "audio-only-off";

export interface Notice {
  id: number;
  kind: NoticeKind;
  name: string;
  trouble: DeviceTrouble | null;
}

export interface CallState {
  phase: Phase;
  /** The user's own name and picture, as others see them. */
  name: string;
  avatar: string | null;
  /** Null for guests and before login. */
  userId: string | null;
  call: CallInfo | null;
  /** The way media takes; what a switch leads to only once it is done. */
  mode: Mode;
  switching: Switching | null;
  sfuPath: SfuPath;
  link: Link;
  /** One's own participant. */
  selfId: string | null;
  local: Record<Capture, LocalCapture>;
  devices: DeviceList;
  chosen: Record<ChosenKind, string | undefined>;
  /** Everybody else, in order of arrival. */
  participants: Participant[];
  activeSpeaker: string | null;
  /** The tile the user has put on the stage. */
  pinned: string | null;
  page: number;
  /** How well the call works from here; null until measured. */
  quality: Quality | null;
  advice: Advice | null;
  audioOnly: boolean;
  captions: Captions;
  canEndForAll: boolean;
  canRemove: boolean;
  canShareScreen: boolean;
  outcome: Outcome | null;
  /** Shown for a few seconds. */
  toasts: Notice[];
  /** The latest thing worth telling a screen reader. */
  announcement: Notice | null;
  /** The browser waits for a touch before it plays sound. */
  soundBlocked: boolean;
  nextNotice: number;
}

export interface StartValues {
  name: string;
  chosen: CallState["chosen"];
  microphoneOn: boolean;
  cameraOn: boolean;
}

export const NO_CAPTIONS: Captions = { available: false, on: false, lines: [] };

export function initialState(start: StartValues): CallState {
  const off: LocalCapture = { on: false, track: null, trouble: null };
  return {
    phase: "idle",
    name: start.name,
    avatar: null,
    userId: null,
    ...NO_CALL,
    local: {
      microphone: { ...off, on: start.microphoneOn },
      camera: { ...off, on: start.cameraOn },
      screen: off,
    },
    devices: NO_DEVICES,
    chosen: start.chosen,
    captions: NO_CAPTIONS,
    toasts: [],
    announcement: null,
    nextNotice: 1,
  };
}

/** What belongs to one call and is gone with it. */
export const NO_CALL = {
  call: null,
  mode: "p2p",
  switching: null,
  sfuPath: "none",
  link: "connecting",
  selfId: null,
  participants: [],
  activeSpeaker: null,
  pinned: null,
  page: 0,
  quality: null,
  advice: null,
  audioOnly: false,
  canEndForAll: false,
  canRemove: false,
  canShareScreen: false,
  outcome: null,
  soundBlocked: false,
} satisfies Partial<CallState>;
