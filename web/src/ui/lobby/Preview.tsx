import type { CallState } from "../../call/state";
import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { LevelMeter } from "../parts/LevelMeter";
import { VideoView } from "../parts/VideoView";
import { texts } from "../texts";

/** The own picture as others will see it, mirrored as in a mirror. */
export function Preview() {
  const { local, name } = useCall();
  const { camera, microphone } = local;
  const showing = camera.on && camera.track !== null;
  return (
    <div className="preview">
      {showing ? (
        <VideoView track={camera.track} mirrored fit="cover" label={texts.lobby.preview} />
      ) : (
        <div className="preview-empty">
          {name.trim() === "" ? (
            <span className="avatar avatar-blank">
              <Icon name="person" size={56} />
            </span>
          ) : (
            <Avatar name={name} />
          )}
          <p>{emptyText(camera)}</p>
        </div>
      )}
      {microphone.track !== null && (
        <div className="preview-level">
          <LevelMeter label={texts.lobby.level} />
        </div>
      )}
      <PreviewToggles />
    </div>
  );
}

function emptyText({ on, trouble }: CallState["local"]["camera"]): string {
  if (trouble !== null) return texts.lobby.noCamera;
  return on ? texts.lobby.cameraStarting : texts.lobby.cameraOff;
}

function PreviewToggles() {
  const { microphone, camera } = useCall().local;
  const dispatch = useDispatch();
  const microphoneLabel =
    microphone.trouble !== null
      ? texts.controls.microphoneBlocked
      : microphone.on
        ? texts.controls.mute
        : texts.controls.unmute;
  const cameraLabel =
    camera.trouble !== null
      ? texts.controls.cameraBlocked
      : camera.on
        ? texts.controls.cameraOff
        : texts.controls.cameraOn;
  return (
    <div className="preview-toggles">
      <button
        type="button"
        className={`round${microphone.on ? "" : " off"}`}
        data-testid="lobby-toggle-mic"
        data-on={microphone.on}
        aria-label={microphoneLabel}
        title={microphoneLabel}
        onClick={() => dispatch({ type: "capture-toggled", capture: "microphone" })}
      >
        <Icon name={microphone.on ? "microphone" : "microphoneOff"} />
        {microphone.trouble !== null && <span className="trouble-dot" aria-hidden="true" />}
      </button>
      <button
        type="button"
        className={`round${camera.on ? "" : " off"}`}
        data-testid="lobby-toggle-camera"
        data-on={camera.on}
        aria-label={cameraLabel}
        title={cameraLabel}
        onClick={() => dispatch({ type: "capture-toggled", capture: "camera" })}
      >
        <Icon name={camera.on ? "camera" : "cameraOff"} />
        {camera.trouble !== null && <span className="trouble-dot" aria-hidden="true" />}
      </button>
    </div>
  );
}
