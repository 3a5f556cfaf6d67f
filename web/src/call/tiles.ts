/** The tiles a call shows, derived from its state. */
import type { CallState, Participant, Presence, Quality, RemoteTrack } from "./state";

export interface Tile {
  /** `<participant>:<camera|screen>`; stays the same for as long as the tile exists. */
  key: string;
  participantId: string;
  name: string;
  avatar: string | null;
  source: "camera" | "screen";
  local: boolean;
  muted: boolean;
  /** There is a picture to show, or soon will be. */
  video: boolean;
  /** The node withholds the picture. */
  held: boolean;
  track: MediaStreamTrack | null;
  /** Under this name the picture's size and frames are reported; null for local tiles. */
  mediaKey: string | null;
  presence: Presence;
  quality: Quality | null;
}

export function tilesOf(state: CallState): Tile[] {
  const pictures = !state.audioOnly;
  const screens = state.participants.flatMap((participant) => remoteScreen(participant, pictures));
  const cameras = state.participants.map((participant) => remoteCamera(participant, pictures));
  return [...screens, ...cameras, ...localTiles(state)];
}

/** What deserves the stage: the user's choice, else the newest shared screen. */
export function stageOf(tiles: Tile[], pinned: string | null): string | null {
  if (pinned !== null && tiles.some((tile) => tile.key === pinned)) return pinned;
  return tiles.findLast((tile) => tile.source === "screen" && !tile.local)?.key ?? null;
}

function remoteCamera(participant: Participant, pictures: boolean): Tile {
  const { camera } = participant.media;
  return {
    ...base(participant, "camera", camera),
    muted: !participant.audioOn,
    video: pictures && participant.videoOn && camera !== undefined && participant.presence !== "left",
  };
}

function remoteScreen(participant: Participant, pictures: boolean): Tile[] {
  const { screen } = participant.media;
  const shown = pictures && participant.screenOn && participant.presence !== "left" && screen !== undefined;
  return shown ? [{ ...base(participant, "screen", screen), video: true }] : [];
}

function base(participant: Participant, source: Tile["source"], media: RemoteTrack | undefined): Tile {
  const key = `${participant.id}:${source}`;
  return {
    key,
    participantId: participant.id,
    name: participant.name,
    avatar: participant.avatar,
    source,
    local: false,
    muted: false,
    video: false,
    held: media?.held ?? false,
    track: media?.track ?? null,
    mediaKey: key,
    presence: participant.presence,
    quality: participant.quality,
  };
}

function localTiles(state: CallState): Tile[] {
  const { microphone, camera, screen } = state.local;
  const shared = {
    participantId: state.selfId ?? "self",
    name: state.name,
    avatar: state.avatar,
    local: true,
    held: false,
    mediaKey: null,
    presence: "here",
    quality: state.quality,
  } as const;
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
