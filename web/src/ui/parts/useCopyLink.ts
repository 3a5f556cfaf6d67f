import { useCallback } from "react";
import { inviteLink } from "../../call/preferences";
import { useServices } from "../context";

/** Puts the room's address on the clipboard and says so. */
export function useCopyLink(): () => void {
  const { store } = useServices();
  return useCallback(() => {
    const link = inviteLink(window.location.origin, store.state().room);
    writeClipboard(link).then(
      () => store.dispatch({ type: "noticed", kind: "link-copied" }),
      () => store.dispatch({ type: "noticed", kind: "copy-failed" }),
    );
  }, [store]);
}

async function writeClipboard(text: string): Promise<void> {
  const clipboard = (navigator as { clipboard?: Clipboard }).clipboard;
  // Pages without a secure context have no clipboard.
  if (clipboard === undefined) throw new Error("no clipboard");
  await clipboard.writeText(text);
}
