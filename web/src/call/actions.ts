/** What can happen to a call, and what the reducer may ask to be done about it. */
import type { DeviceList, DeviceTrouble } from "../media/devices";
import type { CallType, Mode, ParticipantDto } from "../signalling/generated";
import type { Source } from "../signalling/wire";
import type {
  Advice,
  CallPlace,
  Capture,
  ChosenKind,
  Link,
  NoticeKind,
  Outcome,
  Presence,
  Quality,
  SfuPath,
  Switching,
} from "./state";

/** Things the user does. Starting, joining and leaving calls are methods of the session. */
export type UserAction =
  | { type: "identified"; userId: string | null; name: string; avatar: string | null }
  /** Camera and microphone are opened before a call, to look at oneself. */
  | { type: "preview-opened" }
  | { type: "preview-closed" }
  | { type: "capture-toggled"; capture: Capture }
  | { type: "capture-retried"; capture: "microphone" | "camera" }
  | { type: "device-chosen"; kind: ChosenKind; deviceId: string }
  | { type: "page-turned"; page: number }
  | { type: "pin-toggled"; tile: string }
  | { type: "captions-toggled" }
  | { type: "audio-only-toggled" }
  | { type: "advice-dismissed" }
  | { type: "retry-switch-asked" }
  | { type: "outcome-dismissed" }
  | { type: "toast-dismissed"; id: number }
  | { type: "sound-allowed" };

/** How a call is begun or entered. */
export interface Entry {
  callId: string;
  selfId: string;
  type: CallType;
  mode: Mode;
  initiatorId: string | null;
  startedAt: number | null;
  /** Those who hold a seat, oneself included. */
  participants: ParticipantDto[];
}

/** Things the machine, the gateway and the other participants do. */
export type OutsideAction =
  | { type: "call-begun"; phase: "calling" | "joining"; place: CallPlace; callType: CallType; callId: string }
  | { type: "call-entered"; entry: Entry }
  | { type: "call-started"; at: number }
  | { type: "call-over"; outcome: Outcome }
  | { type: "local-track"; capture: Capture; track: MediaStreamTrack | null }
  | { type: "local-trouble"; capture: Capture; trouble: DeviceTrouble | null }
  | { type: "devices-listed"; devices: DeviceList }
  | { type: "link-changed"; link: Link }
  | { type: "participant-joined"; participant: ParticipantDto }
  | { type: "participant-left"; id: string }
  | { type: "participant-gone"; id: string }
  | { type: "participants-synced"; participants: ParticipantDto[] }
  | { type: "presence-changed"; id: string; presence: Presence }
  | { type: "media-state"; id: string; audioOn?: boolean; videoOn?: boolean; screenOn?: boolean }
  | {
      type: "media-track";
      id: string;
      source: Source;
      track: MediaStreamTrack | null;
      receiver: RTCRtpReceiver | null;
    }
  | { type: "media-flow"; id: string; source: Source; paused?: boolean; held?: boolean }
  | { type: "participant-declined"; name: string }
  | { type: "speaker-changed"; id: string | null }
  | { type: "mode-changed"; mode: Mode }
  | { type: "switching-changed"; switching: Switching | null }
  | { type: "sfu-path-changed"; path: SfuPath }
  | { type: "quality-measured"; own: Quality | null; remote: Record<string, Quality> }
  | { type: "advised"; advice: Advice | null }
  | { type: "captions-available"; available: boolean }
  | { type: "caption-heard"; participantId: string; name: string; text: string; final: boolean; at: number }
  | { type: "captions-expired"; before: number }
  | { type: "sound-blocked" }
  | { type: "noticed"; kind: NoticeKind };

export type Action = UserAction | OutsideAction;

export type Effect =
  | { type: "open"; capture: Capture }
  | { type: "close"; capture: Capture }
  | { type: "choose"; kind: ChosenKind; deviceId: string }
  | { type: "set-muted"; muted: boolean }
  /** The others are told what is on. */
  | { type: "tell-media" }
  | { type: "set-audio-only"; on: boolean }
  | { type: "set-captions"; on: boolean }
  | { type: "retry-switch" }
  | { type: "remember" }
  | { type: "later"; milliseconds: number; action: Action };

export const NO_EFFECTS: readonly Effect[] = [];
