import { useSyncExternalStore } from "react";

interface FullScreen {
  possible: boolean;
  on: boolean;
  toggle: () => void;
}

function subscribe(listener: () => void): () => void {
  document.addEventListener("fullscreenchange", listener);
  return () => document.removeEventListener("fullscreenchange", listener);
}

function toggle(): void {
  const done = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen({ navigationUI: "hide" });
  // Refused by policy, for instance inside a frame: nothing to do about it.
  done.catch(() => undefined);
}

export function useFullScreen(): FullScreen {
  const on = useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);
  return { possible: document.fullscreenEnabled, on, toggle };
}
