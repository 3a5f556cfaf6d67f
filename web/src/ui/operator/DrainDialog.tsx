import type { AdminNode } from "../../signalling/generated";
import { Dialog } from "../parts/Dialog";
import { useNow } from "../parts/useNow";
import { type Heard, useServices } from "./context";
import { lasting, since } from "./format";
import { texts } from "./texts";

/** Calls named one by one; a node may hold hundreds. */
const NAMED = 8;

/** Asks before a node takes no more rooms, and says which calls are on it. */
export function DrainDialog({
  node,
  heard,
  onClose,
}: {
  node: AdminNode;
  heard: Heard;
  onClose: () => void;
}) {
  const { drain } = useServices();
  const now = useNow();
  const { overview, heardAt } = heard;
  const words = texts.drain;
  const calls = overview.calls.filter(({ nodeId }) => nodeId === node.nodeId);
  const othersReady = overview.nodes.some(({ nodeId, state }) => nodeId !== node.nodeId && state === "ready");
  const sure = () => {
    void drain(node.nodeId, true);
    onClose();
  };
  return (
    <Dialog title={words.title(node.nodeId)} look="window" testId="drain-dialog" onClose={onClose}>
      <p className="consent-text">{words.what}</p>
      {!othersReady && (
        <p className="form-problem op-last-node" data-testid="drain-last-node">
          {words.last}
        </p>
      )}
      <p>{calls.length === 0 ? words.noCalls : words.calls(calls.length)}</p>
      {calls.length > 0 && (
        <ul className="op-drain-calls">
          {calls.slice(0, NAMED).map(({ callId, mode, participants, startedAt }) => {
            const people = texts.calls.people(participants);
            const time = lasting(since(startedAt, overview, heardAt, now));
            return (
              <li key={callId} data-testid="drain-call">
                <code>{callId}</code>
                {/* A room stands by for a direct call that may become a group call. */}
                <span>{mode === "sfu" ? words.call(people, time) : words.callStandingBy(people, time)}</span>
              </li>
            );
          })}
          {calls.length > NAMED && <li>{words.more(calls.length - NAMED)}</li>}
        </ul>
      )}
      <div className="dialog-actions">
        <button type="button" className="button button-quiet" onClick={onClose}>
          {words.cancel}
        </button>
        <button
          type="button"
          className="button button-danger"
          data-testid="drain-sure"
          data-first-focus
          onClick={sure}
        >
          {words.yes}
        </button>
      </div>
    </Dialog>
  );
}
