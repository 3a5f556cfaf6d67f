import type { Notice } from "../call/state";
import { texts } from "./texts";

export function noticeText({ kind, name, trouble }: Notice): string {
  const who = name === "" ? texts.call.guest : name;
  switch (kind) {
    case "joined":
      return texts.notice.joined(who);
    case "left":
      return texts.notice.left(who);
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
  }
}
