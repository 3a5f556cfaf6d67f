import { Icon } from "../icons/Icon";
import { useNow } from "../parts/useNow";
import { useOperator, useServices } from "./context";
import { ago, lasting } from "./format";
import { texts } from "./texts";

/** Milliseconds before a token's end from which on it is said: time to make another one. */
const SOON = 600_000;

/** What the operator must know before believing the figures. Read out once through the notices, not from here. */
export function ConnectionNote() {
  const { connection, session, overview } = useOperator();
  const now = useNow();
  const ends = session.kind === "in" ? session.tokenEndsAt : null;
  return (
    <>
      {connection.kind === "lost" && <Lost now={now} />}
      {overview?.draining === true && <Note text={texts.connection.draining} testId="operator-draining" />}
      {ends !== null && ends - now < SOON && ends > now && (
        <Note text={texts.connection.tokenEnds(lasting(ends - now))} testId="operator-token-ends" />
      )}
    </>
  );
}

function Lost({ now }: { now: number }) {
  const { connection, heardAt } = useOperator();
  const { lookNow } = useServices();
  if (connection.kind !== "lost") return null;
  const words = texts.connection;
  const wait = Math.max(0, Math.ceil((connection.retryAt - now) / 1_000));
  const what = heardAt === null ? words.lostNothing : words.lost(ago(now - heardAt));
  return (
    <div className="note op-note" data-testid="operator-lost">
      <Icon name="warning" size={22} />
      <span className="note-text">
        <strong>{what}</strong>
        <span>{`${words.why[connection.problem]} ${words.retryIn(wait)}`}</span>
      </span>
      <button type="button" className="button" data-testid="operator-retry" onClick={lookNow}>
        {words.retryNow}
      </button>
    </div>
  );
}

function Note({ text, testId }: { text: string; testId: string }) {
  return (
    <p className="note op-note" data-testid={testId}>
      <Icon name="warning" size={22} />
      <span className="note-text">{text}</span>
    </p>
  );
}
