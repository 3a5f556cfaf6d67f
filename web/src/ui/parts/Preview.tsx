import { useEffect } from "react";
import type { CallState } from "../../call/state";
import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { texts } from "../texts";
import { Avatar } from "./Avatar";
import { LevelMeter } from "./LevelMeter";
import { VideoView } from "./VideoView";

/** Camera and microphone are open for as long as a preview is on the page. */
export function useOpenPreview(): void {
  const dispatch = useDispatch();
  useEffect(() => {
    dispatch({ type: "preview-opened" });
    return () => dispatch({ type: "preview-closed" });
  }, [dispatch]);
}

/** The own picture as others will see it, mirrored as in a mirror. */
export function Preview() {
  const { local, name } = useCall();
  const { camera, microphone } = local;
  const showing = camera.on && camera.track !== null;
  return (
    <div className="preview" data-testid="preview">
      {showing ? (
        <VideoView track={camera.track} mirrored fit="cover" label={texts.preview.label} />
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
          <LevelMeter label={texts.preview.level} />
        </div>
      )}
      <PreviewToggles />
    </div>
  );
}

function emptyText({ on, trouble }: CallState["local"]["camera"]): string {
  if (trouble !== null) return texts.preview.noCamera;
  return on ? texts.preview.cameraStarting : texts.preview.cameraOff;
}

export function PreviewToggles() {
  const { microphone, camera } = useCall().local;
  const { controls } = texts;
  const microphoneLabel = microphone.on ? controls.mute : controls.unmute;
  const cameraLabel = camera.on ? controls.cameraOff : controls.cameraOn;
  return (
    <div className="preview-toggles">
      <Toggle
        capture="microphone"
        on={microphone.on}
        trouble={microphone.trouble !== null}
        label={microphone.trouble === null ? microphoneLabel : controls.microphoneBlocked}
      />
      <Toggle
        capture="camera"
        on={camera.on}
        trouble={camera.trouble !== null}
        label={camera.trouble === null ? cameraLabel : controls.cameraBlocked}
      />
    </div>
  );
}

interface ToggleProps {
  capture: "microphone" | "camera";
  on: boolean;
  trouble: boolean;
  label: string;
}

function Toggle({ capture, on, trouble, label }: ToggleProps) {
  const dispatch = useDispatch();
  return (
    <button
      type="button"
      className={`round${on ? "" : " off"}`}
      data-testid={`preview-${capture}`}
      data-on={on}
      aria-label={label}
      title={label}
      onClick={() => dispatch({ type: "capture-toggled", capture })}
    >
      <Icon name={on ? capture : `${capture}Off`} />
      {trouble && <span className="trouble-dot" aria-hidden="true" />}
    </button>
  );
}
