import { useRef } from "react";
import { resumeAudio } from "../../media/audio-context";
import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { useBorrowedFocus } from "../parts/focus";
import { texts } from "../texts";

export function SoundPrompt() {
  const { soundBlocked } = useCall();
  const dispatch = useDispatch();
  const button = useRef<HTMLButtonElement>(null);
  useBorrowedFocus(button, soundBlocked);
  if (!soundBlocked) return null;
  const allow = () => {
    resumeAudio();
    dispatch({ type: "sound-allowed" });
  };
  return (
    <div
      className="sound-prompt"
      role="alertdialog"
      aria-label={texts.call.soundBlocked}
      data-testid="sound-prompt"
    >
      <p>{texts.call.soundBlocked}</p>
      <button ref={button} type="button" className="button button-primary" onClick={allow}>
        <Icon name="speaker" size={20} />
        {texts.call.playSound}
      </button>
    </div>
  );
}
