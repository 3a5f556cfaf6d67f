import type { AdminOverview } from "../../signalling/generated";
import { figure, milliseconds, percent } from "./format";
import { texts } from "./texts";

/** The six figures an operator looks at first. */
export function Figures({ overview }: { overview: AdminOverview }) {
  const { calls, participants, sockets, switches, nodes } = overview;
  const words = texts.figures;
  const group = calls.filter(({ mode }) => mode === "sfu").length;
  const sum = (pick: (node: (typeof nodes)[number]) => number) =>
    nodes.reduce((total, node) => total + pick(node), 0);
  const packets = { in: sum((node) => node.packetsIn), out: sum((node) => node.packetsOut) };
  const ready = nodes.filter(({ state }) => state === "ready").length;
  const { total, succeeded, medianMs, p95Ms } = switches;
  const slowest = p95Ms === null ? words.switchesNone : words.switchesSplit(milliseconds(p95Ms));
  const success = total === 0 ? "–" : percent(Math.floor((succeeded / total) * 100) / 100);
  return (
    <section aria-label={words.label}>
      <dl className="op-figures">
        <Tile
          id="calls"
          label={words.calls}
          value={figure(calls.length)}
          about={words.callsSplit(calls.length - group, group)}
        />
        <Tile
          id="participants"
          label={words.participants}
          value={figure(participants)}
          about={words.sockets(sockets)}
        />
        <Tile
          id="packets"
          label={words.packets}
          value={figure(packets.in + packets.out)}
          about={words.packetsSplit(figure(packets.in), figure(packets.out))}
        />
        <Tile
          id="switch-time"
          label={words.switches}
          value={medianMs === null ? "–" : milliseconds(medianMs)}
          about={slowest}
        />
        <Tile
          id="switch-success"
          label={words.success}
          value={success}
          about={total === 0 ? words.switchesNone : words.successSplit(succeeded, total)}
          wrong={succeeded < total}
        />
        <Tile
          id="nodes"
          label={words.nodes}
          value={`${String(ready)}/${String(nodes.length)}`}
          about={words.nodesSplit(
            sum(({ rooms }) => rooms),
            sum(({ maxRooms }) => maxRooms),
          )}
          wrong={ready === 0}
        />
      </dl>
    </section>
  );
}

interface TileProps {
  id: string;
  label: string;
  value: string;
  about: string;
  /** Worth a second look. */
  wrong?: boolean;
}

function Tile({ id, label, value, about, wrong = false }: TileProps) {
  return (
    <div className={`op-figure${wrong ? " op-figure-wrong" : ""}`} data-testid={`figure-${id}`}>
      <dt>{label}</dt>
      <dd className="op-figure-value">{value}</dd>
      <dd className="op-figure-about">{about}</dd>
    </div>
  );
}
