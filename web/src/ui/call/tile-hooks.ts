import { type RefObject, useEffect } from "react";
import type { Tile } from "../../call/tiles";
import { SPEAKING_LEVEL } from "../../media/levels";
import { useServices } from "../context";

/** Loudness that must last this many polls before the ring goes out again: pauses between words are no silence. */
const RELEASE_POLLS = 8;

/** Lights the ring while the person speaks, without rendering ten times a second. */
export function useSpeaking(element: RefObject<HTMLElement | null>, tile: Tile): void {
  const { session } = useServices();
  const key = tile.local ? "local" : tile.participantId;
  const listens = tile.source === "camera" && !tile.muted;
  useEffect(() => {
    const target = element.current;
    if (!listens || target === null) return;
    let quiet = RELEASE_POLLS;
    const stop = session.levels.subscribe(key, (level) => {
      quiet = level > SPEAKING_LEVEL ? 0 : quiet + 1;
      target.classList.toggle("tile-speaking", quiet < RELEASE_POLLS);
    });
    return () => {
      stop();
      target.classList.remove("tile-speaking");
    };
  }, [session, element, key, listens]);
}

/** Tells the media layer how large this picture is shown, and when it is shown no longer. */
export function useReportedView(element: RefObject<HTMLElement | null>, tile: Tile): void {
  const { views } = useServices().session;
  const { mediaKey, video } = tile;
  useEffect(() => {
    const target = element.current;
    if (mediaKey === null || !video || target === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const scale = window.devicePixelRatio;
      const { width, height } = entry.contentRect;
      views.show(mediaKey, { width: Math.round(width * scale), height: Math.round(height * scale) });
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      views.hide(mediaKey);
    };
  }, [views, element, mediaKey, video]);
}
