import type { CallState, Participant } from "../../call/state";
import { useCall, useServices } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { Dialog } from "../parts/Dialog";
import { QualityBars } from "../parts/QualityBars";
import { Sure } from "../parts/Sure";
import { texts } from "../texts";

export function PeoplePanel({ onClose }: { onClose: () => void }) {
  const state = useCall();
  const { session } = useServices();
  return (
    <Dialog title={texts.people.title} look="sheet" testId="people-panel" onClose={onClose}>
      <ul className="people">
        <Self state={state} />
        {state.participants.map((person) => (
          <Row key={person.id} person={person} initiatorId={state.call?.initiatorId ?? null}>
            {state.canRemove && person.presence !== "left" && (
              <Sure
                label={texts.people.removeShort}
                name={texts.people.remove(person.name)}
                question={texts.people.removeSure(person.name)}
                testId="people-remove"
                look="small"
                onSure={() => session.kick(person.id)}
              />
            )}
          </Row>
        ))}
      </ul>
      {state.canEndForAll && (
        <Sure
          label={texts.people.endForAll}
          question={texts.people.endSure}
          testId="people-end"
          look="wide"
          onSure={() => session.end()}
        />
      )}
    </Dialog>
  );
}

function Self({ state }: { state: CallState }) {
  const { local, call } = state;
  const host = state.userId !== null && call?.initiatorId === state.userId;
  return (
    <li className="person" data-testid="people-row">
      <Avatar name={state.name} src={state.avatar} />
      <span className="person-who">
        <span className="member-name">{texts.conversation.you(state.name)}</span>
        {host && <span className="person-note">{texts.people.host}</span>}
      </span>
      <MediaMarks audio={local.microphone.on} video={local.camera.on} screen={local.screen.on} />
      <QualityBars quality={state.quality} />
    </li>
  );
}

interface RowProps {
  person: Participant;
  initiatorId: string | null;
  children: React.ReactNode;
}

function Row({ person, initiatorId, children }: RowProps) {
  const notes = [
    texts.people.state[person.presence],
    person.isGuest ? texts.people.guest : "",
    person.userId !== null && person.userId === initiatorId ? texts.people.host : "",
  ].filter((note) => note !== "");
  return (
    <li
      className={`person person-${person.presence}`}
      data-testid="people-row"
      data-participant-id={person.id}
    >
      <Avatar name={person.name} src={person.avatar} />
      <span className="person-who">
        <span className="member-name">{person.name === "" ? texts.call.guest : person.name}</span>
        {notes.length > 0 && <span className="person-note">{notes.join(" · ")}</span>}
      </span>
      <MediaMarks audio={person.audioOn} video={person.videoOn} screen={person.screenOn} />
      <QualityBars quality={person.quality} />
      {children}
    </li>
  );
}

function MediaMarks({ audio, video, screen }: { audio: boolean; video: boolean; screen: boolean }) {
  const { people } = texts;
  const words = [
    audio ? people.unmuted : people.muted,
    video ? people.cameraOn : people.cameraOff,
    screen ? people.sharing : "",
  ].filter((word) => word !== "");
  return (
    <span className="marks" role="img" aria-label={words.join(", ")}>
      {screen && <Icon name="screen" size={18} />}
      <span className={audio ? "" : "mark-off"}>
        <Icon name={audio ? "microphone" : "microphoneOff"} size={18} />
      </span>
      <span className={video ? "" : "mark-off"}>
        <Icon name={video ? "camera" : "cameraOff"} size={18} />
      </span>
    </span>
  );
}
