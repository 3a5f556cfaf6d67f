/** Everything the page knows about the call, as plain data. Tracks are carried along but never looked into. */
import type { DeviceList, DeviceTrouble } from "../media/devices";
import { NO_DEVICES } from "../media/devices";
import type { Source } from "../signalling/wire";

export type Phase = "lobby" | "joining" | "in-call" | "left";
export type Link = "connecting" | "connected" | "reconnecting";
export type Capture = "microphone" | "camera" | "screen";
export type ChosenKind = "microphone" | "camera" | "speaker";

/** Why joining did not work, in the words of the person who tried. */
export type JoinProblem = "invalid" | "full" | "busy" | "unreachable" | "refused" | "unsupported";
export type EndReason = "self" | "lost";

export interface RemoteTrack {
  producerId: string;
  track: MediaStreamTrack | null;
  receiver: RTCRtpReceiver | null;
  /** The sender has paused it; for a microphone: is muted. */
  paused: boolean;
  /** The node holds it back for want of bandwidth or capacity. */
  held: boolean;
}

export interface Participant {
  id: string;
  name: string;
  media: Partial<Record<Source, RemoteTrack>>;
}

export interface LocalCapture {
  /** What the user wants: unmuted, camera on, screen shared. */
  on: boolean;
  track: MediaStreamTrack | null;
  trouble: DeviceTrouble | null;
}

export type NoticeKind =
  | "joined"
  | "left"
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
  | "reconnected";

export interface Notice {
  id: number;
  kind: NoticeKind;
  name: string;
  trouble: DeviceTrouble | null;
}

export interface CallState {
  phase: Phase;
  room: string;
  name: string;
  link: Link;
  selfId: string | null;
  local: Record<Capture, LocalCapture>;
  devices: DeviceList;
  chosen: Record<ChosenKind, string | undefined>;
  /** In order of arrival. */
  participants: Participant[];
  activeSpeaker: string | null;
  /** The tile the user has put on the stage. */
  pinned: string | null;
  page: number;
  /** Shown for a few seconds. */
  toasts: Notice[];
  /** The latest thing worth telling a screen reader. */
  announcement: Notice | null;
  /** Milliseconds since the epoch. */
  joinedAt: number | null;
  leftAt: number | null;
  endReason: EndReason | null;
  joinProblem: JoinProblem | null;
  /** The browser waits for a touch before it plays sound. */
  soundBlocked: boolean;
  nextNotice: number;
}

export interface StartValues {
  room: string;
  name: string;
  chosen: CallState["chosen"];
  microphoneOn: boolean;
  cameraOn: boolean;
}

export function initialState(start: StartValues): CallState {
  const off: LocalCapture = { on: false, track: null, trouble: null };
  return {
    phase: "lobby",
    room: start.room,
    name: start.name,
    link: "connecting",
    selfId: null,
    local: {
      microphone: { ...off, on: start.microphoneOn },
      camera: { ...off, on: start.cameraOn },
      screen: off,
    },
    devices: NO_DEVICES,
    chosen: start.chosen,
    participants: [],
    activeSpeaker: null,
    pinned: null,
    page: 0,
    toasts: [],
    announcement: null,
    joinedAt: null,
    leftAt: null,
    endReason: null,
    joinProblem: null,
    soundBlocked: false,
    nextNotice: 1,
  };
}
