import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { texts } from "../texts";

/** What would make the call better, if something would. */
export function AdviceBar() {
  const { advice, audioOnly, switching } = useCall();
  const dispatch = useDispatch();
  // One thing at a time: while the way of the call changes, that is the news.
  if (advice === null || switching !== null) return null;
  const offersAudio = advice !== "sfu-unreachable" && !audioOnly;
  return (
    <div className="strip strip-advice" role="status" data-testid="advice" data-advice={advice}>
      <Icon name="warning" size={18} />
      <span>{texts.advice[advice]}</span>
      {offersAudio && (
        <button
          type="button"
          className="strip-button"
          data-testid="advice-audio-only"
          onClick={() => dispatch({ type: "audio-only-toggled" })}
        >
          {texts.advice.audioOnly}
        </button>
      )}
      <button type="button" className="strip-button" onClick={() => dispatch({ type: "advice-dismissed" })}>
        {texts.advice.dismiss}
      </button>
    </div>
  );
}
