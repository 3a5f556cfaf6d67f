/** The small pictures that lie over a large one: how large, where at first, and where they may be moved. */
import type { Rect, Space } from "../../call/layout";

export interface Point {
  x: number;
  y: number;
}

/** CSS pixels (contract §9); smaller where the page is small. */
export const OVERLAY: Space = { width: 200, height: 280 };
const GAP = 12;
/** An overlay takes at most this share of the page's width and height. */
const MAX_SHARE = { width: 0.3, height: 0.42 };
/** Overlays cover at most this share of the width. */
const COLUMNS_SHARE = 0.5;
/** CSS pixels an arrow key moves an overlay. */
export const STEP = 32;

export function overlaySize({ width, height }: Space): Space {
  const scale = Math.min(
    1,
    (width * MAX_SHARE.width) / OVERLAY.width,
    (height * MAX_SHARE.height) / OVERLAY.height,
  );
  return { width: Math.round(OVERLAY.width * scale), height: Math.round(OVERLAY.height * scale) };
}

export interface Overlays {
  rects: Map<string, Rect>;
  /** Those there is no room for. */
  hidden: string[];
}

/** Stacked from the lower right corner upwards, then to the left; whatever was moved stays where it was put. */
export function overlays(space: Space, keys: readonly string[], moved: ReadonlyMap<string, Point>): Overlays {
  const size = overlaySize(space);
  const inset = insetOf(space);
  const rows = Math.max(1, Math.floor((space.height - 2 * inset + GAP) / (size.height + GAP)));
  const columns = Math.max(1, Math.floor((space.width * COLUMNS_SHARE) / (size.width + GAP)));
  const shown = keys.slice(0, rows * columns);
  const rects = new Map<string, Rect>();
  shown.forEach((key, index) => {
    const place = {
      x: space.width - inset - size.width - Math.floor(index / rows) * (size.width + GAP),
      y: space.height - inset - size.height - (index % rows) * (size.height + GAP),
    };
    rects.set(key, { ...keepInside(moved.get(key) ?? place, size, space), ...size });
  });
  return { rects, hidden: keys.slice(shown.length) };
}

export function keepInside(point: Point, size: Space, space: Space): Point {
  return {
    x: Math.min(Math.max(0, point.x), Math.max(0, space.width - size.width)),
    y: Math.min(Math.max(0, point.y), Math.max(0, space.height - size.height)),
  };
}

export function insetOf({ width, height }: Space): number {
  return Math.min(width, height) < 480 ? 10 : 16;
}

/** Where a picture let go of here comes to rest: in the corner it is nearest to. */
export function nearestCorner(rect: Rect, space: Space): Point {
  const inset = insetOf(space);
  const right = rect.x + rect.width / 2 > space.width / 2;
  const low = rect.y + rect.height / 2 > space.height / 2;
  return {
    x: right ? space.width - rect.width - inset : inset,
    y: low ? space.height - rect.height - inset : inset,
  };
}
