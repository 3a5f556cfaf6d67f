/** The tiles a call shows, derived from its state. */
import type { CallState, Participant, RemoteTrack } from "./state";

export interface Tile {
  /** `<participant>:<camera|screen>`; stays the same for as long as the tile exists. */
  key: string;
  participantId: string;
  name: string;
  source: "camera" | "screen";
  local: boolean;
  muted: boolean;
  /** There is a picture to show, or soon will be. */
  video: boolean;
  /** The node withholds the picture. */
  held: boolean;
  track: MediaStreamTrack | null;
  /** Null for local tiles. */
  producerId: string | null;
}

export function tilesOf(state: CallState): Tile[] {
  const screens = state.participants.flatMap((participant) => remoteScreen(participant));
  const cameras = state.participants.map(remoteCamera);
  return [...screens, ...cameras, ...localTiles(state)];
}

/** What deserves the stage: the user's choice, else the newest shared screen. */
export function stageOf(tiles: Tile[], pinned: string | null): string | null {
  if (pinned !== null && tiles.some((tile) => tile.key === pinned)) return pinned;
  return tiles.findLast((tile) => tile.source === "screen" && !tile.local)?.key ?? null;
}

function remoteCamera(participant: Participant): Tile {
  const { microphone, camera } = participant.media;
  return {
    ...base(participant, "camera", camera),
    muted: microphone === undefined || microphone.paused,
    video: camera !== undefined && !camera.paused,
  };
}

function remoteScreen(participant: Participant): Tile[] {
  const { screen } = participant.media;
  return screen === undefined ? [] : [base(participant, "screen", screen)];
}

function base(participant: Participant, source: Tile["source"], media: RemoteTrack | undefined): Tile {
  return {
    key: `${participant.id}:${source}`,
    participantId: participant.id,
    name: participant.name,
    source,
    local: false,
    muted: false,
    video: media !== undefined,
    held: media?.held ?? false,
    track: media?.track ?? null,
    producerId: media?.producerId ?? null,
  };
}

function localTiles(state: CallState): Tile[] {
  const { microphone, camera, screen } = state.local;
  const participantId = state.selfId ?? "self";
  const shared = { participantId, name: state.name, local: true, held: false, producerId: null };
  const own: Tile = {
    ...shared,
    key: "self:camera",
    source: "camera",
    muted: !microphone.on,
    video: camera.on && camera.track !== null,
    track: camera.track,
  };
  if (screen.track === null) return [own];
  return [
    own,
    { ...shared, key: "self:screen", source: "screen", muted: false, video: true, track: screen.track },
  ];
}
