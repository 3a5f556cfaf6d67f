import { useRef } from "react";
import type { Space } from "../../call/layout";
import { marks, scale } from "../../operator/plot";
import { type Bar, bars } from "../../operator/switches";
import type { AdminSwitches } from "../../signalling/generated";
import { useSize } from "../call/useSize";
import { milliseconds } from "./format";
import { LEFT, RIGHT } from "./PlotDrawing";
import { texts } from "./texts";

const TOP = 26;
const BOTTOM = 24;

/** How long switches took, as bars; with the median and what 95 of 100 stayed within. */
export function SwitchTimes({ switches }: { switches: AdminSwitches }) {
  const element = useRef<HTMLDivElement>(null);
  const size = useSize(element);
  const words = texts.switches;
  const all = bars(switches.recent);
  const said = [
    ...(switches.medianMs === null ? [] : [words.median(milliseconds(switches.medianMs))]),
    ...(switches.p95Ms === null ? [] : [words.p95(milliseconds(switches.p95Ms))]),
  ];
  return (
    <figure className="plot op-times" data-testid="switch-times">
      <figcaption>
        <h3>{words.distribution}</h3>
        <p className="plot-unit">{said.join(" · ")}</p>
      </figcaption>
      <div
        ref={element}
        className="plot-field"
        role="img"
        aria-label={words.sum([...said, ...all.filter(isUsed).map(barText)].join(", "))}
      >
        {size !== null && <Drawing all={all} space={size} median={switches.medianMs} p95={switches.p95Ms} />}
      </div>
      <details className="plot-figures">
        <summary>{texts.plots.table}</summary>
        <Figures all={all} />
        <p>{words.since}</p>
      </details>
    </figure>
  );
}

interface DrawingProps {
  all: readonly Bar[];
  space: Space;
  median: number | null;
  p95: number | null;
}

function Drawing({ all, space, median, p95 }: DrawingProps) {
  const longest = all.at(-1)?.to ?? 1;
  const steps = marks(Math.max(...all.map(({ succeeded, failed }) => succeeded + failed)), 3, true);
  const x = scale({ from: 0, to: longest }, { from: LEFT, to: space.width - RIGHT });
  const y = scale({ from: 0, to: steps.at(-1) ?? 1 }, { from: space.height - BOTTOM, to: TOP });
  const block = (bar: Bar, from: number, to: number) => ({
    x: x(bar.from) + 2,
    width: Math.max(1, x(bar.to) - x(bar.from) - 4),
    y: y(to),
    height: Math.max(0, y(from) - y(to)),
  });
  return (
    <svg className="plot-svg" width={space.width} height={space.height} focusable="false">
      {steps.map((step) => (
        <g key={step}>
          <path className="plot-grid" d={`M${LEFT} ${y(step)}H${space.width - RIGHT}`} />
          <text className="plot-text" x={LEFT - 8} y={y(step)} dy="0.32em" textAnchor="end">
            {step}
          </text>
        </g>
      ))}
      {all.map((bar) => (
        <g key={bar.from}>
          <title>{barText(bar)}</title>
          <rect className="plot-bar" {...block(bar, 0, bar.succeeded)} rx="3" />
          <rect
            className="plot-bar plot-bar-failed"
            {...block(bar, bar.succeeded, bar.succeeded + bar.failed)}
            rx="3"
          />
        </g>
      ))}
      {marks(longest, 4).map((time) => (
        <text
          key={time}
          className="plot-text"
          x={x(time)}
          y={space.height - 6}
          textAnchor={time === 0 ? "start" : time >= longest ? "end" : "middle"}
        >
          {milliseconds(time)}
        </text>
      ))}
      {median !== null && median <= longest && (
        <path className="plot-mark" d={`M${x(median)} ${TOP - 8}V${space.height - BOTTOM}`} />
      )}
      {p95 !== null && p95 <= longest && (
        <path className="plot-mark plot-mark-far" d={`M${x(p95)} ${TOP - 8}V${space.height - BOTTOM}`} />
      )}
    </svg>
  );
}

function Figures({ all }: { all: readonly Bar[] }) {
  const { columns, distribution } = texts.switches;
  return (
    <table>
      <caption className="visually-hidden">{distribution}</caption>
      <thead>
        <tr>
          <th scope="col">{columns.span}</th>
          <th scope="col">{columns.succeeded}</th>
          <th scope="col">{columns.failed}</th>
        </tr>
      </thead>
      <tbody>
        {all.filter(isUsed).map(({ from, to, succeeded, failed }) => (
          <tr key={from}>
            <th scope="row">{`${milliseconds(from)}–${milliseconds(to)}`}</th>
            <td>{succeeded}</td>
            <td>{failed}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function isUsed({ succeeded, failed }: Bar): boolean {
  return succeeded + failed > 0;
}

function barText({ from, to, succeeded, failed }: Bar): string {
  return texts.switches.bar(milliseconds(from), milliseconds(to), succeeded + failed, failed);
}
