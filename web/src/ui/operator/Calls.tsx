import { useState } from "react";
import type { AdminCall } from "../../signalling/generated";
import { Icon } from "../icons/Icon";
import { useNow } from "../parts/useNow";
import { Badge } from "./Badge";
import type { Heard } from "./context";
import { Empty } from "./Empty";
import { lasting, since } from "./format";
import { Cell, Table } from "./Table";
import { texts } from "./texts";

/** Rows shown until more are asked for. */
const PAGE = 20;

export function Calls({ heard }: { heard: Heard }) {
  const [shown, setShown] = useState(PAGE);
  const now = useNow();
  const { title, none, noneText, columns, more } = texts.calls;
  const { overview, heardAt } = heard;
  // The newest first: what one looks for has mostly just happened.
  const calls = overview.calls.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));
  const rest = calls.length - shown;
  return (
    <section className="op-section" aria-labelledby="op-calls">
      <h2 id="op-calls">{title}</h2>
      {calls.length === 0 ? (
        <Empty title={none} text={noneText} />
      ) : (
        <Table label={title} columns={Object.values(columns)} testId="calls">
          {calls.slice(0, shown).map((call) => (
            <CallRow
              key={call.callId}
              call={call}
              time={lasting(since(call.startedAt, overview, heardAt, now))}
            />
          ))}
        </Table>
      )}
      {rest > 0 && (
        <button
          type="button"
          className="button button-plain op-small"
          onClick={() => setShown(shown + 5 * PAGE)}
        >
          {more(rest)}
        </button>
      )}
    </section>
  );
}

function CallRow({ call, time }: { call: AdminCall; time: string }) {
  const { columns, type, status, mode, transition, noNode } = texts.calls;
  return (
    <tr role="row" data-testid="call" data-call={call.callId} data-mode={call.mode} data-status={call.status}>
      <Cell label={columns.call} look="wide">
        <code>{call.callId}</code>
        <span className="op-about op-kind">
          <Icon name={call.type === "video" ? "camera" : "phone"} size={16} />
          {`${type[call.type]} · ${status[call.status]}`}
        </span>
      </Cell>
      <Cell label={columns.conversation} look="wide">
        <code>{call.conversationId}</code>
      </Cell>
      <Cell label={columns.mode}>
        <Badge look={call.mode === "sfu" ? "accent" : "plain"} testId="call-mode" state={call.mode}>
          {mode[call.mode]}
        </Badge>
        {call.transition !== null && (
          <span className="op-about op-kind">
            <Icon name="shuffle" size={16} />
            {transition[call.transition]}
          </span>
        )}
      </Cell>
      <Cell label={columns.people} look="number">
        {call.participants}
      </Cell>
      <Cell label={columns.lasting} look="number">
        {time}
      </Cell>
      <Cell label={columns.node}>{call.nodeId ?? <span className="op-about">{noNode}</span>}</Cell>
    </tr>
  );
}
