import type { ReactNode } from "react";

export type BadgeLook = "good" | "busy" | "bad" | "plain" | "accent";

interface BadgeProps {
  look: BadgeLook;
  /** More words, where the short ones may not say enough. */
  title?: string;
  testId?: string;
  state?: string;
  children: ReactNode;
}

/** A state in a word and a colour; the word alone is enough. */
export function Badge({ look, title, testId, state, children }: BadgeProps) {
  return (
    <span className={`op-badge op-badge-${look}`} title={title} data-testid={testId} data-state={state}>
      {children}
    </span>
  );
}
