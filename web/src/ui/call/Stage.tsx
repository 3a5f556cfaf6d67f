import { useMemo, useRef, useState } from "react";
import { arrange, type Layout, type Rect, type Space } from "../../call/layout";
import { stageOf, type Tile } from "../../call/tiles";
import { useCall, useDispatch } from "../context";
import { texts } from "../texts";
import { Alone } from "./Alone";
import { keepInside, nearestCorner, overlays, type Point } from "./overlays";
import { Pager } from "./Pager";
import { type TilePlace, TileView } from "./TileView";
import { useSize } from "./useSize";

/** CSS pixels kept free for the pager below the tiles. */
const PAGER_HEIGHT = 52;

interface Arrangement {
  mode: Layout["mode"] | "overlay";
  rects: Map<string, Rect>;
  pages: number;
  page: number;
  /** People with no tile here and no page to turn to. */
  hidden: number;
}

export function Stage({ tiles }: { tiles: Tile[] }) {
  const { pinned, page } = useCall();
  const dispatch = useDispatch();
  const element = useRef<HTMLDivElement>(null);
  const space = useSize(element);
  const [moved, setMoved] = useState<ReadonlyMap<string, Point>>(new Map());
  const layout = useMemo(
    () => (space === null ? null : layOut(tiles, space, { pinned, page, moved })),
    [tiles, space, pinned, page, moved],
  );
  const alone = tiles.every((tile) => tile.local);

  const move = (key: string, to: Point, done: boolean) => {
    const rect = layout?.rects.get(key);
    if (space === null || rect === undefined) return;
    const inside = keepInside(to, rect, space);
    // The own picture rests in a corner, where it hides least of the other's face.
    const rest = layout?.mode === "duo" && done ? nearestCorner({ ...rect, ...inside }, space) : inside;
    setMoved((before) => new Map(before).set(key, rest));
  };

  return (
    <div className="stage-area">
      <div
        ref={element}
        className={`stage stage-${layout?.mode ?? "single"}${alone ? " stage-alone" : ""}`}
        data-testid="stage"
        data-mode={layout?.mode}
      >
        {layout !== null &&
          tiles.map((tile) => {
            const rect = layout.rects.get(tile.key);
            // A tile of another page is not in the document, and so its picture is not received.
            if (rect === undefined) return null;
            return (
              <TileView
                key={tile.key}
                tile={tile}
                rect={rect}
                place={placeOf(tile, layout.mode, pinned)}
                onMove={(to, done) => move(tile.key, to, done)}
              />
            );
          })}
        {alone && <Alone />}
        {layout !== null && layout.hidden > 0 && (
          <span className="stage-hidden" title={texts.call.hiddenLabel(layout.hidden)}>
            <span aria-hidden="true">{texts.call.hidden(layout.hidden)}</span>
            <span className="visually-hidden">{texts.call.hiddenLabel(layout.hidden)}</span>
          </span>
        )}
      </div>
      {layout !== null && layout.pages > 1 && (
        <Pager
          page={layout.page}
          pages={layout.pages}
          onTurn={(next) => dispatch({ type: "page-turned", page: next })}
        />
      )}
    </div>
  );
}

function placeOf(tile: Tile, mode: Arrangement["mode"], pinned: string | null): TilePlace {
  if (mode === "overlay") return tile.key === pinned ? "full" : "overlay";
  if (mode === "duo" && tile.local) return "overlay";
  return mode === "single" || mode === "duo" ? "whole" : "cell";
}

interface Wishes {
  pinned: string | null;
  page: number;
  moved: ReadonlyMap<string, Point>;
}

function layOut(tiles: Tile[], space: Space, { pinned, page, moved }: Wishes): Arrangement {
  if (tiles.length > 1 && tiles.some((tile) => tile.key === pinned))
    return overlaid(tiles, space, pinned, moved);
  const small = Math.min(space.width, space.height) < 480;
  const request = {
    space,
    tiles: tiles.map((tile) => ({ key: tile.key, self: tile.local && tile.source === "camera" })),
    stage: stageOf(tiles, null),
    page,
    gap: small ? 6 : 12,
  };
  const layout = arrange(request);
  if (layout.mode === "duo") return { ...layout, rects: cornered(tiles, layout, space, moved), hidden: 0 };
  if (layout.pages === 1) return { ...layout, hidden: 0 };
  return { ...arrange({ ...request, space: { ...space, height: space.height - PAGER_HEIGHT } }), hidden: 0 };
}

/** One picture fills the stage, the others lie on it. */
function overlaid(
  tiles: Tile[],
  space: Space,
  pinned: string | null,
  moved: ReadonlyMap<string, Point>,
): Arrangement {
  const others = tiles.filter((tile) => tile.key !== pinned).map((tile) => tile.key);
  const { rects, hidden } = overlays(space, others, moved);
  if (pinned !== null) rects.set(pinned, { x: 0, y: 0, ...space });
  return { mode: "overlay", rects, pages: 1, page: 0, hidden: hidden.length };
}

/** The own picture where the user has put it. */
function cornered(
  tiles: Tile[],
  layout: Layout,
  space: Space,
  moved: ReadonlyMap<string, Point>,
): Map<string, Rect> {
  const own = tiles.find((tile) => tile.local);
  const rect = own === undefined ? undefined : layout.rects.get(own.key);
  const to = own === undefined ? undefined : moved.get(own.key);
  if (own === undefined || rect === undefined || to === undefined) return layout.rects;
  return new Map(layout.rects).set(own.key, { ...rect, ...keepInside(to, rect, space) });
}
