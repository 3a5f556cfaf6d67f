import { type KeyboardEvent, type PointerEvent, useId, useRef, useState } from "react";
import { HOLE, WINDOW } from "../../operator/history";
import { nearest, type Point } from "../../operator/plot";
import { useSize } from "../call/useSize";
import { timeOfDay } from "./format";
import { LEFT, PlotDrawing, RIGHT } from "./PlotDrawing";
import { PlotFigures } from "./PlotFigures";
import { texts } from "./texts";

export interface Line {
  key: string;
  label: string;
  /** Told apart by colour and by the way the line is drawn. */
  look: "first" | "second" | "third";
  /** All lines of a plot have points at the same times. */
  points: readonly Point[];
}

export interface PlotProps {
  id: string;
  title: string;
  /** Of the axis; empty for what is merely counted. */
  unit: string;
  lines: readonly Line[];
  /** How a value reads. */
  write: (value: number) => string;
  /** Nothing between whole numbers. */
  whole?: boolean;
  /** The least the axis reaches to. */
  top?: number;
  /** What to say where there can be no line. */
  empty?: string;
}

/** Lines over the last ten minutes, to be looked at closely by pointer, finger or arrow keys. */
export function Plot(props: PlotProps) {
  const { id, title, unit, lines, empty, write } = props;
  const heading = useId();
  const times = (lines[0]?.points ?? []).map(({ at }) => at);
  const missing = empty ?? (times.length < 2 ? texts.plots.waiting : null);
  return (
    <figure className="plot" aria-labelledby={heading} data-testid={`plot-${id}`} data-samples={times.length}>
      <figcaption>
        <h2 id={heading}>{title}</h2>
        {unit !== "" && <span className="plot-unit">{unit}</span>}
        <ul className="plot-legend">
          {lines.map(({ key, label, look, points }) => (
            <li key={key}>
              <svg width="22" height="10" aria-hidden="true" focusable="false">
                <path className={`plot-line plot-${look}`} d="M2 5H20" />
              </svg>
              {label}
              <b>{valueText(points.at(-1)?.value ?? null, write)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      {missing === null ? (
        <Field {...props} times={times} />
      ) : (
        <p className="plot-field plot-missing">{missing}</p>
      )}
      {missing === null && <PlotFigures title={title} lines={lines} write={write} />}
    </figure>
  );
}

function Field({ title, lines, write, whole, top, times }: PlotProps & { times: readonly number[] }) {
  const element = useRef<HTMLDivElement>(null);
  const size = useSize(element);
  // By time, not by index: what one looks at stays while new samples arrive.
  const [chosen, setChosen] = useState<number | null>(null);
  const end = times.at(-1) ?? 0;
  const start = end - WINDOW;
  const index = chosen === null ? times.length - 1 : nearest(times, chosen);
  const at = times[index] ?? end;
  const values = lines.map(({ label, points }) =>
    texts.plots.value(label, valueText(points[index]?.value ?? null, write)),
  );

  const pointed = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const inner = Math.max(1, box.width - LEFT - RIGHT);
    setChosen(start + ((event.clientX - box.left - LEFT) / inner) * WINDOW);
  };
  const pressed = (event: KeyboardEvent) => {
    const next = moved(event.key, index, times.length);
    if (next === null) return;
    event.preventDefault();
    setChosen(times[next] ?? null);
  };

  return (
    <div
      ref={element}
      className="plot-field"
      role="slider"
      tabIndex={0}
      aria-label={texts.plots.scrub(title)}
      aria-valuemin={0}
      aria-valuemax={times.length - 1}
      aria-valuenow={index}
      aria-valuetext={texts.plots.at(timeOfDay(at), values.join(", "))}
      onPointerMove={pointed}
      onPointerDown={pointed}
      onPointerLeave={() => setChosen(null)}
      onFocus={() => setChosen((before) => before ?? end)}
      onBlur={() => setChosen(null)}
      onKeyDown={pressed}
    >
      {size !== null && (
        <PlotDrawing
          lines={lines}
          write={write}
          whole={whole ?? false}
          top={top ?? 0}
          span={{ from: start, to: end }}
          space={size}
          hole={HOLE}
          cursor={chosen === null ? null : at}
        />
      )}
      {size !== null && chosen !== null && (
        <Tip at={at} place={LEFT + ((at - start) / WINDOW) * (size.width - LEFT - RIGHT)} width={size.width}>
          {lines.map(({ key, label, look, points }) => (
            <span key={key} className={`plot-tip-line plot-${look}`}>
              {label}
              <b>{valueText(points[index]?.value ?? null, write)}</b>
            </span>
          ))}
        </Tip>
      )}
    </div>
  );
}

interface TipProps {
  at: number;
  /** Pixels from the left. */
  place: number;
  width: number;
  children: React.ReactNode;
}

/** Beside the moment it is about, on the side with more room. */
function Tip({ at, place, width, children }: TipProps) {
  const side = place > width / 2 ? { right: width - place + 10 } : { left: place + 10 };
  return (
    <div className="plot-tip" style={side} aria-hidden="true">
      <span className="plot-tip-time">{timeOfDay(at)}</span>
      {children}
    </div>
  );
}

/** Samples the page keys go by: half a minute. */
const PAGE = 15;

function moved(key: string, index: number, count: number): number | null {
  const to = (next: number) => Math.min(count - 1, Math.max(0, next));
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return to(index - 1);
    case "ArrowRight":
    case "ArrowUp":
      return to(index + 1);
    case "PageDown":
      return to(index - PAGE);
    case "PageUp":
      return to(index + PAGE);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

function valueText(value: number | null, write: (value: number) => string): string {
  return value === null ? texts.plots.unknown : write(value);
}
