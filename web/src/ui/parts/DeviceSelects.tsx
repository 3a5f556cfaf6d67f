import { useId } from "react";
import type { ChosenKind, LocalCapture } from "../../call/state";
import { canChooseSpeaker, type DeviceChoice } from "../../media/devices";
import { useCall, useDispatch } from "../context";
import { Icon, type IconName } from "../icons/Icon";
import { texts } from "../texts";

interface Row {
  kind: ChosenKind;
  icon: IconName;
  choices: DeviceChoice[];
}

export function DeviceSelects() {
  const { devices } = useCall();
  const rows: Row[] = [
    { kind: "camera", icon: "camera", choices: devices.cameras },
    { kind: "microphone", icon: "microphone", choices: devices.microphones },
  ];
  if (canChooseSpeaker()) rows.push({ kind: "speaker", icon: "speaker", choices: devices.speakers });
  return (
    <div className="device-selects">
      {rows.map((row) => (
        <DeviceSelect key={row.kind} {...row} />
      ))}
    </div>
  );
}

/** Without permission a browser does not even tell whether there is a device. */
function absence({ trouble }: LocalCapture): string {
  return trouble === "denied" ? texts.devices.blocked : texts.devices.none;
}

function DeviceSelect({ kind, icon, choices }: Row) {
  const id = useId();
  const dispatch = useDispatch();
  const { local, chosen: choice } = useCall();
  const chosen = choice[kind];
  const known = choices.some((choice) => choice.id === chosen);
  return (
    <div className="device-select">
      <label htmlFor={id}>{texts.devices[kind]}</label>
      <span className="select">
        <Icon name={icon} size={18} />
        <select
          id={id}
          data-testid={`device-${kind}`}
          value={known ? chosen : (choices[0]?.id ?? "")}
          disabled={choices.length === 0}
          onChange={(event) => dispatch({ type: "device-chosen", kind, deviceId: event.target.value })}
        >
          {choices.length === 0 && (
            <option value="">
              {kind === "speaker" ? texts.devices.systemDefault : absence(local[kind])}
            </option>
          )}
          {choices.map((choice, index) => (
            <option key={choice.id} value={choice.id}>
              {choice.label === "" ? texts.devices.unnamed(texts.devices[kind], index + 1) : choice.label}
            </option>
          ))}
        </select>
      </span>
    </div>
  );
}
