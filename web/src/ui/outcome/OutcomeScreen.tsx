import { useEffect, useRef } from "react";
import type { Outcome, OutcomeKind } from "../../call/state";
import { useApp, useAppDispatch, useCall, useDispatch } from "../context";
import { Icon, type IconName } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { clock, texts } from "../texts";

/** What the user can do next: call the same people again, or go back into the call that still runs. */
const NEXT: Partial<Record<OutcomeKind, "again" | "rejoin">> = {
  declined: "again",
  missed: "again",
  offline: "again",
  busy: "again",
  failed: "again",
  left: "rejoin",
  lost: "rejoin",
  full: "rejoin",
};

const ICONS: Record<OutcomeKind, IconName> = {
  declined: "declined",
  missed: "missed",
  cancelled: "leave",
  offline: "missed",
  busy: "phone",
  ended: "leave",
  left: "leave",
  kicked: "leave",
  lost: "warning",
  full: "people",
  failed: "warning",
  elsewhere: "phone",
};

/** How a call went, where that is more than a word in passing; and what to do next. */
export function OutcomeScreen({ outcome }: { outcome: Outcome }) {
  const { call } = useCall();
  const dispatch = useDispatch();
  const heading = useRef<HTMLHeadingElement>(null);
  const { kind, name, durationSeconds } = outcome;
  useEffect(() => heading.current?.focus(), []);
  return (
    <main className="outcome" data-testid="outcome-screen" data-outcome={kind}>
      <span className={`outcome-face outcome-${kind}`}>
        <Avatar name={call?.title ?? name} />
        <span className="outcome-icon" aria-hidden="true">
          <Icon name={ICONS[kind]} size={24} />
        </span>
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {texts.outcome.title[kind]}
      </h1>
      <p>{texts.outcome.text[kind](name === "" ? (call?.title ?? "") : name)}</p>
      {durationSeconds !== null && durationSeconds > 0 && (
        <p className="outcome-lasted">{texts.outcome.lasted(clock(durationSeconds * 1000))}</p>
      )}
      <div className="outcome-actions">
        <NextButton kind={kind} />
        <button
          type="button"
          className="button button-quiet"
          data-testid="outcome-back"
          onClick={() => dispatch({ type: "outcome-dismissed" })}
        >
          {texts.outcome.home}
        </button>
      </div>
      {(kind === "lost" || kind === "failed") && <Tips />}
    </main>
  );
}

function NextButton({ kind }: { kind: OutcomeKind }) {
  const { call } = useCall();
  const { guest } = useApp();
  const dispatch = useDispatch();
  const appDispatch = useAppDispatch();
  const next = NEXT[kind];
  if (next === undefined || call === null) return null;
  const { conversationId, callId, type } = call;
  const go = () => {
    dispatch({ type: "outcome-dismissed" });
    if (guest !== null) appDispatch({ type: "guest-join-asked" });
    else if (next === "rejoin") appDispatch({ type: "join-asked", conversationId, callId });
    else appDispatch({ type: "call-asked", conversationId, callType: type });
  };
  return (
    <button type="button" className="button button-primary" data-testid={`outcome-${next}`} onClick={go}>
      <Icon name={type === "audio" ? "phone" : "camera"} size={20} />
      {next === "again" ? texts.outcome.again : texts.outcome.rejoin}
    </button>
  );
}

function Tips() {
  const { title, list } = texts.outcome.tips;
  return (
    <section className="tips" aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {list.map((tip) => (
          <li key={tip}>{tip}</li>
        ))}
      </ul>
    </section>
  );
}
