import type { Quality } from "../../call/state";
import { texts } from "../texts";

const LIT: Record<Quality, number> = { excellent: 4, good: 3, fair: 2, poor: 1 };
const BARS = [1, 2, 3, 4];

/** How well somebody's media arrives: bars to see, words to hear. */
export function QualityBars({ quality }: { quality: Quality | null }) {
  const words = texts.quality.label(quality === null ? texts.quality.unknown : texts.quality[quality]);
  return (
    <span className={`bars bars-${quality ?? "unknown"}`} role="img" aria-label={words} title={words}>
      {BARS.map((bar) => (
        <i key={bar} className={quality !== null && bar <= LIT[quality] ? "lit" : undefined} />
      ))}
    </span>
  );
}
