import { type CSSProperties, type MouseEvent, useCallback, useRef } from "react";
import type { Rect } from "../../call/layout";
import type { Tile } from "../../call/tiles";
import { useCall, useDispatch, useServices } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { QualityBars } from "../parts/QualityBars";
import { SeamlessVideo } from "../parts/SeamlessVideo";
import { texts } from "../texts";
import type { Point } from "./overlays";
import { useReportedView, useSpeaking } from "./tile-hooks";
import { useDrag } from "./useDrag";

/**
 * - `cell`: one of several; a click makes it large.
 * - `whole`: fills the stage by itself.
 * - `full`: fills the stage because the user wants it to.
 * - `overlay`: lies on a large one and can be moved.
 */
export type TilePlace = "cell" | "whole" | "full" | "overlay";

interface TileViewProps {
  tile: Tile;
  rect: Rect;
  place: TilePlace;
  onMove: (to: Point, done: boolean) => void;
}

export function TileView({ tile, rect, place, onMove }: TileViewProps) {
  const { activeSpeaker } = useCall();
  const { session } = useServices();
  const dispatch = useDispatch();
  const element = useRef<HTMLElement>(null);
  const { mediaKey } = tile;
  const { dragging, handlers } = useDrag(rect, place === "overlay" ? { onMove } : null);
  useSpeaking(element, tile);
  useReportedView(element, tile);
  const noteFrame = useCallback(
    (at: number) => {
      if (mediaKey !== null) session.noteFrame(mediaKey, at);
    },
    [session, mediaKey],
  );
  const style: CSSProperties = {
    transform: `translate(${String(rect.x)}px, ${String(rect.y)}px)`,
    width: rect.width,
    height: rect.height,
  };
  const pin = () => dispatch({ type: "pin-toggled", tile: tile.key });
  const clicked = (event: MouseEvent) => {
    const onButton = event.target instanceof Element && event.target.closest("button") !== null;
    if (place === "cell" && !onButton) pin();
  };
  const picture = tile.video && !tile.held;
  return (
    <article
      ref={element}
      className={classes(tile, rect, place, { dragging, active: activeSpeaker === tile.participantId })}
      style={style}
      aria-label={labelOf(tile)}
      tabIndex={place === "overlay" ? 0 : undefined}
      title={place === "overlay" ? texts.call.moveHint : undefined}
      data-testid="tile"
      data-participant-id={tile.participantId}
      data-name={tile.name}
      data-source={tile.source}
      data-muted={tile.muted}
      data-video={tile.video ? "on" : "off"}
      data-local={tile.local}
      data-place={place}
      data-presence={tile.presence}
      onClick={clicked}
      onDoubleClick={place === "overlay" ? pin : undefined}
      {...handlers}
    >
      {/* Below the picture, so that it is seen until the first frame is there. */}
      <Placeholder tile={tile} />
      {picture && (
        <SeamlessVideo
          track={tile.track}
          mirrored={tile.local && tile.source === "camera"}
          fit={tile.source === "screen" ? "contain" : "cover"}
          label={labelOf(tile)}
          onFrame={noteFrame}
        />
      )}
      <PresenceNote tile={tile} />
      <TileFoot tile={tile} />
      {place !== "whole" && <SizeButton tile={tile} full={place === "full"} onPress={pin} />}
    </article>
  );
}

function classes(
  tile: Tile,
  rect: Rect,
  place: TilePlace,
  { dragging, active }: { dragging: boolean; active: boolean },
): string {
  const names = ["tile", `tile-${tile.source}`, `tile-in-${place}`, `tile-${tile.presence}`];
  if (dragging) names.push("tile-dragging");
  if (rect.width < 240 || rect.height < 150) names.push("tile-small");
  if (active && tile.source === "camera" && !tile.local) names.push("tile-active");
  return names.join(" ");
}

function nameOf(tile: Tile): string {
  const name = tile.name === "" ? texts.call.guest : tile.name;
  if (tile.source === "screen") return tile.local ? texts.call.yourScreen : texts.call.screenOf(name);
  return tile.local ? texts.call.you : name;
}

function labelOf(tile: Tile): string {
  return texts.call.tile(nameOf(tile), tile.muted, tile.video);
}

function Placeholder({ tile }: { tile: Tile }) {
  return (
    <div className="tile-empty" aria-hidden={!tile.held}>
      {tile.source === "screen" && !tile.held ? (
        <span className="spinner" />
      ) : (
        <Avatar name={tile.name} src={tile.avatar} />
      )}
      {tile.held && <p className="tile-held">{texts.call.held}</p>}
    </div>
  );
}

/** Somebody who is not quite there: coming, away for a moment, or gone. */
function PresenceNote({ tile }: { tile: Tile }) {
  const { presence } = tile;
  if (presence === "here") return null;
  return (
    <div className="tile-presence" data-testid="tile-presence" data-presence={presence}>
      {presence !== "left" && <span className="spinner" aria-hidden="true" />}
      <span>{texts.call[presence]}</span>
    </div>
  );
}

function TileFoot({ tile }: { tile: Tile }) {
  const measured = tile.source === "camera" && !tile.local && tile.presence === "here";
  return (
    <div className="tile-foot">
      {tile.source === "camera" && tile.muted && (
        <span className="badge badge-muted" title={texts.call.muted} aria-hidden="true">
          <Icon name="microphoneOff" size={16} />
        </span>
      )}
      <span className="wave" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className="tile-name" aria-hidden="true">
        {nameOf(tile)}
      </span>
      {tile.source === "camera" && !tile.video && (
        <span className="badge" title={texts.call.cameraIsOff} aria-hidden="true">
          <Icon name="cameraOff" size={16} />
        </span>
      )}
      {measured && tile.quality !== null && <QualityBars quality={tile.quality} />}
    </div>
  );
}

function SizeButton({ tile, full, onPress }: { tile: Tile; full: boolean; onPress: () => void }) {
  const label = full ? texts.call.restore : texts.call.maximise;
  return (
    <button
      type="button"
      className={`tile-size${full ? " tile-size-on" : ""}`}
      aria-label={full ? label : `${label}: ${nameOf(tile)}`}
      title={label}
      data-testid={full ? "tile-restore" : "tile-maximise"}
      onClick={onPress}
    >
      <Icon name={full ? "grid" : "expand"} size={20} />
    </button>
  );
}
