import { describe, expect, it } from "vitest";
import {
  BEFORE_ENTERING,
  type Order,
  stepSwitcher,
  type SwitcherEffect,
  type SwitcherInput,
  type SwitcherState,
} from "./mode-switcher";

const NOW = 1_000;
const up = (id = "t1"): Order => ({ id, from: "p2p", to: "sfu", deadline: NOW + 10_000 });
const down = (id = "t1"): Order => ({ id, from: "sfu", to: "p2p", deadline: NOW + 10_000 });
const over = (id = "t1"): Order => ({ id, from: "sfu", to: "sfu", deadline: NOW + 10_000 });
const order = (what: Order): SwitcherInput => ({ type: "ordered", order: what, now: NOW });
const works = (id = "t1"): SwitcherInput => ({ type: "works", id });
const fails = (id = "t1"): SwitcherInput => ({ type: "fails", id, error: "no" });
const half = (connected: boolean, id = "t1"): SwitcherInput => ({ type: "half-time", id, connected });
const entered = (mode: "p2p" | "sfu", transition: Order | null = null, back = false): SwitcherInput => ({
  type: "entered",
  mode,
  transition,
  back,
  now: NOW,
});
const done = (mode: "p2p" | "sfu", id = "t1"): SwitcherInput => ({
  type: "decided",
  id,
  success: true,
  mode,
  error: null,
  retryAt: null,
});
const off = (mode: "p2p" | "sfu", id = "t1", retryAt: number | null = null): SwitcherInput => ({
  type: "decided",
  id,
  success: false,
  mode,
  error: "TIMEOUT",
  retryAt,
});

function play(...inputs: SwitcherInput[]): {
  state: SwitcherState;
  effects: SwitcherEffect[];
  words: string[];
} {
  let state = BEFORE_ENTERING;
  const effects: SwitcherEffect[] = [];
  for (const input of inputs) {
    const step = stepSwitcher(state, input);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects, words: effects.map(word) };
}

function word(effect: SwitcherEffect): string {
  switch (effect.type) {
    case "build":
      return `build ${effect.order.to}`;
    case "acknowledge":
      return `ack ${effect.success ? "yes" : "no"} ${effect.id}`;
    case "settle":
      return `settle ${effect.from ?? "nothing"}>${effect.to}`;
    case "go-back":
      return `back ${effect.abandoned}>${effect.to}`;
    case "show":
      return `show ${effect.switching?.phase ?? "nothing"}`;
    case "watch-half-time":
      return `half-time at ${effect.at}`;
    default:
      return effect.type;
  }
}

interface Row {
  name: string;
  inputs: SwitcherInput[];
  words: string[];
  mode: "p2p" | "sfu";
  /** A switch is still under way. */
  busy?: boolean;
}

const BUILD_UP = ["show switching", "build sfu", "half-time at 6000"];
const BUILD_DOWN = ["build p2p", "half-time at 6000"];
/** `show` comes after what else one step has to do. */
const sorted = (words: string[]) => [...words].sort();

const rows: Row[] = [
  { name: "a direct call stands", inputs: [entered("p2p")], words: [], mode: "p2p" },
  { name: "a group call stands", inputs: [entered("sfu")], words: [], mode: "sfu" },
  {
    name: "up, to the end",
    inputs: [entered("p2p"), order(up()), works(), done("sfu")],
    words: [...BUILD_UP, "ack yes t1", "settle p2p>sfu", "show nothing"],
    mode: "sfu",
  },
  {
    name: "down, to the end, and nobody is told",
    inputs: [entered("sfu"), order(down()), works(), done("p2p")],
    words: [...BUILD_DOWN, "ack yes t1", "settle sfu>p2p"],
    mode: "p2p",
  },
  {
    name: "the newcomer has no old way",
    inputs: [entered("sfu", up()), works(), done("sfu")],
    words: ["build sfu", "half-time at 6000", "ack yes t1", "settle nothing>sfu"],
    mode: "sfu",
  },
  {
    name: "from one node to another",
    inputs: [entered("sfu"), order(over()), works(), done("sfu")],
    words: ["build sfu", "half-time at 6000", "ack yes t1", "settle sfu>sfu"],
    mode: "sfu",
  },
  {
    name: "it works twice and is acknowledged once",
    inputs: [entered("p2p"), order(up()), works(), works()],
    words: [...BUILD_UP, "ack yes t1"],
    mode: "p2p",
    busy: true,
  },
  {
    name: "the same order twice is one",
    inputs: [entered("p2p"), order(up()), order(up())],
    words: BUILD_UP,
    mode: "p2p",
    busy: true,
  },
  {
    name: "a way that fails is tried over TCP, then given up",
    inputs: [entered("p2p"), order(up()), fails(), fails(), fails()],
    words: [...BUILD_UP, "ack no t1", "build-over-tcp", "ack no t1"],
    mode: "p2p",
    busy: true,
  },
  {
    name: "what works over TCP is acknowledged",
    inputs: [entered("p2p"), order(up()), fails(), works(), done("sfu")],
    words: [...BUILD_UP, "ack no t1", "build-over-tcp", "ack yes t1", "settle p2p>sfu", "show nothing"],
    mode: "sfu",
  },
  {
    name: "not connected at half-time: over TCP, once",
    inputs: [entered("p2p"), order(up()), half(false), half(false)],
    words: [...BUILD_UP, "ack no t1", "build-over-tcp"],
    mode: "p2p",
    busy: true,
  },
  {
    name: "connected at half-time: patience",
    inputs: [entered("p2p"), order(up()), half(true)],
    words: BUILD_UP,
    mode: "p2p",
    busy: true,
  },
  {
    name: "a direct way has no TCP to try",
    inputs: [entered("sfu"), order(down()), half(false), fails()],
    words: [...BUILD_DOWN, "ack no t1"],
    mode: "sfu",
    busy: true,
  },
  {
    name: "called off before it worked",
    inputs: [entered("p2p"), order(up()), off("p2p", "t1", 9_000)],
    words: [...BUILD_UP, "back sfu>p2p", "show nothing", "show retrying"],
    mode: "p2p",
  },
  {
    name: "called off, and not tried again after all: nothing is shown any more",
    inputs: [entered("p2p"), order(up()), off("p2p", "t1", 9_000), off("p2p", "t1")],
    words: [...BUILD_UP, "back sfu>p2p", "show nothing", "show retrying", "show nothing"],
    mode: "p2p",
  },
  {
    name: "the next try is put off",
    inputs: [entered("p2p"), order(up()), off("p2p", "t1", 9_000), off("p2p", "t1", 13_000)],
    words: [...BUILD_UP, "back sfu>p2p", "show nothing", "show retrying", "show retrying"],
    mode: "p2p",
  },
  {
    name: "called off for good",
    inputs: [entered("p2p"), order(up()), works(), off("p2p")],
    words: [...BUILD_UP, "ack yes t1", "back sfu>p2p", "show nothing", "show failed"],
    mode: "p2p",
  },
  {
    name: "a third comes while two are on their way back",
    inputs: [entered("sfu"), order(down()), works(), off("sfu")],
    words: [...BUILD_DOWN, "ack yes t1", "back p2p>sfu"],
    mode: "sfu",
  },
  {
    name: "committed without this client, which had not got that far",
    inputs: [entered("p2p"), order(up()), done("sfu")],
    words: [...BUILD_UP, "settle p2p>sfu", "show nothing"],
    mode: "sfu",
  },
  {
    name: "tried again under another name",
    inputs: [
      entered("p2p"),
      order(up()),
      off("p2p", "t1", 9_000),
      order(up("t2")),
      works("t2"),
      done("sfu", "t2"),
    ],
    words: [
      ...BUILD_UP,
      "back sfu>p2p",
      "show nothing",
      "show retrying",
      ...BUILD_UP,
      "ack yes t2",
      "settle p2p>sfu",
      "show nothing",
    ],
    mode: "sfu",
  },
  {
    name: "late words about a switch that is over",
    inputs: [
      entered("p2p"),
      order(up()),
      works(),
      done("sfu"),
      works(),
      fails(),
      half(false),
      order(up()),
      off("p2p"),
      done("sfu"),
    ],
    words: [...BUILD_UP, "ack yes t1", "settle p2p>sfu", "show nothing"],
    mode: "sfu",
  },
  {
    name: "words about a foreign switch",
    inputs: [entered("p2p"), order(up()), works("x"), fails("x"), half(false, "x"), done("sfu", "x")],
    words: BUILD_UP,
    mode: "p2p",
    busy: true,
  },
  {
    name: "the end of a switch never heard of, in another mode: how do things stand?",
    inputs: [entered("p2p"), done("sfu", "x"), done("sfu", "x")],
    words: ["ask-anew"],
    mode: "p2p",
  },
  {
    name: "the end of a switch never heard of, in the same mode",
    inputs: [entered("p2p"), off("p2p", "x")],
    words: [],
    mode: "p2p",
  },
  {
    name: "a failure before anything was ordered is shown if it is tried again",
    inputs: [entered("p2p"), off("p2p", "x", 9_000)],
    words: ["show retrying"],
    mode: "p2p",
  },
  {
    name: "the end of one was missed, the next one comes",
    inputs: [entered("p2p"), order(up()), order(up("t2"))],
    words: [...BUILD_UP, "back sfu>p2p", "show nothing", ...BUILD_UP],
    mode: "p2p",
    busy: true,
  },
  {
    name: "an order to where one is already",
    inputs: [entered("p2p"), order({ ...down(), from: "p2p" })],
    words: [],
    mode: "p2p",
  },
  {
    name: "back in the middle of it: building goes on",
    inputs: [entered("p2p"), order(up()), entered("p2p", up(), true), works(), done("sfu")],
    words: [...BUILD_UP, "ack yes t1", "settle p2p>sfu", "show nothing"],
    mode: "sfu",
  },
  {
    name: "back after the acknowledgement, which may have got lost: said again",
    inputs: [entered("p2p"), order(up()), works(), entered("p2p", up(), true)],
    words: [...BUILD_UP, "ack yes t1", "ack yes t1"],
    mode: "p2p",
    busy: true,
  },
  {
    name: "back after the others have committed",
    inputs: [entered("p2p"), order(up()), works(), entered("sfu", null, true)],
    words: [...BUILD_UP, "ack yes t1", "settle p2p>sfu", "show nothing"],
    mode: "sfu",
  },
  {
    name: "back after it was called off",
    inputs: [entered("p2p"), order(up()), entered("p2p", null, true)],
    words: [...BUILD_UP, "back sfu>p2p", "show nothing"],
    mode: "p2p",
  },
  {
    name: "back in the middle of the next one",
    inputs: [entered("p2p"), order(up()), entered("p2p", up("t2"), true)],
    words: [...BUILD_UP, "back sfu>p2p", "show nothing", ...BUILD_UP],
    mode: "p2p",
    busy: true,
  },
  {
    name: "back in a call that has changed meanwhile",
    inputs: [entered("p2p"), entered("sfu", null, true)],
    words: [],
    mode: "sfu",
  },
  {
    name: "left in the middle: nothing more is done",
    inputs: [entered("p2p"), order(up()), { type: "left" }, works(), done("sfu")],
    words: [...BUILD_UP, "show nothing"],
    mode: "p2p",
  },
];

describe("the switcher", () => {
  it.each(rows)("$name", ({ inputs, words, mode, busy }) => {
    const { state, words: found } = play(...inputs);
    expect(sorted(found)).toEqual(sorted(words));
    expect(state.mode).toBe(mode);
    expect(state.current !== null).toBe(busy ?? false);
  });

  it("builds before it lets go, and lets go only when told", () => {
    const { words } = play(entered("p2p"), order(up()), works(), done("sfu"));
    expect(words.indexOf("build sfu")).toBeLessThan(words.indexOf("ack yes t1"));
    expect(words.indexOf("ack yes t1")).toBeLessThan(words.indexOf("settle p2p>sfu"));
  });

  it("keeps its footing in any order of inputs", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let run = 0; run < 400; run += 1) {
      let state = stepSwitcher(BEFORE_ENTERING, entered(random(2) === 0 ? "p2p" : "sfu")).state;
      const ways = new Set([state.mode]);
      const acked = new Map<string, number>();
      for (let step = 0; step < 40; step += 1) {
        const id = `t${random(5)}`;
        const choices: SwitcherInput[] = [
          order(state.mode === "p2p" ? up(id) : random(3) === 0 ? over(id) : down(id)),
          works(id),
          fails(id),
          half(random(2) === 0, id),
          done(random(2) === 0 ? "p2p" : "sfu", id),
          off(random(2) === 0 ? "p2p" : "sfu", id),
          entered(state.mode, random(2) === 0 ? null : up(id), true),
        ];
        const input = choices[random(choices.length)] ?? works(id);
        const before = state;
        const { state: next, effects } = stepSwitcher(state, input);
        state = next;
        for (const effect of effects) {
          if (effect.type === "build") ways.add(effect.order.to);
          // The way settled for has been built, or stood before.
          if (effect.type === "settle") expect(ways).toContain(effect.to);
          if (effect.type === "acknowledge" && effect.success && input.type !== "entered")
            acked.set(effect.id, (acked.get(effect.id) ?? 0) + 1);
        }
        // Only decisions and standings change the mode.
        if (input.type === "works" || input.type === "fails" || input.type === "half-time")
          expect(state.mode).toBe(before.mode);
        if (state.current !== null) expect(state.finished).not.toContain(state.current.id);
        expect(state.finished.length).toBeLessThanOrEqual(16);
      }
      for (const count of acked.values()) expect(count).toBe(1);
    }
  });
});
