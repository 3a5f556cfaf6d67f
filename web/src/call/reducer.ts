/** The call as a pure function: what happened and what is known give what is known now and what to do. */
import type { PauseReason, Source } from "../signalling/wire";
import { type Action, type Effect, NO_EFFECTS } from "./actions";
import { notice } from "./notices";
import type { CallState, Capture, Participant, RemoteTrack } from "./state";

export interface Step {
  state: CallState;
  effects: readonly Effect[];
}

/** A participant whose producers are all gone may just be rebuilding the connection. */
export const EXPIRY_DELAY = 1_200;

export function reduce(state: CallState, action: Action): Step {
  switch (action.type) {
    case "name-edited":
      return still({ ...state, name: action.name, joinProblem: null });
    case "room-edited":
      return still({ ...state, room: action.room, joinProblem: null });
    case "lobby-opened":
      return lobbyOpened(state);
    case "capture-toggled":
      return captureToggled(state, action.capture);
    case "capture-retried":
      return captureRetried(state, action.capture);
    case "device-chosen":
      return deviceChosen(state, action);
    case "devices-listed":
      return still({ ...state, devices: action.devices });
    case "local-track":
      return localTrack(state, action.capture, action.track);
    case "local-trouble":
      return localTrouble(state, action);
    case "join-asked":
      return joinAsked(state);
    case "joined":
      return joined(state, action);
    case "join-failed":
      if (state.phase !== "joining") return still(state);
      return still({ ...state, phase: "lobby", joinProblem: action.problem });
    case "leave-asked":
      if (state.phase !== "in-call" && state.phase !== "joining") return still(state);
      return act(state, { type: "leave" });
    case "ended":
      return ended(state, action);
    case "lobby-asked":
      return state.phase === "left" ? lobbyOpened({ ...state, phase: "lobby" }) : still(state);
    case "link-changed":
      return linkChanged(state, action.link);
    case "media-added":
    case "media-track":
    case "media-flow":
    case "media-removed":
    case "media-synced":
    case "participant-expired":
      return reduceMedia(state, action);
    case "speaker-changed":
      return still({ ...state, activeSpeaker: action.id });
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

/** Appends what a further step has to do. */
function also(step: Step, ...effects: Effect[]): Step {
  return { state: step.state, effects: [...step.effects, ...effects] };
}

function withCapture(
  state: CallState,
  capture: Capture,
  change: Partial<CallState["local"][Capture]>,
): CallState {
  return { ...state, local: { ...state.local, [capture]: { ...state.local[capture], ...change } } };
}

function lobbyOpened(state: CallState): Step {
  const effects: Effect[] = [
    // Also when muted: it lets the meter work and makes unmuting instant.
    { type: "open", capture: "microphone" },
    { type: "set-muted", muted: !state.local.microphone.on },
  ];
  if (state.local.camera.on) effects.push({ type: "open", capture: "camera" });
  return { state, effects };
}

function captureToggled(state: CallState, capture: Capture): Step {
  const { on, trouble } = state.local[capture];
  // A button that shows trouble means "try again", whatever the wish behind it.
  const next = trouble !== null && capture !== "screen" ? true : !on;
  const changed = withCapture(state, capture, { on: next });
  if (capture === "microphone") return microphoneToggled(changed, next, trouble !== null);
  const effect: Effect = next ? { type: "open", capture } : { type: "close", capture };
  const told = capture === "camera" ? tell(changed, next ? "camera-on" : "camera-off") : changed;
  return act(told, effect, { type: "remember" });
}

function microphoneToggled(state: CallState, on: boolean, retry: boolean): Step {
  const step = act(
    tell(state, on ? "unmuted" : "muted"),
    { type: "set-muted", muted: !on },
    { type: "remember" },
  );
  return retry ? also(step, { type: "open", capture: "microphone" }) : step;
}

/** For screen readers only: the user pressed the button and sees it change. */
function tell(state: CallState, kind: "muted" | "unmuted" | "camera-on" | "camera-off"): CallState {
  const announcement = { id: state.nextNotice, kind, name: "", trouble: null };
  return { ...state, announcement, nextNotice: state.nextNotice + 1 };
}

function captureRetried(state: CallState, capture: "microphone" | "camera"): Step {
  const changed = withCapture(state, capture, { on: true });
  const step = act(changed, { type: "open", capture });
  return capture === "microphone" ? also(step, { type: "set-muted", muted: false }) : step;
}

function deviceChosen(state: CallState, action: Extract<Action, { type: "device-chosen" }>): Step {
  const { kind, deviceId } = action;
  const chosen = { ...state.chosen, [kind]: deviceId };
  return act({ ...state, chosen }, { type: "choose", kind, deviceId }, { type: "remember" });
}

function localTrack(state: CallState, capture: Capture, track: MediaStreamTrack | null): Step {
  const change = track === null ? { track } : { track, trouble: null };
  // A share ended from the browser's own bar is over; a lost camera is reported as trouble by itself.
  if (capture === "screen" && track === null) return still(withCapture(state, capture, { track, on: false }));
  return still(withCapture(state, capture, change));
}

function localTrouble(state: CallState, action: Extract<Action, { type: "local-trouble" }>): Step {
  const { capture, trouble } = action;
  if (trouble === null) return still(withCapture(state, capture, { trouble }));
  const changed = withCapture(state, capture, { trouble, on: false });
  const step = capture === "microphone" ? act(changed, { type: "set-muted", muted: true }) : still(changed);
  // In the lobby the trouble is shown in place; closing the screen picker is no trouble at all.
  if (state.phase !== "in-call" || (capture === "screen" && trouble === "denied")) {
    return capture === "screen" ? still(withCapture(changed, capture, { trouble: null })) : step;
  }
  const noticed = notice(changed, { kind: `${capture}-trouble`, trouble });
  return also(noticed, ...step.effects);
}

function joinAsked(state: CallState): Step {
  const room = state.room.trim();
  const name = state.name.trim();
  if ((state.phase !== "lobby" && state.phase !== "left") || room === "" || name === "") return still(state);
  const next: CallState = {
    ...state,
    phase: "joining",
    room,
    name,
    link: "connecting",
    participants: [],
    activeSpeaker: null,
    pinned: null,
    page: 0,
    toasts: [],
    joinProblem: null,
    endReason: null,
  };
  const step = act(next, { type: "join", room, name }, { type: "remember" });
  // Coming back from the left screen: the devices were let go of there.
  return state.phase === "left" ? also(step, ...lobbyOpened(next).effects) : step;
}

function joined(state: CallState, action: Extract<Action, { type: "joined" }>): Step {
  const { selfId, at } = action;
  if (state.phase === "in-call") return still({ ...state, selfId });
  if (state.phase !== "joining") return still(state);
  return still({ ...state, phase: "in-call", selfId, joinedAt: at, leftAt: null });
}

function ended(state: CallState, action: Extract<Action, { type: "ended" }>): Step {
  const next: CallState = {
    ...withCapture(state, "screen", { on: false, trouble: null }),
    phase: "left",
    leftAt: action.at,
    endReason: action.reason,
    participants: [],
    activeSpeaker: null,
    pinned: null,
    toasts: [],
    soundBlocked: false,
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

type MediaAction = Extract<Action, { type: `media-${string}` | "participant-expired" }>;

function reduceMedia(state: CallState, action: MediaAction): Step {
  switch (action.type) {
    case "media-added":
      return mediaAdded(state, action);
    case "media-track":
      return still(withMedia(state, action.producerId, { track: action.track, receiver: action.receiver }));
    case "media-flow":
      return still(mediaFlow(state, action.producerId, action.paused, action.reason));
    case "media-removed":
      return mediaRemoved(state, action.producerId);
    case "media-synced":
      return mediaSynced(state, action.producerIds);
    case "participant-expired":
      return participantExpired(state, action.id);
  }
}

function mediaAdded(state: CallState, action: Extract<Action, { type: "media-added" }>): Step {
  const { participantId, displayName, source, producerId, paused, initial } = action.media;
  const entry: RemoteTrack = { producerId, track: null, receiver: null, paused, held: false };
  const known = state.participants.find((participant) => participant.id === participantId);
  const before: Participant = known ?? { id: participantId, name: displayName, media: {} };
  const changed: Participant = {
    ...before,
    name: displayName === "" ? before.name : displayName,
    media: { ...before.media, [source]: entry },
  };
  const participants = known
    ? state.participants.map((participant) => (participant === known ? changed : participant))
    : [...state.participants, changed];
  const next = { ...state, participants };
  const resumed = known?.media[source] !== undefined;
  if (source === "screen" && !resumed)
    return notice({ ...next, page: 0 }, { kind: "sharing", name: changed.name });
  if (!known && !initial) return notice(next, { kind: "joined", name: changed.name });
  return still(next);
}

function withMedia(state: CallState, producerId: string, change: Partial<RemoteTrack>): CallState {
  const found = locate(state, producerId);
  if (found === null) return state;
  const { participant, source, entry } = found;
  const changed = { ...participant, media: { ...participant.media, [source]: { ...entry, ...change } } };
  return {
    ...state,
    participants: state.participants.map((other) => (other === participant ? changed : other)),
  };
}

interface Located {
  participant: Participant;
  source: Source;
  entry: RemoteTrack;
}

function locate(state: CallState, producerId: string): Located | null {
  for (const participant of state.participants) {
    for (const source of ["microphone", "camera", "screen"] as const) {
      const entry = participant.media[source];
      if (entry?.producerId === producerId) return { participant, source, entry };
    }
  }
  return null;
}

function mediaFlow(state: CallState, producerId: string, paused: boolean, reason: PauseReason): CallState {
  if (reason === "bandwidth" || reason === "server-load")
    return withMedia(state, producerId, { held: paused });
  return withMedia(state, producerId, { paused });
}

function mediaRemoved(state: CallState, producerId: string): Step {
  const found = locate(state, producerId);
  if (found === null) return still(state);
  const { participant, source } = found;
  const media = { ...participant.media };
  Reflect.deleteProperty(media, source);
  const changed = { ...participant, media };
  const participants = state.participants.map((other) => (other === participant ? changed : other));
  const next = { ...state, participants };
  if (Object.keys(media).length === 0) {
    const action: Action = { type: "participant-expired", id: participant.id };
    return act(next, { type: "later", milliseconds: EXPIRY_DELAY, action });
  }
  return source === "screen"
    ? notice(next, { kind: "stopped-sharing", name: participant.name })
    : still(next);
}

/** After a new join: whoever is not there any more went while we were away. */
function mediaSynced(state: CallState, producerIds: string[]): Step {
  const present = new Set(producerIds);
  const gone = state.participants.flatMap((participant) =>
    Object.values(participant.media).filter((entry) => !present.has(entry.producerId)),
  );
  let step = still(state);
  for (const entry of gone) {
    const next = mediaRemoved(step.state, entry.producerId);
    step = { state: next.state, effects: [...step.effects, ...next.effects] };
  }
  return step;
}

function participantExpired(state: CallState, id: string): Step {
  const participant = state.participants.find((candidate) => candidate.id === id);
  if (participant === undefined || Object.keys(participant.media).length > 0) return still(state);
  const next: CallState = {
    ...state,
    participants: state.participants.filter((other) => other !== participant),
    activeSpeaker: state.activeSpeaker === id ? null : state.activeSpeaker,
    pinned: state.pinned?.startsWith(`${id}:`) ? null : state.pinned,
  };
  return notice(next, { kind: "left", name: participant.name });
}
