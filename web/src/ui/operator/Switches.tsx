import { useState } from "react";
import type { AdminSwitch, AdminSwitches } from "../../signalling/generated";
import { useNow } from "../parts/useNow";
import { Badge } from "./Badge";
import type { Heard } from "./context";
import { Empty } from "./Empty";
import { ago, milliseconds, since } from "./format";
import { SwitchTimes } from "./SwitchTimes";
import { Cell, Table } from "./Table";
import { texts } from "./texts";

/** Rows shown until more are asked for; the server remembers fifty. */
const PAGE = 7;

/** How calls changed their way: how long it took, and which failed. */
export function Switches({ switches, heard }: { switches: AdminSwitches; heard: Heard }) {
  const { title, none, noneText } = texts.switches;
  return (
    <section className="op-section" aria-labelledby="op-switches">
      <h2 id="op-switches">{title}</h2>
      {switches.recent.length === 0 ? (
        <Empty title={none} text={noneText} />
      ) : (
        <div className="op-switches">
          <SwitchTimes switches={switches} />
          <Recent recent={switches.recent} heard={heard} />
        </div>
      )}
    </section>
  );
}

function Recent({ recent, heard }: { recent: readonly AdminSwitch[]; heard: Heard }) {
  const [all, setAll] = useState(false);
  const { recent: title, list, failures, more } = texts.switches;
  const failed = recent.filter(({ success }) => !success).length;
  const shown = all ? recent : recent.slice(0, PAGE);
  return (
    <div className="op-recent">
      <h3>
        {title}
        {failed > 0 && (
          <Badge look="bad" testId="switch-failures">
            {failures(failed, recent.length)}
          </Badge>
        )}
      </h3>
      <Table label={title} columns={Object.values(list)} testId="switches">
        {shown.map((each) => (
          <SwitchRow key={`${each.callId} ${each.at} ${each.to}`} change={each} heard={heard} />
        ))}
      </Table>
      {recent.length > shown.length && (
        <button type="button" className="button button-plain op-small" onClick={() => setAll(true)}>
          {more(recent.length - shown.length)}
        </button>
      )}
    </div>
  );
}

function SwitchRow({ change, heard }: { change: AdminSwitch; heard: Heard }) {
  const now = useNow();
  const { list, way, ok, failed, noTime, reason: reasons } = texts.switches;
  const { mode } = texts.calls;
  const { at, from, to, durationMs, reason, success, callId } = change;
  return (
    <tr role="row" data-testid="switch" data-success={success} data-to={to} data-call={callId}>
      <Cell label={list.when}>{ago(since(at, heard.overview, heard.heardAt, now))}</Cell>
      <Cell label={list.way}>{way(mode[from], mode[to])}</Cell>
      <Cell label={list.took} look="number">
        <span data-testid="switch-took">{durationMs === null ? noTime : milliseconds(durationMs)}</span>
      </Cell>
      <Cell label={list.why}>{reasons[reason]}</Cell>
      <Cell label={list.result}>
        <Badge look={success ? "good" : "bad"}>{success ? ok : failed}</Badge>
      </Cell>
      <Cell label={list.call} look="wide">
        <code>{callId}</code>
      </Cell>
    </tr>
  );
}
