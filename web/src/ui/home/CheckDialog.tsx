import { useState } from "react";
import { useAppServices, useCall } from "../context";
import { Icon } from "../icons/Icon";
import { DeviceSelects } from "../parts/DeviceSelects";
import { Dialog } from "../parts/Dialog";
import { PermissionNote } from "../parts/PermissionNote";
import { Preview, useOpenPreview } from "../parts/Preview";
import { texts } from "../texts";

/** Before a call: does one look and sound right, and is the connection fast enough? */
export function CheckDialog({ onClose }: { onClose: () => void }) {
  const { local } = useCall();
  useOpenPreview();
  const ready = local.camera.track !== null && local.microphone.track !== null;
  return (
    <Dialog title={texts.check.title} look="window" testId="check-dialog" onClose={onClose}>
      <div className="check">
        <Preview />
        <PermissionNote />
        {ready && (
          <p className="check-good" role="status">
            <Icon name="check" size={20} />
            {texts.check.good}
          </p>
        )}
        <DeviceSelects />
        <Speed />
      </div>
    </Dialog>
  );
}

/** Kilobits a second a video call of two wants at the least to look well. */
const GOOD_SPEED = 1500;

type Measured = "idle" | "busy" | "failed" | number;

function Speed() {
  const { measureSpeed } = useAppServices();
  const [speed, setSpeed] = useState<Measured>("idle");
  const measure = () => {
    setSpeed("busy");
    measureSpeed().then(
      (kilobits) => setSpeed(kilobits > 0 ? kilobits : "failed"),
      () => setSpeed("failed"),
    );
  };
  return (
    <div className="check-speed">
      <span className="check-speed-label">{texts.check.speed}</span>
      <span role="status">{speedText(speed)}</span>
      <button type="button" className="button button-quiet" disabled={speed === "busy"} onClick={measure}>
        {texts.check.measure}
      </button>
    </div>
  );
}

function speedText(speed: Measured): string {
  const { check } = texts;
  if (speed === "idle") return "";
  if (speed === "busy") return check.measuring;
  if (speed === "failed") return check.speedFailed;
  const value = (speed / 1000).toFixed(speed < 10_000 ? 1 : 0);
  return `${check.mbits(value)}, ${speed >= GOOD_SPEED ? check.speedGood : check.speedWeak}`;
}
