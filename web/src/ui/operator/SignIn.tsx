import { type SubmitEvent, useEffect, useRef, useState } from "react";
import type { Refusal } from "../../operator/state";
import { Icon } from "../icons/Icon";
import { Field } from "../parts/Field";
import { Logo } from "../parts/Logo";
import { useServices } from "./context";
import { texts } from "./texts";
import { Words } from "./Words";

interface SignInProps {
  busy: boolean;
  refusal: Refusal | null;
  /** Of whoever is logged in for calls in this browser. */
  userId: string | null;
}

export function SignIn({ busy, refusal, userId }: SignInProps) {
  const words = texts.signIn;
  return (
    <div className="gate" data-testid="operator-sign-in">
      <header className="gate-header">
        <Logo />
      </header>
      <main className="gate-main">
        <div className="card op-card">
          <h1>{words.title}</h1>
          <p className="gate-subtitle">{words.subtitle}</p>
          {refusal !== null && (
            <p className="form-problem" role="alert" data-testid="operator-refusal" data-refusal={refusal}>
              <Icon name="warning" size={20} />
              {words.refusal[refusal]}
            </p>
          )}
          <TokenForm busy={busy} refused={refusal !== null} />
          <HowTo userId={userId} />
        </div>
      </main>
    </div>
  );
}

function TokenForm({ busy, refused }: { busy: boolean; refused: boolean }) {
  const { signIn } = useServices();
  const field = useRef<HTMLInputElement>(null);
  const [token, setToken] = useState("");
  const words = texts.signIn;

  useEffect(() => {
    if (refused) field.current?.select();
  }, [refused]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!busy) signIn(token);
  };

  return (
    <form onSubmit={submit} noValidate>
      <Field label={words.token} hint={words.hint}>
        {(props) => (
          <input
            {...props}
            ref={field}
            aria-invalid={refused}
            data-testid="operator-token"
            type="password"
            value={token}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            enterKeyHint="go"
            autoFocus
            onChange={(event) => setToken(event.target.value)}
          />
        )}
      </Field>
      <button
        type="submit"
        className="button button-primary button-large"
        data-testid="operator-submit"
        aria-disabled={busy}
      >
        {busy && <span className="spinner" aria-hidden="true" />}
        {busy ? words.busy : words.submit}
      </button>
    </form>
  );
}

function HowTo({ userId }: { userId: string | null }) {
  const words = texts.signIn;
  return (
    <section className="op-how" aria-labelledby="op-how">
      <h2 id="op-how">{words.howTitle}</h2>
      <p>{words.howText}</p>
      <pre tabIndex={0} aria-label={words.howTitle}>
        {words.command(userId ?? words.yourId)}
      </pre>
      <p>{words.howUser}</p>
      <pre tabIndex={0} aria-label={words.howUser}>
        {words.serviceCommand}
      </pre>
      <p>
        <Words text={words.howSecret} />
      </p>
    </section>
  );
}
