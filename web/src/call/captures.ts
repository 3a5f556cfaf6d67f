/** What the user's own microphone, camera and screen do to the call's state. */
import { type Action, type Effect, NO_EFFECTS } from "./actions";
import { notice } from "./notices";
import type { Step } from "./reducer";
import type { CallState, Capture } from "./state";

type CaptureAction = Extract<
  Action,
  {
    type:
      | "preview-opened"
      | "preview-closed"
      | "capture-toggled"
      | "capture-retried"
      | "device-chosen"
      | "devices-listed"
      | "local-track"
      | "local-trouble";
  }
>;

export function reduceCaptures(state: CallState, action: CaptureAction): Step {
  switch (action.type) {
    case "preview-opened":
      return previewOpened(state);
    case "preview-closed":
      return previewClosed(state);
    case "capture-toggled":
      return toggled(state, action.capture);
    case "capture-retried":
      return retried(state, action.capture);
    case "device-chosen":
      return chosen(state, action);
    case "devices-listed":
      return still({ ...state, devices: action.devices });
    case "local-track":
      return gotTrack(state, action.capture, action.track);
    case "local-trouble":
      return gotTrouble(state, action);
  }
}

function still(state: CallState): Step {
  return { state, effects: NO_EFFECTS };
}

function act(state: CallState, ...effects: Effect[]): Step {
  return { state, effects };
}

function withCapture(
  state: CallState,
  capture: Capture,
  change: Partial<CallState["local"][Capture]>,
): CallState {
  return { ...state, local: { ...state.local, [capture]: { ...state.local[capture], ...change } } };
}

function inCall({ phase }: CallState): boolean {
  return phase === "calling" || phase === "joining" || phase === "in-call";
}

function previewOpened(state: CallState): Step {
  if (inCall(state)) return still(state);
  const effects: Effect[] = [
    // Also when muted: it lets the meter work and makes unmuting instant.
    { type: "open", capture: "microphone" },
    { type: "set-muted", muted: !state.local.microphone.on },
  ];
  if (state.local.camera.on) effects.push({ type: "open", capture: "camera" });
  return { state, effects };
}

function previewClosed(state: CallState): Step {
  if (inCall(state)) return still(state);
  return act(state, { type: "close", capture: "microphone" }, { type: "close", capture: "camera" });
}

function toggled(state: CallState, capture: Capture): Step {
  const { on, trouble } = state.local[capture];
  // A button that shows trouble means "try again", whatever the wish behind it.
  const next = trouble !== null && capture !== "screen" ? true : !on;
  const changed = withCapture(state, capture, { on: next });
  if (capture === "microphone") return microphoneToggled(changed, next, trouble !== null);
  const effects: Effect[] = [next ? { type: "open", capture } : { type: "close", capture }];
  // A shared screen is told of once the user has chosen one.
  if (capture === "camera") effects.push({ type: "tell-media" });
  else if (!next) effects.push({ type: "tell-media" });
  const told = capture === "camera" ? tell(changed, next ? "camera-on" : "camera-off") : changed;
  return act(told, ...effects, { type: "remember" });
}

function microphoneToggled(state: CallState, on: boolean, retry: boolean): Step {
  const effects: Effect[] = [{ type: "set-muted", muted: !on }, { type: "tell-media" }, { type: "remember" }];
  if (retry) effects.push({ type: "open", capture: "microphone" });
  return act(tell(state, on ? "unmuted" : "muted"), ...effects);
}

/** For screen readers only: the user pressed the button and sees it change. */
function tell(state: CallState, kind: "muted" | "unmuted" | "camera-on" | "camera-off"): CallState {
  return notice(state, { kind, toast: false }).state;
}

function retried(state: CallState, capture: "microphone" | "camera"): Step {
  const changed = withCapture(state, capture, { on: true });
  const effects: Effect[] = [{ type: "open", capture }, { type: "tell-media" }];
  if (capture === "microphone") effects.push({ type: "set-muted", muted: false });
  return act(changed, ...effects);
}

function chosen(state: CallState, action: Extract<Action, { type: "device-chosen" }>): Step {
  const { kind, deviceId } = action;
  const next = { ...state.chosen, [kind]: deviceId };
  return act({ ...state, chosen: next }, { type: "choose", kind, deviceId }, { type: "remember" });
}

function gotTrack(state: CallState, capture: Capture, track: MediaStreamTrack | null): Step {
  const change = track === null ? { track } : { track, trouble: null };
  if (capture !== "screen") return still(withCapture(state, capture, change));
  // A share ended from the browser's own bar is over; a lost camera is reported as trouble by itself.
  const next = withCapture(state, capture, track === null ? { track, on: false } : change);
  return act(next, { type: "tell-media" });
}

function gotTrouble(state: CallState, action: Extract<Action, { type: "local-trouble" }>): Step {
  const { capture, trouble } = action;
  if (trouble === null) return still(withCapture(state, capture, { trouble }));
  const changed = withCapture(state, capture, { trouble, on: false });
  const effects: Effect[] = [{ type: "tell-media" }];
  if (capture === "microphone") effects.push({ type: "set-muted", muted: true });
  // Before a call the trouble is shown in place; closing the screen picker is no trouble at all.
  if (!inCall(state) || (capture === "screen" && trouble === "denied")) {
    return act(capture === "screen" ? withCapture(changed, capture, { trouble: null }) : changed, ...effects);
  }
  const noticed = notice(changed, { kind: `${capture}-trouble`, trouble });
  return act(noticed.state, ...noticed.effects, ...effects);
}
