import { type SubmitEvent, useRef, useState } from "react";
import { useApp, useAppDispatch } from "./context";
import { Icon } from "./icons/Icon";
import { Field } from "./parts/Field";
import { LanguageSelect } from "./parts/LanguageSelect";
import { Logo } from "./parts/Logo";
import { texts } from "./texts";

/** Longest name the gateway takes. */
export const MAX_NAME = 64;

export function LoginScreen({ busy, problem }: { busy: boolean; problem: string | null }) {
  const { config } = useApp();
  return (
    <div className="gate" data-testid="login-screen">
      <header className="gate-header">
        <Logo />
      </header>
      <main className="gate-main">
        <div className="card">
          <h1>{texts.login.title}</h1>
          <p className="gate-subtitle">{texts.login.subtitle}</p>
          {problem !== null && (
            <p className="form-problem" role="alert" data-testid="login-problem">
              <Icon name="warning" size={20} />
              {problem}
            </p>
          )}
          {config?.devLogin === false ? <p>{texts.login.closed}</p> : <LoginForm busy={busy} />}
        </div>
      </main>
    </div>
  );
}

function LoginForm({ busy }: { busy: boolean }) {
  const app = useApp();
  const dispatch = useAppDispatch();
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState("");
  const [language, setLanguage] = useState(app.language);
  const [tried, setTried] = useState(false);
  const missing = tried && name.trim() === "";

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (name.trim() === "") field.current?.focus();
    else dispatch({ type: "login-asked", name, language });
  };

  return (
    <form onSubmit={submit} noValidate>
      <Field label={texts.login.name} hint={texts.login.hint} error={missing ? texts.login.needName : null}>
        {(props) => (
          <input
            {...props}
            ref={field}
            data-testid="login-name"
            value={name}
            maxLength={MAX_NAME}
            placeholder={texts.login.namePlaceholder}
            autoComplete="name"
            enterKeyHint="go"
            autoFocus
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <LanguageSelect
        label={texts.login.language}
        value={language}
        testId="login-language"
        onChoose={setLanguage}
      />
      <button
        type="submit"
        className="button button-primary button-large"
        data-testid="login-submit"
        disabled={busy}
      >
        {busy && <span className="spinner" aria-hidden="true" />}
        {busy ? texts.login.busy : texts.login.submit}
      </button>
    </form>
  );
}
