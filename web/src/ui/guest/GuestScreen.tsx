import { type SubmitEvent, useEffect, useRef, useState } from "react";
import type { Guest } from "../../app/state";
import { useApp, useAppDispatch } from "../context";
import { Icon } from "../icons/Icon";
import { DeviceSelects } from "../parts/DeviceSelects";
import { Field } from "../parts/Field";
import { LanguageSelect } from "../parts/LanguageSelect";
import { Logo } from "../parts/Logo";
import { PermissionNote } from "../parts/PermissionNote";
import { Preview, useOpenPreview } from "../parts/Preview";
import { canCall } from "../parts/support";
import { texts } from "../texts";

/** Longest first or last name, so that both together still fit into a name. */
const MAX_PART = 30;

export function GuestScreen({ guest }: { guest: Guest }) {
  return (
    <div className="gate" data-testid="guest-screen" data-step={guest.step}>
      <header className="gate-header">
        <Logo />
      </header>
      <main className="gate-main">
        <Step guest={guest} />
      </main>
    </div>
  );
}

function Step({ guest }: { guest: Guest }) {
  const { link, step } = guest;
  if (step === "opening") {
    return (
      <p className="gate-opening" role="status">
        <span className="spinner" aria-hidden="true" />
        {texts.guest.opening}
      </p>
    );
  }
  if (step === "closed" || link === null) return <Closed guest={guest} />;
  if (step === "waiting") return <Waiting guest={guest} title={link.title} />;
  return <NameForm guest={guest} title={link.title} />;
}

function Closed({ guest }: { guest: Guest }) {
  const dispatch = useAppDispatch();
  const { problem } = guest;
  const passing = problem === "unreachable" || problem === "busy";
  return (
    <div className="card card-centre" role="alert">
      <h1>{passing ? texts.outcome.title.failed : texts.guest.closedTitle}</h1>
      <p className="gate-subtitle">{passing ? texts.problem[problem] : texts.guest.closedText}</p>
      <button
        type="button"
        className="button button-primary"
        onClick={() => dispatch({ type: "guest-retried" })}
      >
        {texts.retry}
      </button>
    </div>
  );
}

function NameForm({ guest, title }: { guest: Guest; title: string }) {
  const app = useApp();
  const dispatch = useAppDispatch();
  const field = useRef<HTMLInputElement>(null);
  const [firstName, setFirstName] = useState("");
  const [lastName, setLastName] = useState("");
  const [language, setLanguage] = useState(app.language);
  const [tried, setTried] = useState(false);
  const missing = tried && firstName.trim() === "";
  const busy = guest.step === "entering";

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (firstName.trim() === "") field.current?.focus();
    else dispatch({ type: "guest-entered", firstName, lastName, language });
  };

  return (
    <div className="card">
      <h1>{texts.guest.title(title)}</h1>
      <p className="gate-subtitle">{texts.guest.subtitle}</p>
      <form onSubmit={submit} noValidate>
        <Field label={texts.guest.firstName} error={missing ? texts.guest.needName : null}>
          {(props) => (
            <input
              {...props}
              ref={field}
              data-testid="guest-first-name"
              value={firstName}
              maxLength={MAX_PART}
              autoComplete="given-name"
              enterKeyHint="go"
              autoFocus
              onChange={(event) => setFirstName(event.target.value)}
            />
          )}
        </Field>
        <Field label={texts.guest.lastName}>
          {(props) => (
            <input
              {...props}
              data-testid="guest-last-name"
              value={lastName}
              maxLength={MAX_PART}
              autoComplete="family-name"
              enterKeyHint="go"
              onChange={(event) => setLastName(event.target.value)}
            />
          )}
        </Field>
        <LanguageSelect
          label={texts.guest.language}
          value={language}
          testId="guest-language"
          onChoose={setLanguage}
        />
        {guest.problem !== null && (
          <p className="form-problem" role="alert">
            <Icon name="warning" size={20} />
            {texts.problem[guest.problem]}
          </p>
        )}
        <button
          type="submit"
          className="button button-primary button-large"
          data-testid="guest-continue"
          disabled={busy}
        >
          {busy && <span className="spinner" aria-hidden="true" />}
          {busy ? texts.guest.entering : texts.guest.enter}
        </button>
      </form>
    </div>
  );
}

/** Inside, with a look at oneself; the way into the call as soon as there is one. */
function Waiting({ guest, title }: { guest: Guest; title: string }) {
  const dispatch = useAppDispatch();
  const join = useRef<HTMLButtonElement>(null);
  const live = guest.callId !== null;
  useOpenPreview();
  useEffect(() => {
    if (live) join.current?.focus();
  }, [live]);
  return (
    <div className="guest-waiting">
      <section className="guest-preview">
        <Preview />
        <PermissionNote />
        <DeviceSelects />
      </section>
      <section className="guest-way" aria-live="polite">
        <p className="guest-title">{title}</p>
        <h1>{live ? texts.guest.inCallTitle : texts.guest.waitingTitle}</h1>
        <p className="gate-subtitle">
          {live ? texts.guest.people(guest.participantCount) : texts.guest.waitingText}
        </p>
        {live ? (
          <button
            ref={join}
            type="button"
            className="button button-primary button-large"
            data-testid="guest-join"
            disabled={!canCall()}
            onClick={() => dispatch({ type: "guest-join-asked" })}
          >
            <Icon name="camera" size={22} />
            {texts.guest.join}
          </button>
        ) : (
          <span className="waiting-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
        )}
        {!canCall() && <p role="alert">{texts.conversation.reason.unsupported}</p>}
        <p className="guest-as">{texts.guest.as(guest.username)}</p>
      </section>
    </div>
  );
}
