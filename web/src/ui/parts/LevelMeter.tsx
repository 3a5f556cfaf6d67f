import { useEffect, useRef } from "react";
import { meterPosition } from "../../media/levels";
import { useServices } from "../context";

const BARS = [0.08, 0.24, 0.4, 0.56, 0.72];

/** Five bars that follow the own microphone. Written straight to the page: ten updates a second need no rendering. */
export function LevelMeter({ label }: { label: string }) {
  const { session } = useServices();
  const element = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      session.levels.subscribe("local", (level) => {
        const position = meterPosition(level);
        const bars = element.current?.children ?? [];
        for (const [index, bar] of [...bars].entries()) {
          bar.classList.toggle("lit", position >= (BARS[index] ?? 1));
        }
      }),
    [session],
  );
  return (
    <span ref={element} className="meter" role="img" aria-label={label}>
      {BARS.map((bar) => (
        <i key={bar} />
      ))}
    </span>
  );
}
