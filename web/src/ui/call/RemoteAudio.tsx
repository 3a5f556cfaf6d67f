import { useEffect, useRef } from "react";
import { errorName } from "../../error-name";
import { useCall, useDispatch } from "../context";

/** Everybody's sound, whether or not their tile is on the page. */
export function RemoteAudio() {
  const { participants, chosen, soundBlocked } = useCall();
  return (
    <div hidden>
      {participants.map(({ id, media }) => {
        const track = media.microphone?.track ?? null;
        return (
          track !== null && (
            <Voice key={id} id={id} track={track} speaker={chosen.speaker} blocked={soundBlocked} />
          )
        );
      })}
    </div>
  );
}

interface VoiceProps {
  id: string;
  track: MediaStreamTrack;
  speaker: string | undefined;
  /** Turns false when the user has allowed sound: play again then. */
  blocked: boolean;
}

function Voice({ id, track, speaker, blocked }: VoiceProps) {
  const element = useRef<HTMLAudioElement>(null);
  const dispatch = useDispatch();

  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([track]);
    return () => {
      audio.srcObject = null;
    };
  }, [track]);

  useEffect(() => {
    if (blocked) return;
    element.current?.play().catch((error: unknown) => {
      if (errorName(error) === "NotAllowedError") dispatch({ type: "sound-blocked" });
    });
  }, [track, blocked, dispatch]);

  useEffect(() => {
    const audio = element.current;
    if (audio === null || speaker === undefined || !("setSinkId" in audio)) return;
    // A speaker that is gone leaves the sound where it was.
    audio.setSinkId(speaker).catch(() => undefined);
  }, [speaker]);

  return <audio ref={element} data-participant-id={id} />;
}
