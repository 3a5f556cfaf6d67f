import { useEffect, useRef } from "react";
import { Picture } from "../../media/picture";

interface SeamlessVideoProps {
  track: MediaStreamTrack | null;
  mirrored?: boolean;
  fit: "cover" | "contain";
  label: string;
  /** Every frame presented, with its time (`performance.now()`). */
  onFrame?: (at: number) => void;
}

/** Shows a track; when another one takes its place, the old picture stays until the new one has its first frame. */
export function SeamlessVideo({ track, mirrored = false, fit, label, onFrame }: SeamlessVideoProps) {
  const box = useRef<HTMLDivElement>(null);
  const picture = useRef<Picture | null>(null);
  const listener = useRef(onFrame);

  useEffect(() => {
    listener.current = onFrame;
  }, [onFrame]);

  useEffect(() => {
    if (box.current === null) return;
    const made = new Picture(box.current, (at) => listener.current?.(at));
    picture.current = made;
    return () => {
      made.close();
      picture.current = null;
    };
  }, []);

  useEffect(() => {
    picture.current?.dress({ className: `video video-${fit}${mirrored ? " mirrored" : ""}`, label });
  }, [fit, mirrored, label]);

  useEffect(() => {
    picture.current?.show(track);
  }, [track]);

  return (
    <div ref={box} className="video-box" style={{ position: "absolute", inset: 0, isolation: "isolate" }} />
  );
}
