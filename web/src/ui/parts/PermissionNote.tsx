import type { CallState } from "../../call/state";
import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { texts } from "../texts";

/** What to do when camera or microphone cannot be used. Joining stays possible all the while. */
export function PermissionNote() {
  const { local } = useCall();
  const dispatch = useDispatch();
  const troubled = (["camera", "microphone"] as const).filter((capture) => local[capture].trouble !== null);
  if (troubled.length === 0) return null;
  const retry = () => {
    for (const capture of troubled) dispatch({ type: "capture-retried", capture });
  };
  return (
    <div className="note" role="alert" data-testid="permission-note">
      <Icon name="warning" size={22} />
      <div className="note-text">{explain(local)}</div>
      <button type="button" className="button button-quiet" onClick={retry}>
        {texts.retry}
      </button>
    </div>
  );
}

function explain({ camera, microphone }: CallState["local"]) {
  if (camera.trouble === "denied" && microphone.trouble === "denied") {
    return (
      <>
        <strong>{texts.trouble.both.title}</strong>
        <p>{texts.trouble.both.text}</p>
      </>
    );
  }
  return (
    <>
      {camera.trouble !== null && <p>{texts.trouble.camera[camera.trouble]}</p>}
      {microphone.trouble !== null && <p>{texts.trouble.microphone[microphone.trouble]}</p>}
    </>
  );
}
