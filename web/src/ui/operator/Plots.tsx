import { type History, loadOf, type Sample } from "../../operator/history";
import type { Point } from "../../operator/plot";
import { figure, percent } from "./format";
import { type Line, Plot } from "./Plot";
import { texts } from "./texts";

export function Plots({ history, nodes }: { history: History; nodes: number }) {
  const words = texts.plots;
  const line = (
    key: string,
    label: string,
    look: Line["look"],
    value: (sample: Sample) => number | null,
  ): Line => ({
    key,
    label,
    look,
    points: history.map((sample): Point => ({ at: sample.at, value: value(sample) })),
  });
  return (
    <section className="op-plots" aria-label={words.label}>
      <Plot
        id="calls"
        title={words.calls}
        unit={words.unit.count}
        whole
        write={figure}
        lines={[
          line("people", words.people, "first", ({ participants }) => participants),
          line("direct", words.direct, "second", ({ directCalls }) => directCalls),
          line("group", words.group, "third", ({ groupCalls }) => groupCalls),
        ]}
      />
      <Plot
        id="packets"
        title={words.packets}
        unit={words.unit.packets}
        write={figure}
        lines={[
          line("out", words.outwards, "first", ({ packetsOut }) => packetsOut),
          line("in", words.inwards, "second", ({ packetsIn }) => packetsIn),
        ]}
      />
      <Plot
        id="load"
        title={words.load}
        unit={words.unit.percent}
        write={percent}
        top={1}
        empty={nodes === 0 ? words.none : undefined}
        lines={[
          line("busiest", words.busiest, "first", (sample) => loadOf(sample)?.busiest ?? null),
          line("average", words.average, "second", (sample) => loadOf(sample)?.average ?? null),
        ]}
      />
    </section>
  );
}
