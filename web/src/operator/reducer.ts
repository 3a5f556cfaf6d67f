/** How the operator's page goes from one state to the next. Pure. */
import type { AdminNode, AdminOverview, AdminDrain } from "../signalling/generated";
import { remember, sampleOf } from "./history";
import {
  type Drain,
  type FlagChange,
  type NoticeKind,
  type OperatorAction,
  type OperatorState,
  type Problem,
  SIGNED_OUT,
} from "./state";

export function reduceOperator(state: OperatorState, action: OperatorAction): OperatorState {
  switch (action.type) {
    case "token-offered":
      return { ...state, session: { kind: "out", busy: true, refusal: null } };
    case "token-remembered":
      return { ...state, session: { kind: "in", tokenEndsAt: action.tokenEndsAt } };
    case "refused":
      return { ...SIGNED_OUT, session: { kind: "out", busy: false, refusal: action.refusal } };
    case "signed-out":
      return SIGNED_OUT;
    case "heard":
      return heard(state, action.overview, action.at, action.tokenEndsAt);
    case "missed":
      return missed(state, action.problem, action.at, action.retryAt);
    case "hidden":
      return state.session.kind === "in" ? { ...state, connection: { kind: "paused" } } : state;
    case "shown":
      // Until the next answer nobody knows; what was heard before is shown with its age.
      return state.connection.kind === "paused" ? { ...state, connection: { kind: "opening" } } : state;
    case "drain-asked":
      return withDrain(state, action.nodeId, (drain) => ({ ...drain, busy: true, problem: null }));
    case "drain-answered":
      return drainAnswered(state, action.answer);
    case "drain-failed":
      return withDrain(state, action.nodeId, (drain) => ({ ...drain, busy: false, problem: action.problem }));
    case "flags-asked":
      return withChange(state, action.change, true, null);
    case "flags-answered": {
      const { overview } = state;
      const next = overview === null ? null : { ...overview, flags: action.flags };
      const { notice, what } = action.change;
      return announce({ ...withChange(state, action.change, false, null), overview: next }, notice, what);
    }
    case "flags-failed":
      return withChange(state, action.change, false, action.problem);
  }
}

function heard(
  state: OperatorState,
  overview: AdminOverview,
  at: number,
  tokenEndsAt: number | null,
): OperatorState {
  const next: OperatorState = {
    ...state,
    session: { kind: "in", tokenEndsAt },
    connection: { kind: "live" },
    overview,
    heardAt: at,
    history: remember(state.history, sampleOf(overview, at)),
    drains: drainsAfter(state, overview.nodes),
  };
  if (state.connection.kind === "lost") return announce(next, "connection-back");
  for (const node of overview.nodes) {
    const before = state.overview?.nodes.find(({ nodeId }) => nodeId === node.nodeId);
    if (before === undefined) continue;
    if (node.state === "lost" && before.state !== "lost") return announce(next, "node-lost", node.nodeId);
    if (node.state === "draining" && node.rooms === 0 && before.rooms > 0)
      return announce(next, "node-empty", node.nodeId);
  }
  return next;
}

function missed(state: OperatorState, problem: Problem, at: number, retryAt: number): OperatorState {
  // Whoever offers a token while nobody answers is still outside.
  if (state.session.kind === "out")
    return { ...state, session: { kind: "out", busy: false, refusal: problem } };
  const { connection } = state;
  const since = connection.kind === "lost" ? connection.since : (state.heardAt ?? at);
  const next: OperatorState = { ...state, connection: { kind: "lost", problem, since, retryAt } };
  return connection.kind === "lost" ? next : announce(next, "connection-lost");
}

/** Forgets drains that are over, and counts from the most rooms seen while draining. */
function drainsAfter({ drains }: OperatorState, nodes: readonly AdminNode[]): OperatorState["drains"] {
  const after: Record<string, Drain> = {};
  for (const { nodeId, state, rooms } of nodes) {
    const known = drains[nodeId];
    if (state === "draining") {
      const roomsAtStart = Math.max(known?.roomsAtStart ?? 0, rooms);
      after[nodeId] = { busy: known?.busy ?? false, problem: known?.problem ?? null, roomsAtStart };
    } else if (known !== undefined && (known.busy || known.problem !== null))
      after[nodeId] = { ...known, roomsAtStart: null };
  }
  return after;
}

function drainAnswered(state: OperatorState, { nodeId, draining }: AdminDrain): OperatorState {
  const { overview } = state;
  const before = overview?.nodes.find((node) => node.nodeId === nodeId);
  // The answer's rooms count those that merely stand by, which nobody has to wait for; the overview's do not.
  const roomsAtStart = draining ? (before?.rooms ?? null) : null;
  const after = withDrain(state, nodeId, () => ({ busy: false, problem: null, roomsAtStart }));
  if (overview === null) return after;
  // Shown at once; the next look, which is on its way, knows better.
  const nodes = overview.nodes.map((node): AdminNode => {
    if (node.nodeId !== nodeId) return node;
    return { ...node, state: draining ? "draining" : node.state === "draining" ? "ready" : node.state };
  });
  return announce(
    { ...after, overview: { ...overview, nodes } },
    draining ? "node-draining" : "node-back",
    nodeId,
  );
}

const NO_DRAIN: Drain = { busy: false, roomsAtStart: null, problem: null };

function withDrain(state: OperatorState, nodeId: string, change: (drain: Drain) => Drain): OperatorState {
  return { ...state, drains: { ...state.drains, [nodeId]: change(state.drains[nodeId] ?? NO_DRAIN) } };
}

function withChange(
  state: OperatorState,
  { what }: FlagChange,
  busy: boolean,
  problem: Problem | null,
): OperatorState {
  return { ...state, changes: { ...state.changes, [what]: { busy, problem } } };
}

function announce(state: OperatorState, kind: NoticeKind, name = ""): OperatorState {
  return { ...state, notice: { id: (state.notice?.id ?? 0) + 1, kind, name } };
}
