import type { AppNotice } from "../app/state";
import type { Notice } from "../call/state";
import { clock, texts } from "./texts";

export function noticeText({ kind, name, trouble }: Notice): string {
  const who = name === "" ? texts.call.guest : name;
  switch (kind) {
    case "joined":
      return texts.notice.joined(who);
    case "left":
      return texts.notice.left(who);
    case "declined":
      return texts.notice.declined(who);
    case "sharing":
      return texts.notice.sharing(who);
    case "stopped-sharing":
      return texts.notice.stoppedSharing(who);
    case "link-copied":
      return texts.notice.linkCopied;
    case "copy-failed":
      return texts.notice.copyFailed;
    case "microphone-trouble":
      return texts.trouble.microphone[trouble ?? "failed"];
    case "camera-trouble":
      return texts.trouble.camera[trouble ?? "failed"];
    case "screen-trouble":
      return texts.trouble.screen[trouble ?? "failed"];
    case "muted":
      return texts.notice.muted;
    case "unmuted":
      return texts.notice.unmuted;
    case "camera-on":
      return texts.notice.cameraOn;
    case "camera-off":
      return texts.notice.cameraOff;
    case "reconnecting":
      return texts.notice.reconnecting;
    case "reconnected":
      return texts.notice.reconnected;
    case "group-mode":
      return texts.notice.groupMode;
    case "direct-mode":
      return texts.notice.directMode;
    case "captions-on":
      return texts.notice.captionsOn;
    case "captions-off":
      return texts.notice.captionsOff;
    case "audio-only-on":
      return texts.notice.audioOnlyOn;
    case "audio-only-off":
      return texts.notice.audioOnlyOff;
  }
}

export function appNoticeText({ kind, name, durationSeconds }: AppNotice): string {
  const lasted = durationSeconds === null || durationSeconds === 0 ? "" : clock(durationSeconds * 1000);
  return texts.toast[kind](name, lasted);
}
