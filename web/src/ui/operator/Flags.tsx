import { useId } from "react";
import type { AdminFlag, AdminFlags } from "../../signalling/generated";
import { useOperator, useServices } from "./context";
import { Empty } from "./Empty";
import { texts } from "./texts";

/** Named in the contract but not built: turning them on does nothing. */
const UNBUILT: readonly string[] = ["transcription_server", "translation", "recording", "audio_effects"];

export function Flags({ flags }: { flags: AdminFlags }) {
  const { title, text, none } = texts.flags;
  // What can be switched first; the server's order is that of the alphabet.
  const all = Object.entries(flags.flags).toSorted(
    ([a], [b]) => Number(UNBUILT.includes(a)) - Number(UNBUILT.includes(b)) || a.localeCompare(b),
  );
  return (
    <section className="op-section" aria-labelledby="op-flags">
      <h2 id="op-flags">{title}</h2>
      {all.length === 0 ? (
        <Empty title={none} text="" />
      ) : (
        <>
          <p className="op-lead">{text}</p>
          <ul className="op-flags" data-testid="flags">
            {all.map(([name, flag]) => (
              <Flag key={name} name={name} flag={flag} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Flag({ name, flag }: { name: string; flag: AdminFlag }) {
  const { changes } = useOperator();
  const { change } = useServices();
  const id = useId();
  const words = texts.flags;
  const [label, what] = words.names[name] ?? [name, ""];
  const unbuilt = UNBUILT.includes(name);
  const busy = changes[name]?.busy ?? false;
  const problem = changes[name]?.problem ?? null;
  const blocked = busy || unbuilt;

  const toggle = () => {
    if (blocked) return;
    void change({ what: name, notice: flag.on ? "flag-off" : "flag-on" }, { flags: { [name]: !flag.on } });
  };
  const reset = () => {
    if (!busy) void change({ what: name, notice: "flag-reset" }, { flags: { [name]: null } });
  };

  return (
    <li className="op-flag" data-testid="flag" data-flag={name} data-on={flag.on} data-source={flag.source}>
      <div>
        <strong id={id}>{label}</strong>
        <p id={`${id}-what`} className="op-about">
          {unbuilt ? words.unbuilt : what} <code>{name}</code>
          {!unbuilt && `, ${words[flag.source]}`}
        </p>
        {problem !== null && (
          <p className="op-wrong" role="alert">
            {words.failed(texts.problem[problem])}
          </p>
        )}
        {flag.source === "stored" && (
          <button
            type="button"
            className="button button-plain op-small op-reset"
            aria-label={words.resetNamed(label)}
            aria-disabled={busy}
            data-testid="flag-reset"
            onClick={reset}
          >
            {words.reset}
          </button>
        )}
      </div>
      <button
        type="button"
        className="op-switch"
        role="switch"
        aria-checked={flag.on}
        aria-labelledby={id}
        aria-describedby={`${id}-what`}
        aria-disabled={blocked}
        aria-busy={busy}
        data-testid="flag-switch"
        onClick={toggle}
      >
        <span className="op-switch-word" aria-hidden="true">
          {flag.on ? words.on : words.off}
        </span>
        <span className="op-switch-track" aria-hidden="true" />
      </button>
    </li>
  );
}
