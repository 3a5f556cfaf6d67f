/** What the overview said over the last ten minutes, for the plots. */
import type { AdminOverview } from "../signalling/generated";

/** Milliseconds from one look to the next. */
export const LOOK_EVERY = 2_000;
/** Milliseconds the plots show. */
export const WINDOW = 600_000;
/** Samples kept: the window at full pace. */
const MOST = WINDOW / LOOK_EVERY + 1;
/** Milliseconds between samples from which on a plot shows a hole, not a line: nobody looked meanwhile. */
export const HOLE = 3 * LOOK_EVERY;

export interface NodeSample {
  /** Packets a second, in and out together. */
  packets: number;
  /** 0 to 1. */
  cpu: number;
}

export interface Sample {
  /** When it was heard; milliseconds since the epoch, by this device's clock. */
  at: number;
  directCalls: number;
  groupCalls: number;
  participants: number;
  /** Packets a second, all nodes together. */
  packetsIn: number;
  packetsOut: number;
  nodes: Readonly<Record<string, NodeSample | undefined>>;
}

export type History = readonly Sample[];

export function sampleOf({ calls, participants, nodes }: AdminOverview, at: number): Sample {
  const groupCalls = calls.filter(({ mode }) => mode === "sfu").length;
  const sum = (figure: "packetsIn" | "packetsOut") => nodes.reduce((total, node) => total + node[figure], 0);
  return {
    at,
    directCalls: calls.length - groupCalls,
    groupCalls,
    participants,
    packetsIn: sum("packetsIn"),
    packetsOut: sum("packetsOut"),
    nodes: Object.fromEntries(
      nodes.map(({ nodeId, packetsIn, packetsOut, cpu }) => [
        nodeId,
        { packets: packetsIn + packetsOut, cpu },
      ]),
    ),
  };
}

/** With one sample more, and without what has left the window. */
export function remember(history: History, sample: Sample): History {
  const since = sample.at - WINDOW;
  // A clock that was set back would make later samples earlier ones; what came before is then of no use.
  const kept = history.filter(({ at }) => at >= since && at < sample.at);
  return [...kept.slice(-(MOST - 1)), sample];
}

/** The load of the busiest node, and of all on average; null without nodes. */
export function loadOf({ nodes }: Sample): { busiest: number; average: number } | null {
  const loads = Object.values(nodes).map((node) => node?.cpu ?? 0);
  if (loads.length === 0) return null;
  return { busiest: Math.max(...loads), average: loads.reduce((sum, load) => sum + load, 0) / loads.length };
}
