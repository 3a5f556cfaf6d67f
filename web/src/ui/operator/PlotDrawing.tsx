import type { Space } from "../../call/layout";
import { areaPath, linePath, marks, type Range, scale } from "../../operator/plot";
import type { Line } from "./Plot";
import { texts } from "./texts";

/** Pixels beside the lines: for the axis' figures on the left, for half a stroke on the right. */
export const LEFT = 44;
export const RIGHT = 8;
const TOP = 8;
const BOTTOM = 24;
/** Minutes back that are marked, and those that remain where there is little room. */
const MINUTES = [10, 8, 6, 4, 2, 0];
const FEW_MINUTES = [10, 5, 0];
const NARROW = 420;

interface DrawingProps {
  lines: readonly Line[];
  write: (value: number) => string;
  whole: boolean;
  top: number;
  span: Range;
  space: Space;
  hole: number;
  /** The moment looked at. */
  cursor: number | null;
}

export function PlotDrawing({ lines, write, whole, top, span, space, hole, cursor }: DrawingProps) {
  const known = lines.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  const steps = marks(Math.max(top, ...known), 4, whole);
  const x = scale(span, { from: LEFT, to: space.width - RIGHT });
  const y = scale({ from: 0, to: steps.at(-1) ?? 1 }, { from: space.height - BOTTOM, to: TOP });
  return (
    <svg className="plot-svg" width={space.width} height={space.height} aria-hidden="true" focusable="false">
      {steps.map((step) => (
        <g key={step}>
          <path className="plot-grid" d={`M${LEFT} ${y(step)}H${space.width - RIGHT}`} />
          <text className="plot-text" x={LEFT - 8} y={y(step)} dy="0.32em" textAnchor="end">
            {write(step)}
          </text>
        </g>
      ))}
      {(space.width < NARROW ? FEW_MINUTES : MINUTES).map((minutes) => (
        <text
          key={minutes}
          className="plot-text"
          x={x(span.to - minutes * 60_000)}
          y={space.height - 6}
          textAnchor={minutes === 0 ? "end" : minutes === 10 ? "start" : "middle"}
        >
          {minutes === 0 ? texts.plots.now : texts.plots.minutesAgo(minutes)}
        </text>
      ))}
      {lines.slice(0, 1).map(({ key, look, points }) => (
        <path key={key} className={`plot-area plot-${look}`} d={areaPath(points, hole, x, y)} />
      ))}
      {cursor !== null && (
        <path className="plot-cursor" d={`M${x(cursor)} ${TOP}V${space.height - BOTTOM}`} />
      )}
      {/* The first line lies on top. */}
      {lines.toReversed().map(({ key, look, points }) => (
        <path key={key} className={`plot-line plot-${look}`} d={linePath(points, hole, x, y)} />
      ))}
    </svg>
  );
}
