import { useMemo, useRef } from "react";
import { arrange, type Layout, type Space } from "../../call/layout";
import { stageOf, type Tile } from "../../call/tiles";
import { useCall, useDispatch } from "../context";
import { Alone } from "./Alone";
import { Pager } from "./Pager";
import { TileView } from "./TileView";
import { useSize } from "./useSize";

export function Stage({ tiles }: { tiles: Tile[] }) {
  const { pinned, page } = useCall();
  const dispatch = useDispatch();
  const element = useRef<HTMLDivElement>(null);
  const space = useSize(element);
  const stage = stageOf(tiles, pinned);
  const layout = useMemo(
    () => (space === null ? null : layOut(tiles, space, stage, page)),
    [tiles, space, stage, page],
  );
  const alone = tiles.every((tile) => tile.local);
  return (
    <div className="stage-area">
      <div ref={element} className={`stage stage-${layout?.mode ?? "single"}${alone ? " stage-alone" : ""}`}>
        {layout !== null &&
          tiles.map((tile) => {
            const rect = layout.rects.get(tile.key);
            // A tile of another page is not in the document, and so its picture is not received.
            if (rect === undefined) return null;
            const floating = layout.mode === "duo" && tile.local;
            return (
              <TileView
                key={tile.key}
                tile={tile}
                rect={rect}
                floating={floating}
                staged={tile.key === stage}
              />
            );
          })}
        {alone && <Alone />}
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

/** CSS pixels kept free for the pager below the tiles. */
const PAGER_HEIGHT = 52;

function layOut(tiles: Tile[], space: Space, stage: string | null, page: number): Layout {
  const small = Math.min(space.width, space.height) < 480;
  const request = {
    space,
    tiles: tiles.map((tile) => ({ key: tile.key, self: tile.local && tile.source === "camera" })),
    stage,
    page,
    gap: small ? 6 : 12,
  };
  const layout = arrange(request);
  if (layout.pages === 1) return layout;
  return arrange({ ...request, space: { ...space, height: space.height - PAGER_HEIGHT } });
}
