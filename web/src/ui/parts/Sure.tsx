import { useState } from "react";
import { texts } from "../texts";

interface SureProps {
  label: string;
  /** Accessible name, where the label alone does not say what it is about. */
  name?: string;
  question: string;
  testId: string;
  look: "small" | "wide";
  onSure: () => void;
}

/** A button for what cannot be undone: it asks once more, in place. */
export function Sure({ label, name, question, testId, look, onSure }: SureProps) {
  const [step, setStep] = useState<"waits" | "asked" | "taken-back">("waits");
  if (step !== "asked") {
    return (
      <button
        type="button"
        className={`button button-danger-quiet sure-${look}`}
        aria-label={name}
        data-testid={testId}
        // Whoever takes it back is where they were.
        autoFocus={step === "taken-back"}
        onClick={() => setStep("asked")}
      >
        {label}
      </button>
    );
  }
  return (
    <span className={`sure sure-${look}`} role="group" aria-label={question}>
      <span className="sure-question">{question}</span>
      <button
        type="button"
        className="button button-danger"
        data-testid={`${testId}-sure`}
        autoFocus
        onClick={onSure}
      >
        {texts.people.sure}
      </button>
      <button type="button" className="button button-quiet" onClick={() => setStep("taken-back")}>
        {texts.cancel}
      </button>
    </span>
  );
}
