import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { DeviceSelects } from "../parts/DeviceSelects";
import { Dialog } from "../parts/Dialog";
import { LevelMeter } from "../parts/LevelMeter";
import { PermissionNote } from "../parts/PermissionNote";
import { texts } from "../texts";
import { useFullScreen } from "./useFullScreen";

interface DevicePanelProps {
  onClose: () => void;
  onCaptions: () => void;
}

export function DevicePanel({ onClose, onCaptions }: DevicePanelProps) {
  const { captions, audioOnly } = useCall();
  const dispatch = useDispatch();
  const fullScreen = useFullScreen();
  const { controls } = texts;
  return (
    <Dialog title={controls.devices} look="sheet" testId="device-panel" onClose={onClose}>
      <PermissionNote />
      <DeviceSelects />
      <div className="panel-level">
        <span>{texts.preview.level}</span>
        <LevelMeter label={texts.preview.level} />
      </div>
      <label className="switch">
        <span>
          {controls.audioOnly}
          <small>{controls.audioOnlyHint}</small>
        </span>
        <input
          type="checkbox"
          role="switch"
          data-testid="audio-only"
          checked={audioOnly}
          onChange={() => dispatch({ type: "audio-only-toggled" })}
        />
      </label>
      {captions.available ? (
        <button type="button" className="button button-quiet panel-phone" onClick={onCaptions}>
          <Icon name="captions" size={20} />
          {captions.on ? controls.captionsOff : controls.captionsOn}
        </button>
      ) : (
        <p className="panel-note" data-testid="captions-unavailable">
          {texts.captions.unavailable}
        </p>
      )}
      {fullScreen.possible && (
        <button type="button" className="button button-quiet panel-phone" onClick={fullScreen.toggle}>
          <Icon name={fullScreen.on ? "shrink" : "expand"} size={20} />
          {fullScreen.on ? controls.leaveFullScreen : controls.fullScreen}
        </button>
      )}
    </Dialog>
  );
}
