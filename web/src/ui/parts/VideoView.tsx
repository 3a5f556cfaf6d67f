import { useEffect, useRef } from "react";

interface VideoViewProps {
  track: MediaStreamTrack | null;
  mirrored?: boolean;
  fit: "cover" | "contain";
  label: string;
  onFrame?: () => void;
}

/** Shows a track. Sound never comes from here. */
export function VideoView({ track, mirrored = false, fit, label, onFrame }: VideoViewProps) {
  const element = useRef<HTMLVideoElement>(null);

  useEffect(() => {
    const video = element.current;
    if (video === null) return;
    video.srcObject = track === null ? null : new MediaStream([track]);
    // Muted video may always play; a refusal only means that the element is going away.
    if (track !== null) video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [track]);

  useEffect(() => {
    const video = element.current;
    if (video === null || track === null || onFrame === undefined) return;
    if (!("requestVideoFrameCallback" in video)) return;
    const handle = video.requestVideoFrameCallback(() => onFrame());
    return () => video.cancelVideoFrameCallback(handle);
  }, [track, onFrame]);

  return (
    <video
      ref={element}
      className={`video video-${fit}${mirrored ? " mirrored" : ""}`}
      aria-label={label}
      autoPlay
      muted
      playsInline
      disablePictureInPicture
    />
  );
}
