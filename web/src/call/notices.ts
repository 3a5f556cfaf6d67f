/** Short messages: on screen for a few seconds, and read out. */
import type { DeviceTrouble } from "../media/devices";
import type { Effect } from "./actions";
import type { CallState, Notice, NoticeKind } from "./state";

const TOAST_TIME = 4_500;
/** More than this at once is noise; the oldest give way. */
const MAX_TOASTS = 3;

interface NoticeRequest {
  kind: NoticeKind;
  name?: string;
  trouble?: DeviceTrouble;
  /** False announces without showing. */
  toast?: boolean;
}

export function notice(
  state: CallState,
  request: NoticeRequest,
): { state: CallState; effects: readonly Effect[] } {
  const entry: Notice = {
    id: state.nextNotice,
    kind: request.kind,
    name: request.name ?? "",
    trouble: request.trouble ?? null,
  };
  const shown = request.toast !== false;
  const next: CallState = {
    ...state,
    announcement: entry,
    toasts: shown ? [...state.toasts, entry].slice(-MAX_TOASTS) : state.toasts,
    nextNotice: state.nextNotice + 1,
  };
  if (!shown) return { state: next, effects: [] };
  const action = { type: "toast-dismissed", id: entry.id } as const;
  return { state: next, effects: [{ type: "later", milliseconds: TOAST_TIME, action }] };
}
