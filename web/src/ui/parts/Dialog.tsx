import { type ReactNode, useId, useRef } from "react";
import { Icon } from "../icons/Icon";
import { texts } from "../texts";
import { useFocusTrap } from "./useFocusTrap";

interface DialogProps {
  title: string;
  /** `sheet`: at the side of a call, over the tiles. `window`: in the middle, with everything else out of reach. */
  look: "window" | "sheet";
  testId?: string;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, look, testId, onClose, children }: DialogProps) {
  const element = useRef<HTMLDivElement>(null);
  const heading = useId();
  useFocusTrap(element, onClose);
  return (
    <>
      <div className={`scrim scrim-${look}`} onClick={onClose} aria-hidden="true" />
      <div
        ref={element}
        className={look === "sheet" ? "panel" : "dialog"}
        role="dialog"
        aria-modal="true"
        aria-labelledby={heading}
        data-testid={testId}
        tabIndex={-1}
      >
        <div className="panel-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="icon-button" aria-label={texts.close} onClick={onClose}>
            <Icon name="close" size={20} />
          </button>
        </div>
        {children}
      </div>
    </>
  );
}
