/** Where the focus may be, where it goes, and what gets it back. */
import { type RefObject, useEffect } from "react";

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), [tabindex]:not([tabindex="-1"])';

/** What the Tab key stops at inside an element. A control that is not shown is none, and would let the focus out. */
export function stopsIn(element: Element): HTMLElement[] {
  return [...element.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(isShown);
}

function isShown(element: HTMLElement): boolean {
  return !("checkVisibility" in element) || element.checkVisibility({ visibilityProperty: true });
}

/** Where the focus goes after its place has left the page: to where it was before, or to where the page begins. */
export function giveFocusBack(before: Element | null): void {
  const at = document.activeElement;
  if (at !== null && at !== document.body) return;
  const place =
    before instanceof HTMLElement && before !== document.body && before.isConnected
      ? before
      : document.querySelector<HTMLElement>("main[tabindex]");
  place?.focus();
}

/** Takes the focus for something that comes by itself, and gives it back when that goes. */
export function useBorrowedFocus(element: RefObject<HTMLElement | null>, wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    const before = document.activeElement;
    element.current?.focus();
    return () => giveFocusBack(before);
  }, [element, wanted]);
}
