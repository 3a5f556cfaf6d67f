import { Icon } from "../icons/Icon";
import { Logo } from "../parts/Logo";
import { useNow } from "../parts/useNow";
import { type Heard, useOperator, useServices } from "./context";
import { ago, lasting, since } from "./format";
import { texts } from "./texts";

export function Head({ heard }: { heard: Heard | null }) {
  const { signOut } = useServices();
  return (
    <header className="op-head">
      <Logo />
      <h1>{texts.title}</h1>
      <Pulse heard={heard} />
      <button
        type="button"
        className="button button-quiet op-small"
        data-testid="operator-sign-out"
        onClick={signOut}
      >
        <Icon name="logout" size={18} />
        {texts.signOut}
      </button>
    </header>
  );
}

/** Whether what is shown is live, and of which server. Changes each second, so it is not read out by itself. */
function Pulse({ heard }: { heard: Heard | null }) {
  const { connection } = useOperator();
  const now = useNow();
  const words = texts.connection;
  const state = connection.kind;
  const age = heard === null ? "" : ago(now - heard.heardAt);
  return (
    <p className="op-pulse" data-testid="operator-connection" data-connection={state}>
      <span className={`op-dot op-dot-${state}`} aria-hidden="true" />
      <span className="op-pulse-state">
        {state === "lost" ? words.paused : words[state]}
        {state !== "live" && heard !== null && `, ${words.age(age)}`}
      </span>
      {heard !== null && (
        <span className="op-server">
          {`${texts.server.version(heard.overview.version)} · `}
          {texts.server.up(lasting(since(heard.overview.startedAt, heard.overview, heard.heardAt, now)))}
        </span>
      )}
    </p>
  );
}
