import type { types } from "mediasoup-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PATIENCE, Recovery } from "./recovery";

type Move = ["send" | "recv", types.ConnectionState] | number | "network" | "ice-refused" | "rebuild-refused";

function play(moves: Move[]): string[] {
  const log: string[] = [];
  const recovery = new Recovery({
    restartIce: (direction) => log.push(`ice ${direction}`),
    rebuild: () => log.push("rebuild"),
    rejoin: () => log.push("rejoin"),
    status: (status) => log.push(status),
  });
  for (const move of moves) {
    if (typeof move === "number") vi.advanceTimersByTime(move);
    else if (move === "network") recovery.handleNetworkChange();
    else if (move === "ice-refused") recovery.handleStepFailed("restarting");
    else if (move === "rebuild-refused") recovery.handleStepFailed("rebuilding");
    else recovery.handleState(...move);
  }
  return log;
}

const up: Move[] = [
  ["send", "connecting"],
  ["send", "connected"],
  ["recv", "connecting"],
  ["recv", "connected"],
];
const long = 120_000;

describe("Recovery", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const rows: { name: string; moves: Move[]; log: string[] }[] = [
    { name: "a good connection is left alone", moves: [...up, long], log: ["connected"] },
    {
      name: "a short gap mends itself, without a word",
      moves: [...up, ["recv", "disconnected"], PATIENCE.disconnected - 1, ["recv", "connected"], long],
      log: ["connected"],
    },
    {
      name: "a longer gap restarts ICE on both transports",
      moves: [...up, ["recv", "disconnected"], PATIENCE.disconnected, ["recv", "connected"], long],
      log: ["connected", "ice send", "ice recv", "reconnecting", "connected"],
    },
    {
      name: "failure does not wait",
      moves: [...up, ["send", "failed"]],
      log: ["connected", "ice send", "ice recv", "reconnecting"],
    },
    {
      name: "a restart that does not help leads to TCP, then to a new join",
      moves: [...up, ["send", "failed"], PATIENCE.restart, ["send", "connecting"], PATIENCE.rebuild, long],
      log: ["connected", "ice send", "ice recv", "reconnecting", "rebuild", "rejoin"],
    },
    {
      name: "a rebuilt connection is a connection",
      moves: [
        ...up,
        ["send", "failed"],
        PATIENCE.restart,
        ["send", "connecting"],
        ["send", "connected"],
        long,
      ],
      log: ["connected", "ice send", "ice recv", "reconnecting", "rebuild", "connected"],
    },
    {
      name: "steps the node refuses are passed over, each once",
      moves: [...up, ["send", "failed"], "ice-refused", "ice-refused", "rebuild-refused", "rebuild-refused"],
      log: ["connected", "ice send", "ice recv", "reconnecting", "rebuild", "rejoin"],
    },
    {
      name: "first checks that nobody answers lead to TCP",
      moves: [["send", "connecting"], PATIENCE.connecting],
      log: ["rebuild"],
    },
    {
      name: "another network restarts ICE; a path that lives through it is kept",
      moves: [...up, "network", PATIENCE.restart, long],
      log: ["connected", "ice send", "ice recv", "reconnecting", "connected"],
    },
    { name: "a network change before the first connection means nothing", moves: ["network", long], log: [] },
    {
      name: "a transport that starts late does not count as a loss",
      moves: [
        ["send", "connecting"],
        ["send", "connected"],
        60_000,
        ["recv", "connecting"],
        500,
        ["recv", "connected"],
        long,
      ],
      log: ["connected"],
    },
  ];
  it.each(rows)("$name", ({ moves, log }) => {
    expect(play(moves)).toEqual(log);
  });
});
