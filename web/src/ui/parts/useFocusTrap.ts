import { type RefObject, useEffect } from "react";

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

/** Keeps the Tab key inside an element while it is shown, and gives the focus back to where it came from. */
export function useFocusTrap(element: RefObject<HTMLElement | null>, onEscape: () => void): void {
  useEffect(() => {
    const before = document.activeElement;
    const inside = element.current;
    if (inside !== null && !inside.contains(before)) (firstWish(inside) ?? inside).focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [element]);

  useEffect(() => {
    const inside = element.current;
    if (inside === null) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        onEscape();
      } else if (event.key === "Tab") keepInside(event, inside);
    };
    // Also when the focus has been lost to the page, as happens when a focused button goes away.
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [element, onEscape]);
}

function firstWish(inside: HTMLElement): HTMLElement | null {
  return inside.querySelector<HTMLElement>("[data-first-focus]");
}

function keepInside(event: KeyboardEvent, inside: HTMLElement): void {
  const stops = [...inside.querySelectorAll<HTMLElement>(FOCUSABLE)];
  const [first, last] = [stops[0], stops.at(-1)];
  if (first === undefined || last === undefined) return;
  const at = document.activeElement;
  const leaves = event.shiftKey ? at === first || at === inside : at === last;
  if (!leaves && inside.contains(at)) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
}
