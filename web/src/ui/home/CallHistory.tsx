import { EMPTY_HISTORY } from "../../app/state";
import type { CallSummary } from "../../signalling/generated";
import { useApp, useAppDispatch } from "../context";
import { Icon, type IconName } from "../icons/Icon";
import { clock, dayAndTime, texts } from "../texts";

const ICONS: Record<NonNullable<CallSummary["outcome"]>, IconName> = {
  completed: "phone",
  missed: "missed",
  rejected: "declined",
  cancelled: "declined",
  failed: "warning",
};

export function CallHistory({ conversationId, live }: { conversationId: string; live: string | null }) {
  const { calls, total, busy, problem } = useApp().histories[conversationId] ?? EMPTY_HISTORY;
  const dispatch = useAppDispatch();
  const more = () => dispatch({ type: "more-history-asked", conversationId });
  return (
    <section className="history" aria-label={texts.conversation.history} aria-busy={busy}>
      <h3>{texts.conversation.history}</h3>
      {calls.length === 0 && !busy && problem === null && (
        <p className="history-none">{texts.conversation.noHistory}</p>
      )}
      <ol data-testid="history">
        {calls.map((call) => (
          <Past key={call.callId} call={call} live={call.callId === live} />
        ))}
      </ol>
      {problem !== null && (
        <p className="history-none" role="alert">
          {texts.problem[problem]}
        </p>
      )}
      {(calls.length < total || problem !== null) && (
        <button type="button" className="button button-plain" disabled={busy} onClick={more}>
          {problem === null ? texts.conversation.moreHistory : texts.retry}
        </button>
      )}
      {busy && calls.length === 0 && <p className="history-none">{texts.conversation.loadingHistory}</p>}
    </section>
  );
}

function Past({ call, live }: { call: CallSummary; live: boolean }) {
  const { outcomes, participants } = texts.conversation;
  const { outcome } = call;
  const running = live || outcome === undefined;
  const facts = [dayAndTime(call.createdAt)];
  if (outcome === "completed") facts.push(participants(call.participantCount), clock(call.duration * 1000));
  return (
    <li
      className={`past past-${running ? "live" : outcome}`}
      data-testid="past-call"
      data-outcome={running ? "live" : outcome}
    >
      <span className="past-icon" aria-hidden="true">
        <Icon name={running ? "phone" : ICONS[outcome]} size={18} />
      </span>
      <span className="past-what">{running ? outcomes.live : outcomes[outcome]}</span>
      <span className="past-facts">{facts.join(" · ")}</span>
    </li>
  );
}
