import { useEffect, useRef } from "react";
import { Icon } from "../icons/Icon";
import { DeviceSelects } from "../parts/DeviceSelects";
import { LevelMeter } from "../parts/LevelMeter";
import { useCopyLink } from "../parts/useCopyLink";
import { texts } from "../texts";
import { useFullScreen } from "./useFullScreen";

export function DevicePanel({ onClose }: { onClose: () => void }) {
  const panel = useRef<HTMLDivElement>(null);
  const copy = useCopyLink();
  const fullScreen = useFullScreen();

  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape") onClose();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [onClose]);

  return (
    <>
      <div className="scrim" onClick={onClose} aria-hidden="true" />
      <div ref={panel} className="panel" role="dialog" aria-label={texts.controls.devices} tabIndex={-1}>
        <div className="panel-head">
          <h2>{texts.controls.devices}</h2>
          <button type="button" className="icon-button" aria-label={texts.controls.close} onClick={onClose}>
            <Icon name="close" size={20} />
          </button>
        </div>
        <DeviceSelects />
        <div className="panel-level">
          <span>{texts.lobby.level}</span>
          <LevelMeter label={texts.lobby.level} />
        </div>
        <div className="panel-more">
          <button type="button" className="button button-quiet" onClick={copy}>
            <Icon name="link" size={20} />
            {texts.controls.copyLink}
          </button>
          {fullScreen.possible && (
            <button type="button" className="button button-quiet" onClick={fullScreen.toggle}>
              <Icon name={fullScreen.on ? "shrink" : "expand"} size={20} />
              {fullScreen.on ? texts.controls.leaveFullScreen : texts.controls.fullScreen}
            </button>
          )}
        </div>
      </div>
    </>
  );
}
