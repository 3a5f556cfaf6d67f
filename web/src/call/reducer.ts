/** The call as a pure function: what happened and what is known give what is known now and what to do. */
import { type Action, type Effect, type Entry, NO_EFFECTS } from "./actions";
import { reduceCaptures } from "./captures";
import { notice } from "./notices";
import { reduceRoster, takeParticipants } from "./roster";
import { type CallState, NO_CALL, NO_CAPTIONS } from "./state";

export interface Step {
  state: CallState;
  effects: readonly Effect[];
}

/** Lines of captions that are kept; older ones have been read. */
const CAPTION_LINES = 4;

export function reduce(state: CallState, action: Action): Step {
  switch (action.type) {
    case "identified":
      return still({ ...state, userId: action.userId, name: action.name, avatar: action.avatar });
    case "preview-opened":
    case "preview-closed":
    case "capture-toggled":
    case "capture-retried":
    case "device-chosen":
    case "devices-listed":
    case "local-track":
    case "local-trouble":
      return reduceCaptures(state, action);
    case "call-begun":
      return callBegun(state, action);
    case "call-entered":
      return callEntered(state, action.entry);
    case "call-started":
      return callStarted(state, action.at);
    case "call-over":
      return callOver(state, action);
    case "outcome-dismissed":
      return state.phase === "ended" ? still({ ...state, phase: "idle", ...NO_CALL }) : still(state);
    case "participant-joined":
    case "participant-left":
    case "participant-gone":
    case "participants-synced":
    case "participant-declined":
    case "presence-changed":
    case "media-state":
    case "media-track":
    case "media-flow":
    case "quality-measured":
      return reduceRoster(state, action);
    default:
      return reduceView(state, action);
  }
}

type ViewAction = Extract<
  Action,
  {
    type:
      | "link-changed"
      | "speaker-changed"
      | "mode-changed"
      | "switching-changed"
      | "sfu-path-changed"
      | "advised"
      | "advice-dismissed"
      | "audio-only-toggled"
      | "retry-switch-asked"
      | "captions-available"
      | "captions-toggled"
      | "caption-heard"
      | "captions-expired"
      | "page-turned"
      | "pin-toggled"
      | "sound-blocked"
      | "sound-allowed"
      | "toast-dismissed"
      | "noticed";
  }
>;

function reduceView(state: CallState, action: ViewAction): Step {
  switch (action.type) {
    case "link-changed":
      return linkChanged(state, action.link);
    case "speaker-changed":
      return still({ ...state, activeSpeaker: action.id });
    case "mode-changed":
      return modeChanged(state, action.mode);
    case "switching-changed":
      return still({ ...state, switching: action.switching });
    case "sfu-path-changed":
      return still({ ...state, sfuPath: action.path });
    case "advised":
      return still({ ...state, advice: action.advice });
    case "advice-dismissed":
      return still({ ...state, advice: null });
    case "audio-only-toggled":
      return audioOnlyToggled(state);
    case "retry-switch-asked":
      return act(state, { type: "retry-switch" });
    case "captions-available":
      return still({ ...state, captions: { ...state.captions, available: action.available } });
    case "captions-toggled":
      return captionsToggled(state);
    case "caption-heard":
      return still(captionHeard(state, action));
    case "captions-expired":
      return still(captionsExpired(state, action.before));
    case "page-turned":
      return still({ ...state, page: Math.max(0, action.page) });
    case "pin-toggled":
      return still({ ...state, pinned: state.pinned === action.tile ? null : action.tile, page: 0 });
    case "sound-blocked":
      return still({ ...state, soundBlocked: true });
    case "sound-allowed":
      return still({ ...state, soundBlocked: false });
    case "toast-dismissed":
      return still({ ...state, toasts: state.toasts.filter((toast) => toast.id !== action.id) });
    case "noticed":
      return notice(state, { kind: action.kind });
  }
}

function still(state: CallState): Step {
  return { state, effects: NO_EFFECTS };
}

function act(state: CallState, ...effects: Effect[]): Step {
  return { state, effects };
}

/** Camera and microphone open while the gateway is still being asked: the user sees themselves at once. */
function callBegun(state: CallState, action: Extract<Action, { type: "call-begun" }>): Step {
  const { phase, place, callType, callId } = action;
  const camera = { ...state.local.camera, on: callType === "video" && state.local.camera.on };
  const next: CallState = {
    ...state,
    ...NO_CALL,
    phase,
    call: {
      callId,
      conversationId: place.conversationId,
      title: place.title,
      type: callType,
      conversationType: place.conversationType,
      startedAt: null,
      initiatorId: null,
    },
    local: { ...state.local, camera },
    canEndForAll: place.admin && place.conversationType === "group",
    canRemove: place.admin && place.conversationType === "group",
    canShareScreen: place.mayShareScreen,
    captions: { ...NO_CAPTIONS, available: state.captions.available },
    toasts: [],
  };
  const effects: Effect[] = [
    // Also when muted: unmuting is instant then.
    { type: "open", capture: "microphone" },
    { type: "set-muted", muted: !state.local.microphone.on },
    camera.on ? { type: "open", capture: "camera" } : { type: "close", capture: "camera" },
  ];
  return act(next, ...effects);
}

function callEntered(state: CallState, entry: Entry): Step {
  if (state.call === null || state.phase === "idle" || state.phase === "ended") return still(state);
  const { callId, selfId, type, mode, initiatorId, startedAt } = entry;
  const mine =
    initiatorId !== null && initiatorId === state.userId && state.call.conversationType === "group";
  const alone = entry.participants.every(({ participantId }) => participantId === selfId);
  const next: CallState = {
    ...state,
    // A caller rings until somebody comes.
    phase: state.phase === "calling" && startedAt === null && alone ? "calling" : "in-call",
    selfId,
    mode,
    call: { ...state.call, callId, type, initiatorId, startedAt: startedAt ?? state.call.startedAt },
    canEndForAll: state.canEndForAll || mine,
    canRemove: state.canRemove || mine,
  };
  return still(takeParticipants(next, entry.participants));
}

function callStarted(state: CallState, at: number): Step {
  if (state.call === null || (state.phase !== "calling" && state.phase !== "in-call")) return still(state);
  const startedAt = state.call.startedAt ?? at;
  return still({ ...state, phase: "in-call", call: { ...state.call, startedAt } });
}

function callOver(state: CallState, action: Extract<Action, { type: "call-over" }>): Step {
  if (state.phase === "idle" || state.phase === "ended") return still(state);
  const { screen } = state.local;
  const next: CallState = {
    ...state,
    ...NO_CALL,
    phase: "ended",
    // Where it was, so that one can call again.
    call: state.call,
    outcome: action.outcome,
    captions: { ...NO_CAPTIONS, available: state.captions.available },
    local: { ...state.local, screen: { ...screen, on: false, trouble: null } },
    toasts: [],
  };
  const captures = ["microphone", "camera", "screen"] as const;
  return act(next, ...captures.map((capture): Effect => ({ type: "close", capture })));
}

function linkChanged(state: CallState, link: CallState["link"]): Step {
  if (state.link === link) return still(state);
  const next = { ...state, link };
  if (state.phase !== "in-call") return still(next);
  if (link === "reconnecting") return notice(next, { kind: "reconnecting", toast: false });
  if (state.link === "reconnecting" && link === "connected")
    return notice(next, { kind: "reconnected", toast: false });
  return still(next);
}

function modeChanged(state: CallState, mode: CallState["mode"]): Step {
  if (state.mode === mode) return still(state);
  // For screen readers only: whoever sees the call sees nothing of it.
  const kind = mode === "sfu" ? "group-mode" : "direct-mode";
  return notice({ ...state, mode }, { kind, toast: false });
}

function audioOnlyToggled(state: CallState): Step {
  const on = !state.audioOnly;
  const next = notice(
    { ...state, audioOnly: on, advice: null },
    { kind: on ? "audio-only-on" : "audio-only-off", toast: false },
  ).state;
  const effects: Effect[] = [{ type: "set-audio-only", on }];
  if (!on || !state.local.camera.on) return act(next, ...effects);
  const camera = { ...next.local.camera, on: false };
  effects.push({ type: "close", capture: "camera" }, { type: "tell-media" });
  return act({ ...next, local: { ...next.local, camera } }, ...effects);
}

function captionsToggled(state: CallState): Step {
  const on = !state.captions.on;
  const told = notice(
    { ...state, captions: { ...state.captions, on, lines: on ? state.captions.lines : [] } },
    { kind: on ? "captions-on" : "captions-off", toast: on },
  );
  return act(told.state, ...told.effects, { type: "set-captions", on });
}

function captionHeard(state: CallState, heard: Extract<Action, { type: "caption-heard" }>): CallState {
  if (!state.captions.on) return state;
  const { participantId, name, text, final, at } = heard;
  const { lines } = state.captions;
  // Words still changing are replaced by what becomes of them.
  const open = lines.findLast((line) => line.participantId === participantId && !line.final);
  const id = open?.id ?? Math.max(0, ...lines.map((line) => line.id)) + 1;
  const line = { id, participantId, name, text, final, at };
  const next = open ? lines.map((each) => (each === open ? line : each)) : [...lines, line];
  return { ...state, captions: { ...state.captions, lines: next.slice(-CAPTION_LINES) } };
}

function captionsExpired(state: CallState, before: number): CallState {
  const lines = state.captions.lines.filter((line) => line.at >= before);
  if (lines.length === state.captions.lines.length) return state;
  return { ...state, captions: { ...state.captions, lines } };
}
