import type { Switching } from "../../call/state";
import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { useNow } from "../parts/useNow";
import { texts } from "../texts";

/** Tells that the way media takes is changing. Lies above the pictures, which go on all the while. */
export function SwitchStrip() {
  const { switching } = useCall();
  if (switching === null) return null;
  const { phase } = switching;
  return (
    <div className={`strip strip-${phase}`} role="status" data-testid="switch-strip" data-phase={phase}>
      {phase === "failed" ? (
        <Icon name="warning" size={18} />
      ) : (
        <span className="spinner" aria-hidden="true" />
      )}
      <StripText switching={switching} />
      {phase !== "switching" && <Retry />}
    </div>
  );
}

function StripText({ switching }: { switching: Switching }) {
  const now = useNow();
  const { to, phase, retryAt } = switching;
  if (phase === "failed") return <span>{texts.switching.failed}</span>;
  if (phase === "switching")
    return <span>{to === "sfu" ? texts.switching.toGroup : texts.switching.toDirect}</span>;
  const seconds = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - now) / 1000));
  // Read out once, not every second.
  return (
    <span>
      <span aria-hidden="true">{texts.switching.retrying(seconds)}</span>
      <span className="visually-hidden">{texts.switching.retrying(0)}</span>
    </span>
  );
}

function Retry() {
  const dispatch = useDispatch();
  return (
    <button
      type="button"
      className="strip-button"
      data-testid="switch-retry"
      onClick={() => dispatch({ type: "retry-switch-asked" })}
    >
      {texts.switching.retry}
    </button>
  );
}
