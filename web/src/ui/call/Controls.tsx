import { useCall, useDispatch, useServices } from "../context";
import { Icon, type IconName } from "../icons/Icon";
import { texts } from "../texts";
import { useFlip } from "./useFlip";
import { useFullScreen } from "./useFullScreen";

export type PanelName = "devices" | "people";

interface ControlProps {
  icon: IconName;
  /** The word below the icon. */
  short: string;
  /** What pressing it does; name and tooltip. */
  label: string;
  shortcut?: string;
  look?: "off" | "active" | "danger";
  trouble?: boolean;
  /** Left out where room is scarce; the settings panel then offers it. */
  secondary?: boolean;
  expanded?: boolean;
  pressed?: boolean;
  count?: number;
  testId: string;
  on?: boolean;
  onPress: () => void;
}

function Control(props: ControlProps) {
  const { icon, short, label, shortcut, look, testId, on, count, onPress } = props;
  const hint = shortcut === undefined ? label : label + texts.controls.shortcut(shortcut);
  return (
    <button
      type="button"
      className={`control${look === undefined ? "" : ` control-${look}`}${props.secondary === true ? " control-secondary" : ""}`}
      data-testid={testId}
      data-on={on}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-expanded={props.expanded}
      aria-pressed={props.pressed}
      onClick={onPress}
    >
      <span className="control-icon">
        <Icon name={icon} />
        {props.trouble === true && <span className="trouble-dot" aria-hidden="true" />}
        {/* Painted, not written: the label is the word below. */}
        {count !== undefined && <span className="control-count" data-count={count} aria-hidden="true" />}
      </span>
      <span className="control-short" aria-hidden="true">
        {short}
      </span>
      <span className="tooltip" data-hint={hint} aria-hidden="true" />
    </button>
  );
}

interface ControlsProps {
  open: string | null;
  onOpen: (panel: PanelName) => void;
  onCaptions: () => void;
}

export function Controls({ open, onOpen, onCaptions }: ControlsProps) {
  const { participants, captions } = useCall();
  const { session } = useServices();
  const { controls } = texts;
  const present = participants.filter((person) => person.presence !== "left").length + 1;
  return (
    <footer className="controls" aria-label={controls.group}>
      <CaptureControls />
      <Control
        icon="people"
        short={controls.short.people}
        label={controls.people(present)}
        look={open === "people" ? "active" : undefined}
        expanded={open === "people"}
        count={present}
        testId="control-people"
        onPress={() => onOpen("people")}
      />
      {captions.available && (
        <Control
          icon="captions"
          short={controls.short.captions}
          label={captions.on ? controls.captionsOff : controls.captionsOn}
          look={captions.on ? "active" : undefined}
          pressed={captions.on}
          secondary
          testId="control-captions"
          onPress={onCaptions}
        />
      )}
      <Control
        icon="settings"
        short={controls.short.devices}
        label={controls.devices}
        look={open === "devices" ? "active" : undefined}
        expanded={open === "devices"}
        testId="control-devices"
        onPress={() => onOpen("devices")}
      />
      <FullScreenControl />
      <Control
        icon="leave"
        short={controls.short.leave}
        label={controls.leave}
        look="danger"
        testId="control-leave"
        onPress={() => session.leave()}
      />
    </footer>
  );
}

function FullScreenControl() {
  const fullScreen = useFullScreen();
  const { controls } = texts;
  if (!fullScreen.possible) return null;
  return (
    <Control
      icon={fullScreen.on ? "shrink" : "expand"}
      short={controls.short.fullScreen}
      label={fullScreen.on ? controls.leaveFullScreen : controls.fullScreen}
      secondary
      testId="control-fullscreen"
      onPress={fullScreen.toggle}
    />
  );
}

function CaptureControls() {
  const { local, canShareScreen } = useCall();
  const { session } = useServices();
  const dispatch = useDispatch();
  const flip = useFlip();
  const { microphone, camera, screen } = local;
  const { controls } = texts;
  const microphoneLabel = microphone.on ? controls.mute : controls.unmute;
  const cameraLabel = camera.on ? controls.cameraOff : controls.cameraOn;
  return (
    <>
      <Control
        icon={microphone.on ? "microphone" : "microphoneOff"}
        short={microphone.on ? controls.mute : controls.unmute}
        label={
          microphone.trouble === null ? microphoneLabel : `${microphoneLabel}. ${controls.microphoneBlocked}`
        }
        shortcut="m"
        look={microphone.on ? undefined : "off"}
        trouble={microphone.trouble !== null}
        testId="control-mic"
        on={microphone.on}
        onPress={() => dispatch({ type: "capture-toggled", capture: "microphone" })}
      />
      <Control
        icon={camera.on ? "camera" : "cameraOff"}
        short={controls.short.camera}
        label={camera.trouble === null ? cameraLabel : controls.cameraBlocked}
        shortcut="v"
        look={camera.on ? undefined : "off"}
        trouble={camera.trouble !== null}
        testId="control-camera"
        on={camera.on}
        onPress={() => dispatch({ type: "capture-toggled", capture: "camera" })}
      />
      {flip !== null && (
        <Control
          icon="flip"
          short={controls.short.flip}
          label={controls.flip}
          testId="control-flip"
          onPress={flip}
        />
      )}
      {canShareScreen && session.canShareScreen && (
        <Control
          icon={screen.on ? "screenStop" : "screen"}
          short={screen.on ? controls.short.stopScreen : controls.short.screen}
          label={screen.on ? controls.stopSharing : controls.shareScreen}
          shortcut="s"
          look={screen.on ? "active" : undefined}
          testId="control-screen"
          on={screen.on}
          onPress={() => dispatch({ type: "capture-toggled", capture: "screen" })}
        />
      )}
    </>
  );
}
