import { useEffect } from "react";
import type { Capture } from "../../call/state";
import { useServices } from "../context";

const KEYS: Partial<Record<string, Capture>> = { m: "microphone", v: "camera", s: "screen" };

/** m, v and s, unless the user is writing something. Escape is left to panels: it never ends a call. */
export function useShortcuts(): void {
  const { store, session } = useServices();
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const capture = KEYS[event.key.toLowerCase()];
      const mayShare = session.canShareScreen && store.state().canShareScreen;
      if (capture === undefined || (capture === "screen" && !mayShare)) return;
      event.preventDefault();
      store.dispatch({ type: "capture-toggled", capture });
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [store, session]);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
