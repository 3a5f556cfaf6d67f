import { type ReactNode, useId } from "react";

interface FieldProps {
  label: string;
  hint?: string;
  error?: string | null;
  children: (field: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ReactNode;
}

/** A label, whatever is typed or chosen, and what is wrong with it. */
export function Field({ label, hint, error = null, children }: FieldProps) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className={`field${error === null ? "" : " field-wrong"}`}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": note, "aria-invalid": error !== null })}
      <p id={note} className="field-note" role={error === null ? undefined : "alert"}>
        {error ?? hint}
      </p>
    </div>
  );
}
