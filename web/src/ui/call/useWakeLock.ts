import { useEffect } from "react";

/** Keeps a phone's screen on during the call, where the browser lets a page ask. */
export function useWakeLock(): void {
  useEffect(() => {
    const wakeLock = (navigator as { wakeLock?: WakeLock }).wakeLock;
    if (wakeLock === undefined) return;
    let held: WakeLockSentinel | null = null;
    let over = false;
    const acquire = () => {
      if (document.visibilityState !== "visible") return;
      wakeLock.request("screen").then(
        (sentinel) => {
          if (over) void sentinel.release();
          else held = sentinel;
        },
        // Low battery or policy: then the screen dims as usual.
        () => undefined,
      );
    };
    acquire();
    // The browser takes the lock away whenever the page is hidden.
    document.addEventListener("visibilitychange", acquire);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", acquire);
      void held?.release();
    };
  }, []);
}
