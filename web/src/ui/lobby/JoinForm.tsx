import { type SubmitEvent, useId, useRef, useState } from "react";
import { useCall, useDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { useCopyLink } from "../parts/useCopyLink";
import { suggestRoom } from "../room-names";
import { texts } from "../texts";

const MAX_LENGTH = 64;

export function JoinForm() {
  const { name, room, phase, joinProblem, toasts } = useCall();
  const dispatch = useDispatch();
  const nameField = useRef<HTMLInputElement>(null);
  const roomField = useRef<HTMLInputElement>(null);
  const [tried, setTried] = useState(false);
  const joining = phase === "joining";
  const nameMissing = tried && name.trim() === "";
  const roomMissing = tried && room.trim() === "";

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() === "") nameField.current?.focus();
    else if (room.trim() === "") roomField.current?.focus();
    else dispatch({ type: "join-asked" });
  };

  return (
    <form className="join" onSubmit={submit} noValidate>
      <h1>{texts.lobby.title}</h1>
      <p className="join-subtitle">{texts.lobby.subtitle}</p>
      <Field label={texts.lobby.name} error={nameMissing ? texts.lobby.needName : null}>
        {(field) => (
          <input
            {...field}
            ref={nameField}
            data-testid="lobby-name"
            value={name}
            maxLength={MAX_LENGTH}
            placeholder={texts.lobby.namePlaceholder}
            autoComplete="name"
            enterKeyHint="go"
            onChange={(event) => dispatch({ type: "name-edited", name: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={texts.lobby.room}
        error={roomMissing ? texts.lobby.needRoom : null}
        hint={texts.lobby.roomHint}
      >
        {(field) => (
          <span className="with-button">
            <input
              {...field}
              ref={roomField}
              data-testid="lobby-room"
              value={room}
              maxLength={MAX_LENGTH}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              enterKeyHint="go"
              onChange={(event) => dispatch({ type: "room-edited", room: event.target.value })}
            />
            <button
              type="button"
              className="inside-button"
              aria-label={texts.lobby.newRoom}
              title={texts.lobby.newRoom}
              onClick={() => dispatch({ type: "room-edited", room: suggestRoom() })}
            >
              <Icon name="shuffle" size={20} />
            </button>
          </span>
        )}
      </Field>
      {joinProblem !== null && (
        <p className="join-problem" role="alert" data-testid="lobby-problem">
          <Icon name="warning" size={20} />
          {texts.join[joinProblem]}
        </p>
      )}
      <div className="join-actions">
        <button type="submit" className="button button-primary" data-testid="lobby-join" disabled={joining}>
          {joining && <span className="spinner" aria-hidden="true" />}
          {joining ? texts.lobby.joining : texts.lobby.join}
        </button>
        <CopyButton done={toasts.some((toast) => toast.kind === "link-copied")} />
      </div>
    </form>
  );
}

function CopyButton({ done }: { done: boolean }) {
  const copy = useCopyLink();
  return (
    <button type="button" className="button button-plain" onClick={copy}>
      <Icon name={done ? "check" : "link"} size={20} />
      <span>{done ? texts.lobby.copied : texts.lobby.copyLink}</span>
    </button>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  error: string | null;
  children: (field: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => React.ReactNode;
}

function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className={`field${error === null ? "" : " field-wrong"}`}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": note, "aria-invalid": error !== null })}
      <p id={note} className="field-note" role={error === null ? undefined : "alert"}>
        {error ?? hint}
      </p>
    </div>
  );
}
