import { useEffect, useRef } from "react";
import { useCall, useServices } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { PermissionNote } from "../parts/PermissionNote";
import { PreviewToggles } from "../parts/Preview";
import { VideoView } from "../parts/VideoView";
import { texts } from "../texts";

/** Somebody is being called, or one is on the way into a call: the own picture, who it is, and the way out. */
export function OutgoingScreen() {
  const { call, phase, local } = useCall();
  const { session } = useServices();
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => cancel.current?.focus(), []);
  const title = call?.title ?? "";
  const joining = phase === "joining";
  const { camera } = local;
  const picture = camera.on && camera.track !== null;
  return (
    <main
      className={`outgoing${picture ? " outgoing-picture" : ""}`}
      aria-label={joining ? texts.joining.text(title) : texts.outgoing.label(title)}
      data-testid="outgoing-screen"
      data-phase={phase}
    >
      {picture && (
        <div className="outgoing-self" data-testid="outgoing-preview">
          <VideoView track={camera.track} mirrored fit="cover" label={texts.preview.label} />
        </div>
      )}
      <div className="outgoing-who">
        <span className="ringing-face">
          <Avatar name={title} />
        </span>
        <h1>{title}</h1>
        <p className="outgoing-state" role="status" data-testid="outgoing-state">
          {stateText(joining, call?.callId ?? "")}
        </p>
      </div>
      <div className="outgoing-foot">
        <PermissionNote />
        <div className="outgoing-buttons">
          <PreviewToggles />
          <button
            ref={cancel}
            type="button"
            className="round round-danger"
            aria-label={joining ? texts.controls.leave : texts.outgoing.cancel}
            title={joining ? texts.controls.leave : texts.outgoing.cancel}
            data-testid="outgoing-cancel"
            onClick={() => session.leave()}
          >
            <Icon name="leave" size={28} />
          </button>
        </div>
      </div>
    </main>
  );
}

/** Until the gateway has named the call nobody's device rings. */
function stateText(joining: boolean, callId: string): string {
  if (joining) return texts.joining.title;
  return callId === "" ? texts.outgoing.calling : texts.outgoing.ringing;
}
