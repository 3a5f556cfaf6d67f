import { useCall, useDispatch, useServices } from "../context";
import { Icon, type IconName } from "../icons/Icon";
import { useCopyLink } from "../parts/useCopyLink";
import { texts } from "../texts";
import { useFullScreen } from "./useFullScreen";

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
  testId: string;
  on?: boolean;
  onPress: () => void;
}

function Control(props: ControlProps) {
  const {
    icon,
    short,
    label,
    shortcut,
    look,
    trouble = false,
    secondary = false,
    testId,
    on,
    onPress,
  } = props;
  const hint = shortcut === undefined ? label : label + texts.controls.shortcut(shortcut);
  return (
    <button
      type="button"
      className={`control${look === undefined ? "" : ` control-${look}`}${secondary ? " control-secondary" : ""}`}
      data-testid={testId}
      data-on={on}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-expanded={props.expanded}
      onClick={onPress}
    >
      <span className="control-icon">
        <Icon name={icon} />
        {trouble && <span className="trouble-dot" aria-hidden="true" />}
      </span>
      <span className="control-short" aria-hidden="true">
        {short}
      </span>
      <span className="tooltip" role="presentation" aria-hidden="true">
        {hint}
      </span>
    </button>
  );
}

export function Controls({ devicesOpen, onDevices }: { devicesOpen: boolean; onDevices: () => void }) {
  const dispatch = useDispatch();
  const copy = useCopyLink();
  const fullScreen = useFullScreen();
  const { controls } = texts;
  return (
    <footer className="controls" aria-label={controls.group}>
      <CaptureControls />
      <Control
        icon="settings"
        short={controls.short.devices}
        label={controls.devices}
        look={devicesOpen ? "active" : undefined}
        expanded={devicesOpen}
        testId="control-devices"
        onPress={onDevices}
      />
      {fullScreen.possible && (
        <Control
          icon={fullScreen.on ? "shrink" : "expand"}
          short={controls.short.fullScreen}
          label={fullScreen.on ? controls.leaveFullScreen : controls.fullScreen}
          secondary
          testId="control-fullscreen"
          onPress={fullScreen.toggle}
        />
      )}
      <Control
        icon="link"
        short={controls.short.copyLink}
        label={controls.copyLink}
        secondary
        testId="control-copy"
        onPress={copy}
      />
      <Control
        icon="leave"
        short={controls.short.leave}
        label={controls.leave}
        look="danger"
        testId="control-leave"
        onPress={() => dispatch({ type: "leave-asked" })}
      />
    </footer>
  );
}

function CaptureControls() {
  const { microphone, camera, screen } = useCall().local;
  const { session } = useServices();
  const dispatch = useDispatch();
  const { controls } = texts;
  const microphoneLabel = microphone.on ? controls.mute : controls.unmute;
  const cameraLabel = camera.on ? controls.cameraOff : controls.cameraOn;
  return (
    <>
      <Control
        icon={microphone.on ? "microphone" : "microphoneOff"}
        short={microphone.on ? controls.mute : controls.unmute}
        label={microphone.trouble === null ? microphoneLabel : controls.microphoneBlocked}
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
      {session.canShareScreen && (
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
