import { useCall } from "../context";
import { Icon } from "../icons/Icon";
import { useCopyLink } from "../parts/useCopyLink";
import { texts } from "../texts";

/** Nobody else is here yet: the one thing to do is to ask somebody in. */
export function Alone() {
  const copy = useCopyLink();
  const done = useCall().toasts.some((toast) => toast.kind === "link-copied");
  return (
    <div className="alone">
      <div>
        <h2>{texts.call.aloneTitle}</h2>
        <p>{texts.call.aloneText}</p>
      </div>
      <button type="button" className="button button-primary" onClick={copy}>
        <Icon name={done ? "check" : "link"} size={20} />
        {done ? texts.lobby.copied : texts.lobby.copyLink}
      </button>
    </div>
  );
}
