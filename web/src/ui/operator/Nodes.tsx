import { useState } from "react";
import { HOLE, WINDOW } from "../../operator/history";
import { linePath, marks, scale } from "../../operator/plot";
import type { AdminNode, NodeState } from "../../signalling/generated";
import { Badge, type BadgeLook } from "./Badge";
import { type Heard, useOperator, useServices } from "./context";
import { DrainDialog } from "./DrainDialog";
import { Empty } from "./Empty";
import { bytes, figure, percent } from "./format";
import { Cell, Table } from "./Table";
import { texts } from "./texts";

const LOOKS: Record<NodeState, BadgeLook> = {
  ready: "good",
  draining: "busy",
  full: "busy",
  overloaded: "busy",
  connecting: "plain",
  lost: "bad",
};

export function Nodes({ heard }: { heard: Heard }) {
  const [asked, setAsked] = useState<string | null>(null);
  const { nodes } = heard.overview;
  const { title, columns, none, noneText } = texts.nodes;
  const node = nodes.find(({ nodeId }) => nodeId === asked);
  return (
    <section className="op-section" aria-labelledby="op-nodes">
      <h2 id="op-nodes">{title}</h2>
      {nodes.length === 0 ? (
        <Empty title={none} text={noneText} />
      ) : (
        <Table label={title} columns={Object.values(columns)} silent={[columns.action]} testId="nodes">
          {nodes.map((each) => (
            <NodeRow key={each.nodeId} node={each} onDrain={() => setAsked(each.nodeId)} />
          ))}
        </Table>
      )}
      {node !== undefined && <DrainDialog node={node} heard={heard} onClose={() => setAsked(null)} />}
    </section>
  );
}

function NodeRow({ node, onDrain }: { node: AdminNode; onDrain: () => void }) {
  const { columns, state, explained, origin, noRegion, rooms, inOut } = texts.nodes;
  const about = [node.region === "" ? noRegion : node.region, origin[node.origin], node.url];
  return (
    <tr role="row" data-testid="node" data-node={node.nodeId} data-state={node.state}>
      <Cell label={columns.node} look="wide">
        <strong className="op-name">{node.nodeId}</strong>
        <span className="op-about">{about.join(" · ")}</span>
      </Cell>
      <Cell label={columns.state}>
        <Badge look={LOOKS[node.state]} title={explained[node.state]}>
          {state[node.state]}
        </Badge>
      </Cell>
      <Cell label={columns.rooms} look="number">
        {rooms(node.rooms, node.maxRooms)}
      </Cell>
      <Cell label={columns.people} look="number">
        {node.participants}
      </Cell>
      <Cell label={columns.cpu}>
        <Load value={node.cpu} />
      </Cell>
      <Cell label={columns.memory} look="number">
        {bytes(node.memory)}
      </Cell>
      <Cell label={columns.packets} look="wide">
        <span className="op-packets">
          <span>
            <b data-testid="node-packets">{figure(node.packetsIn + node.packetsOut)}</b>
            <span className="op-about">{inOut(figure(node.packetsIn), figure(node.packetsOut))}</span>
          </span>
          <Sparkline nodeId={node.nodeId} />
        </span>
      </Cell>
      <Cell label={columns.action} look="action">
        <Action node={node} onDrain={onDrain} />
      </Cell>
    </tr>
  );
}

/** From this share of a processor on, a node takes no new rooms soon. */
const HEAVY = 0.85;

function Load({ value }: { value: number }) {
  const part = Math.min(1, Math.max(0, value));
  return (
    <span
      className={`op-load${part >= HEAVY ? " op-load-heavy" : ""}`}
      role="meter"
      aria-label={texts.nodes.columns.cpu}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(part * 100)}
      aria-valuetext={percent(part)}
    >
      <span className="op-load-track">
        <i style={{ width: `${String(part * 100)}%` }} />
      </span>
      {percent(value)}
    </span>
  );
}

const SPARK = { width: 108, height: 30 };

/** The figure beside it says the same of now; the plots above say it in words. */
function Sparkline({ nodeId }: { nodeId: string }) {
  const { history } = useOperator();
  const points = history.map(({ at, nodes }) => ({ at, value: nodes[nodeId]?.packets ?? null }));
  const end = history.at(-1)?.at ?? 0;
  const top = marks(Math.max(0, ...points.map(({ value }) => value ?? 0)), 2).at(-1) ?? 1;
  const x = scale({ from: end - WINDOW, to: end }, { from: 2, to: SPARK.width - 2 });
  const y = scale({ from: 0, to: top }, { from: SPARK.height - 2, to: 2 });
  return (
    <svg className="op-spark" {...SPARK} role="img" aria-label={texts.nodes.sparkline}>
      <path className="plot-grid" d={`M0 ${SPARK.height - 1}H${SPARK.width}`} />
      <path className="plot-line plot-first" d={linePath(points, HOLE, x, y)} />
    </svg>
  );
}

/** One button in one place, so that the focus stays on it when its meaning changes. */
function Action({ node, onDrain }: { node: AdminNode; onDrain: () => void }) {
  const { drains } = useOperator();
  const { drain } = useServices();
  const words = texts.nodes;
  const progress = drains[node.nodeId];
  const draining = node.state === "draining";
  const busy = progress?.busy ?? false;
  const start = Math.max(progress?.roomsAtStart ?? 0, node.rooms);
  const clicked = () => {
    if (busy) return;
    if (draining) void drain(node.nodeId, false);
    else onDrain();
  };
  return (
    <span className="op-action">
      <button
        type="button"
        className={`button op-small ${draining ? "button-soft" : "button-quiet"}`}
        aria-label={draining ? words.undoNamed(node.nodeId) : words.drainNamed(node.nodeId)}
        aria-disabled={busy}
        data-testid={draining ? "node-undrain" : "node-drain"}
        onClick={clicked}
      >
        {busy && <span className="spinner" aria-hidden="true" />}
        {draining ? words.undo : words.drain}
      </button>
      {draining && (
        <span className="op-progress" data-testid="drain-progress">
          {start > 0 && (
            <progress max={start} value={start - node.rooms} aria-label={words.left(node.rooms, start)} />
          )}
          <span>{words.left(node.rooms, start)}</span>
        </span>
      )}
      {progress?.problem != null && (
        <span className="op-wrong" role="alert">
          {words.failed(texts.problem[progress.problem])}
        </span>
      )}
    </span>
  );
}
