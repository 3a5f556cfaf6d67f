/** Short messages outside calls: on screen for a few seconds, and read out. */
import type { AppStep } from "./actions";
import type { AppNotice, AppNoticeKind, AppState } from "./state";

const TOAST_TIME = 6_000;
const MAX_TOASTS = 3;

interface NoticeRequest {
  kind: AppNoticeKind;
  name?: string;
  durationSeconds?: number | null;
}

export function appNotice(state: AppState, request: NoticeRequest): AppStep {
  const { kind, name = "", durationSeconds = null } = request;
  const notice: AppNotice = { id: state.nextNotice, kind, name, durationSeconds };
  const next: AppState = {
    ...state,
    announcement: notice,
    toasts: [...state.toasts, notice].slice(-MAX_TOASTS),
    nextNotice: state.nextNotice + 1,
  };
  const action = { type: "toast-dismissed", id: notice.id } as const;
  return { state: next, effects: [{ type: "later", milliseconds: TOAST_TIME, action }] };
}
