import { useCall } from "../context";
import { Dialog } from "../parts/Dialog";
import { texts } from "../texts";

/** Lines shown at a time: enough to read after a glance away, few enough to leave the faces free. */
const LINES = 3;

/** What is being said, over the lower edge of the pictures. */
export function CaptionLines() {
  const { captions } = useCall();
  // Who cannot caption themselves still reads what others send.
  const shown = captions.on || (!captions.available && captions.lines.length > 0);
  if (!shown) return null;
  const lines = captions.lines.slice(-LINES);
  return (
    <section className="captions" aria-label={texts.captions.label} data-testid="captions">
      {lines.length === 0 ? (
        <p className="captions-waiting">{texts.captions.waiting}</p>
      ) : (
        <ol role="log" aria-live="polite">
          {lines.map((line) => (
            <li key={line.id} className={line.final ? undefined : "caption-interim"}>
              <strong>{texts.captions.said(line.name)}</strong> {line.text}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** Asked before one's own speech becomes text for the first time in a call. */
export function CaptionConsent({ onYes, onClose }: { onYes: () => void; onClose: () => void }) {
  return (
    <Dialog title={texts.captions.consentTitle} look="window" testId="caption-consent" onClose={onClose}>
      <p className="consent-text">{texts.captions.consentText}</p>
      <div className="dialog-actions">
        <button type="button" className="button button-quiet" onClick={onClose}>
          {texts.cancel}
        </button>
        <button
          type="button"
          className="button button-primary"
          data-testid="caption-consent-yes"
          data-first-focus
          onClick={onYes}
        >
          {texts.captions.consentYes}
        </button>
      </div>
    </Dialog>
  );
}
