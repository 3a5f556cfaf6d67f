import { type RefObject, useEffect } from "react";
import { giveFocusBack, stopsIn } from "./focus";

/** What lies above every dialog and is to be reached from it: somebody who rings. */
const ABOVE = "[data-above-dialogs]";

/** Keeps the Tab key inside an element while it is shown, and gives the focus back to where it came from. */
export function useFocusTrap(element: RefObject<HTMLElement | null>, onEscape: () => void): void {
  useEffect(() => {
    const before = document.activeElement;
    const inside = element.current;
    if (inside !== null && !inside.contains(before)) (firstWish(inside) ?? inside).focus();
    return () => giveFocusBack(before);
  }, [element]);

  useEffect(() => {
    const inside = element.current;
    if (inside === null) return;
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        onEscape();
      } else if (event.key === "Tab") goOn(event, inside);
    };
    // Also when the focus has been lost to the page, as happens when a focused button goes away.
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [element, onEscape]);
}

function firstWish(inside: HTMLElement): HTMLElement | null {
  return inside.querySelector<HTMLElement>("[data-first-focus]");
}

/** To the next stop, round and round. */
function goOn(event: KeyboardEvent, inside: HTMLElement): void {
  const stops = [inside, ...document.querySelectorAll(ABOVE)].flatMap(stopsIn);
  const at = stops.findIndex((stop) => stop === document.activeElement);
  const from = at === -1 && event.shiftKey ? 0 : at;
  event.preventDefault();
  stops.at((from + (event.shiftKey ? -1 : 1)) % Math.max(1, stops.length))?.focus();
}
