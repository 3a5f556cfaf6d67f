import { type SubmitEvent, useState } from "react";
import type { AdminFlags } from "../../signalling/generated";
import { Icon } from "../icons/Icon";
import { Field } from "../parts/Field";
import { useOperator, useServices } from "./context";
import { texts } from "./texts";

const PERCENT = "sfu-percent";
const LIST = "sfu-conversations";

/** Who gets group calls while their flag is on: a share of conversations, and some in any case. */
export function Rollout({ flags }: { flags: AdminFlags }) {
  const words = texts.rollout;
  return (
    <section className="op-section" aria-labelledby="op-rollout">
      <h2 id="op-rollout">{words.title}</h2>
      <p className="op-lead">{words.text}</p>
      {flags.flags.sfu?.on === false && <p className="op-wrong">{words.off}</p>}
      {/* Begun anew when the server says something else, so that nobody applies what is out of date. */}
      <Percent key={flags.sfuPercent} percent={flags.sfuPercent} />
      <List conversations={flags.sfuConversations} />
    </section>
  );
}

function Percent({ percent }: { percent: number }) {
  const { change } = useServices();
  const [text, setText] = useState(String(percent));
  const [wrong, setWrong] = useState(false);
  const words = texts.rollout;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const value = /^\d{1,3}$/.test(text.trim()) ? Number(text) : Number.NaN;
    setWrong(!(value <= 100));
    if (value <= 100) void change({ what: PERCENT, notice: "rollout-changed" }, { sfuPercent: value });
  };
  const reset = () => void change({ what: PERCENT, notice: "rollout-changed" }, { sfuPercent: null });
  return (
    <form className="op-form" onSubmit={submit} noValidate>
      <Field label={words.percent} error={wrong ? words.percentWrong : null}>
        {(props) => (
          <input
            {...props}
            data-testid="sfu-percent"
            inputMode="numeric"
            autoComplete="off"
            maxLength={3}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <div className="op-form-buttons">
        <button type="submit" className="button button-soft op-small" data-testid="sfu-percent-apply">
          {words.apply}
        </button>
        <button
          type="button"
          className="button button-plain op-small"
          aria-label={words.resetPercent}
          data-testid="sfu-percent-reset"
          onClick={reset}
        >
          {words.reset}
        </button>
      </div>
      <Failure what={PERCENT} />
    </form>
  );
}

/** The gateway's own ids: twelve bytes in hexadecimal digits. */
const ID = /^[0-9a-f]{24}$/;

function List({ conversations }: { conversations: readonly string[] }) {
  const { change } = useServices();
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const words = texts.rollout;
  const set = (sfuConversations: string[] | null) =>
    void change({ what: LIST, notice: "rollout-changed" }, { sfuConversations });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const id = text.trim().toLowerCase();
    const wrong = !ID.test(id) ? words.addWrong : conversations.includes(id) ? words.addKnown : null;
    setError(wrong);
    if (wrong !== null) return;
    set([...conversations, id]);
    setText("");
  };
  return (
    <form className="op-form" onSubmit={submit} noValidate>
      <h3>{words.list}</h3>
      {conversations.length === 0 ? (
        <p className="op-about">{words.listNone}</p>
      ) : (
        <ul className="op-list" data-testid="sfu-conversations">
          {conversations.map((id) => (
            <li key={id}>
              <code>{id}</code>
              <button
                type="button"
                className="icon-button"
                aria-label={words.remove(id)}
                onClick={() => set(conversations.filter((other) => other !== id))}
              >
                <Icon name="close" size={18} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Field label={words.add} error={error}>
        {(props) => (
          <input
            {...props}
            data-testid="sfu-conversation"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <div className="op-form-buttons">
        <button type="submit" className="button button-soft op-small" data-testid="sfu-conversation-add">
          {words.addSubmit}
        </button>
        <button
          type="button"
          className="button button-plain op-small"
          aria-label={words.resetList}
          onClick={() => set(null)}
        >
          {words.reset}
        </button>
      </div>
      <Failure what={LIST} />
    </form>
  );
}

function Failure({ what }: { what: string }) {
  const { changes } = useOperator();
  const problem = changes[what]?.problem ?? null;
  if (problem === null) return null;
  return (
    <p className="op-wrong" role="alert">
      {texts.flags.failed(texts.problem[problem])}
    </p>
  );
}
