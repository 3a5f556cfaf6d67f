import { type CSSProperties, type RefObject, useCallback, useEffect, useRef } from "react";
import type { Rect } from "../../call/layout";
import type { Tile } from "../../call/tiles";
import { SPEAKING_LEVEL } from "../../media/levels";
import { useCall, useDispatch, useServices } from "../context";
import { Icon } from "../icons/Icon";
import { Avatar } from "../parts/Avatar";
import { VideoView } from "../parts/VideoView";
import { texts } from "../texts";

interface TileViewProps {
  tile: Tile;
  rect: Rect;
  /** Lies on top of another tile. */
  floating: boolean;
  staged: boolean;
}

/** Loudness that must last this many polls before the ring goes out again: pauses between words are no silence. */
const RELEASE_POLLS = 8;

export function TileView({ tile, rect, floating, staged }: TileViewProps) {
  const { activeSpeaker } = useCall();
  const { session } = useServices();
  const element = useRef<HTMLElement>(null);
  const { producerId } = tile;
  useSpeaking(element, tile);
  useReportedView(element, tile);
  const noteFrame = useCallback(() => {
    if (producerId !== null) session.noteFrame(producerId);
  }, [session, producerId]);
  const style: CSSProperties = {
    transform: `translate(${String(rect.x)}px, ${String(rect.y)}px)`,
    width: rect.width,
    height: rect.height,
  };
  const small = rect.width < 240 || rect.height < 150;
  return (
    <article
      ref={element}
      className={classes(tile, { floating, small, active: activeSpeaker === tile.participantId })}
      style={style}
      aria-label={labelOf(tile)}
      data-testid="tile"
      data-participant-id={tile.participantId}
      data-name={tile.name}
      data-source={tile.source}
      data-muted={tile.muted}
      data-video={tile.video ? "on" : "off"}
      data-local={tile.local}
    >
      {tile.video && !tile.held ? (
        <VideoView
          track={tile.track}
          mirrored={tile.local && tile.source === "camera"}
          fit={tile.source === "screen" ? "contain" : "cover"}
          label={labelOf(tile)}
          onFrame={noteFrame}
        />
      ) : null}
      {(!tile.video || tile.held || tile.track === null) && <Placeholder tile={tile} />}
      <TileFoot tile={tile} />
      {!floating && <PinButton tile={tile} staged={staged} />}
    </article>
  );
}

function classes(tile: Tile, flags: { floating: boolean; small: boolean; active: boolean }): string {
  const names = ["tile", `tile-${tile.source}`];
  if (flags.floating) names.push("tile-floating");
  if (flags.small) names.push("tile-small");
  if (flags.active && tile.source === "camera" && !tile.local) names.push("tile-active");
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
    <div className="tile-empty">
      <Avatar name={tile.name} />
      {tile.held && <p className="tile-held">{texts.call.held}</p>}
    </div>
  );
}

function TileFoot({ tile }: { tile: Tile }) {
  return (
    <div className="tile-foot" aria-hidden="true">
      {tile.source === "camera" && tile.muted && (
        <span className="badge badge-muted" title={texts.call.muted}>
          <Icon name="microphoneOff" size={16} />
        </span>
      )}
      <span className="wave">
        <i />
        <i />
        <i />
      </span>
      <span className="tile-name">{nameOf(tile)}</span>
      {tile.source === "camera" && !tile.video && (
        <span className="badge" title={texts.call.cameraIsOff}>
          <Icon name="cameraOff" size={16} />
        </span>
      )}
    </div>
  );
}

function PinButton({ tile, staged }: { tile: Tile; staged: boolean }) {
  const { pinned } = useCall();
  const dispatch = useDispatch();
  const mine = pinned === tile.key;
  // A screen is on the stage by itself; there is nothing to undo.
  if (staged && !mine) return null;
  const label = mine ? texts.call.unpin : texts.call.pin;
  return (
    <button
      type="button"
      className={`tile-pin${mine ? " tile-pin-on" : ""}`}
      aria-label={`${label}: ${nameOf(tile)}`}
      aria-pressed={mine}
      title={label}
      onClick={() => dispatch({ type: "pin-toggled", tile: tile.key })}
    >
      <Icon name="pin" size={20} />
    </button>
  );
}

/** Lights the ring while the person speaks, without rendering ten times a second. */
function useSpeaking(element: RefObject<HTMLElement | null>, tile: Tile): void {
  const { session } = useServices();
  const key = tile.local ? "local" : tile.participantId;
  const listens = tile.source === "camera" && !tile.muted;
  useEffect(() => {
    const target = element.current;
    if (!listens || target === null) return;
    let quiet = RELEASE_POLLS;
    const stop = session.levels.subscribe(key, (level) => {
      quiet = level > SPEAKING_LEVEL ? 0 : quiet + 1;
      target.classList.toggle("tile-speaking", quiet < RELEASE_POLLS);
    });
    return () => {
      stop();
      target.classList.remove("tile-speaking");
    };
  }, [session, element, key, listens]);
}

/** Tells the media layer how large this picture is shown, and when it is shown no longer. */
function useReportedView(element: RefObject<HTMLElement | null>, tile: Tile): void {
  const { views } = useServices().session;
  const { producerId, video } = tile;
  useEffect(() => {
    const target = element.current;
    if (producerId === null || !video || target === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const scale = window.devicePixelRatio;
      const { width, height } = entry.contentRect;
      views.show(producerId, { width: Math.round(width * scale), height: Math.round(height * scale) });
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      views.hide(producerId);
    };
  }, [views, element, producerId, video]);
}
