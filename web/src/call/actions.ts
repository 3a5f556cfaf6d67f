/** What can happen to a call, and what the reducer may ask to be done about it. */
import type { DeviceList, DeviceTrouble } from "../media/devices";
import type { RemoteMedia } from "../media/sfu";
import type { PauseReason } from "../signalling/wire";
import type { Capture, ChosenKind, EndReason, JoinProblem, Link, NoticeKind } from "./state";

/** Things the user does. */
export type UserAction =
  | { type: "name-edited"; name: string }
  | { type: "room-edited"; room: string }
  | { type: "capture-toggled"; capture: Capture }
  | { type: "capture-retried"; capture: "microphone" | "camera" }
  | { type: "device-chosen"; kind: ChosenKind; deviceId: string }
  | { type: "join-asked" }
  | { type: "leave-asked" }
  | { type: "lobby-asked" }
  | { type: "page-turned"; page: number }
  | { type: "pin-toggled"; tile: string }
  | { type: "toast-dismissed"; id: number }
  | { type: "sound-allowed" };

/** Things the machine, the node and the other participants do. */
export type OutsideAction =
  | { type: "lobby-opened" }
  | { type: "local-track"; capture: Capture; track: MediaStreamTrack | null }
  | { type: "local-trouble"; capture: Capture; trouble: DeviceTrouble | null }
  | { type: "devices-listed"; devices: DeviceList }
  | { type: "joined"; selfId: string; at: number }
  | { type: "join-failed"; problem: JoinProblem }
  | { type: "link-changed"; link: Link }
  | { type: "ended"; reason: EndReason; at: number }
  | { type: "media-added"; media: RemoteMedia }
  | {
      type: "media-track";
      producerId: string;
      track: MediaStreamTrack | null;
      receiver: RTCRtpReceiver | null;
    }
  | { type: "media-flow"; producerId: string; paused: boolean; reason: PauseReason }
  | { type: "media-removed"; producerId: string }
  | { type: "media-synced"; producerIds: string[] }
  | { type: "participant-expired"; id: string }
  | { type: "speaker-changed"; id: string | null }
  | { type: "sound-blocked" }
  | { type: "noticed"; kind: NoticeKind };

export type Action = UserAction | OutsideAction;

export type Effect =
  | { type: "open"; capture: Capture }
  | { type: "close"; capture: Capture }
  | { type: "choose"; kind: ChosenKind; deviceId: string }
  | { type: "set-muted"; muted: boolean }
  | { type: "join"; room: string; name: string }
  | { type: "leave" }
  | { type: "remember" }
  | { type: "later"; milliseconds: number; action: Action };

export const NO_EFFECTS: readonly Effect[] = [];
