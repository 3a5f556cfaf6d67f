import { expect, it } from "vitest";
import { call, installation, node, NODES } from "../testing/installation";
import { type History, loadOf, LOOK_EVERY, remember, sampleOf, WINDOW } from "./history";

const START = Date.parse("2026-01-01T10:00:00.000Z");
const sampleAt = (at: number) => sampleOf(installation(at), at);

it("takes from an overview what the plots show", () => {
  const overview = {
    ...installation(START, {
      nodes: [
        node({ packetsIn: 10, packetsOut: 90 }),
        node({ nodeId: "b", packetsIn: 1, packetsOut: 2, cpu: 0.5 }),
      ],
    }),
    calls: [call(0, START), call(1, START), call(2, START)],
    participants: 9,
  };
  expect(sampleOf(overview, START)).toEqual({
    at: START,
    directCalls: 1,
    groupCalls: 2,
    participants: 9,
    packetsIn: 11,
    packetsOut: 92,
    nodes: { "node-a": { packets: 100, cpu: 0.31 }, b: { packets: 3, cpu: 0.5 } },
  });
});

it("keeps ten minutes and no more, however long one looks", () => {
  let history: History = [];
  for (let at = START; at <= START + 2 * WINDOW; at += LOOK_EVERY) history = remember(history, sampleAt(at));
  expect(history).toHaveLength(WINDOW / LOOK_EVERY + 1);
  expect(history[0]?.at).toBe(START + WINDOW);
  expect(history.at(-1)?.at).toBe(START + 2 * WINDOW);
});

it("forgets what has left the window after a pause", () => {
  const history = remember([sampleAt(START)], sampleAt(START + WINDOW + 1));
  expect(history.map(({ at }) => at)).toEqual([START + WINDOW + 1]);
});

it("stays in order when the clock is set back", () => {
  const history = remember([sampleAt(START), sampleAt(START + 4_000)], sampleAt(START + 1_000));
  expect(history.map(({ at }) => at)).toEqual([START, START + 1_000]);
});

it("knows the busiest node and the average, and neither without nodes", () => {
  const loads = NODES.map(({ cpu }) => cpu);
  const load = loadOf(sampleAt(START));
  expect(load?.busiest).toBe(Math.max(...loads));
  expect(load?.average).toBeCloseTo(loads.reduce((sum, cpu) => sum + cpu, 0) / loads.length);
  expect(loadOf(sampleOf(installation(START, { nodes: [] }), START))).toBeNull();
});
