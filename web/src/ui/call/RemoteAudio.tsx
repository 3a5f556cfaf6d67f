import { useEffect, useRef } from "react";
import { type Sound, Voice } from "../../media/voice";
import { useCall, useDispatch, useServices } from "../context";

/** Everybody's sound, whether or not their tile is on the page. */
export function RemoteAudio() {
  const { participants, chosen, soundBlocked } = useCall();
  return (
    <div hidden>
      {participants.map(({ id, media }) => (
        <Speaker
          key={id}
          id={id}
          track={media.microphone?.track ?? null}
          receiver={media.microphone?.receiver ?? null}
          speaker={chosen.speaker}
          blocked={soundBlocked}
        />
      ))}
    </div>
  );
}

interface SpeakerProps {
  id: string;
  track: MediaStreamTrack | null;
  receiver: RTCRtpReceiver | null;
  speaker: string | undefined;
  /** Turns false when the user has allowed sound: play again then. */
  blocked: boolean;
}

function Speaker({ id, track, receiver, speaker, blocked }: SpeakerProps) {
  const box = useRef<HTMLDivElement>(null);
  const voice = useRef<Voice | null>(null);
  const dispatch = useDispatch();
  const { session } = useServices();

  useEffect(() => {
    if (box.current === null) return;
    const made = new Voice(box.current, {
      onBlocked: () => dispatch({ type: "sound-blocked" }),
      onAudible: (sound: Sound) => session.noteVoice(id, sound),
    });
    voice.current = made;
    return () => {
      made.close();
      voice.current = null;
    };
  }, [id, dispatch, session]);

  useEffect(() => {
    voice.current?.hear(track === null ? null : { track, receiver });
  }, [track, receiver]);

  useEffect(() => {
    if (!blocked) voice.current?.retry();
  }, [blocked]);

  useEffect(() => {
    voice.current?.useSpeaker(speaker);
  }, [speaker]);

  return <div ref={box} data-participant-id={id} />;
}
