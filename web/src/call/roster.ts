/** Who is in the call, what they send and how well it arrives. */
import type { ParticipantDto } from "../signalling/generated";
import { type Action, NO_EFFECTS } from "./actions";
import { notice } from "./notices";
import type { Step } from "./reducer";
import type { CallState, Participant, Presence, RemoteTrack } from "./state";

/** How long somebody who left is still shown as such. */
export const FAREWELL = 2_000;

type RosterAction = Extract<
  Action,
  {
    type:
      | "participant-joined"
      | "participant-left"
      | "participant-gone"
      | "participants-synced"
      | "participant-declined"
      | "presence-changed"
      | "media-state"
      | "media-track"
      | "media-flow"
      | "quality-measured";
  }
>;

export function reduceRoster(state: CallState, action: RosterAction): Step {
  switch (action.type) {
    case "participant-joined":
      return joined(state, action.participant);
    case "participant-left":
      return left(state, action.id);
    case "participant-gone":
      return still(gone(state, action.id));
    case "participants-synced":
      return synced(state, action.participants);
    case "participant-declined":
      return notice(state, { kind: "declined", name: action.name });
    case "presence-changed":
      return still(change(state, action.id, { presence: action.presence }));
    case "media-state":
      return mediaState(state, action);
    case "media-track":
    case "media-flow":
      return still(media(state, action));
    case "quality-measured":
      return still(measured(state, action));
  }
}

function still(state: CallState): Step {
  return { state, effects: NO_EFFECTS };
}

/** Those who hold a seat, oneself left out. Media already known stays. */
export function takeParticipants(state: CallState, participants: ParticipantDto[]): CallState {
  const others = participants.filter(
    (dto) => dto.participantId !== state.selfId && dto.leftAt === undefined && dto.status !== "failed",
  );
  return { ...state, participants: others.map((dto) => personOf(dto, find(state, dto.participantId))) };
}

function personOf(dto: ParticipantDto, known: Participant | undefined): Participant {
  return {
    id: dto.participantId,
    userId: dto.userId ?? null,
    name: dto.username,
    avatar: dto.avatar ?? null,
    isGuest: dto.isAnonymous,
    role: dto.role,
    presence: presenceOf(dto),
    audioOn: dto.audioEnabled,
    videoOn: dto.videoEnabled,
    screenOn: dto.screenShareEnabled,
    media: known?.media ?? {},
    quality: known?.quality ?? null,
  };
}

export function presenceOf({ status, leftAt }: Pick<ParticipantDto, "status" | "leftAt">): Presence {
  if (leftAt !== undefined || status === "failed") return "left";
  if (status === "connected") return "here";
  return status === "connecting" ? "connecting" : "away";
}

function find(state: CallState, id: string): Participant | undefined {
  return state.participants.find((participant) => participant.id === id);
}

function change(state: CallState, id: string, changes: Partial<Participant>): CallState {
  const known = find(state, id);
  if (known === undefined) return state;
  const participants = state.participants.map((each) => (each === known ? { ...known, ...changes } : each));
  return { ...state, participants };
}

function joined(state: CallState, dto: ParticipantDto): Step {
  if (dto.participantId === state.selfId) return still(state);
  const known = find(state, dto.participantId);
  const person = personOf(dto, known?.presence === "left" ? undefined : known);
  if (known !== undefined) {
    const next = change(state, person.id, person);
    return known.presence === "left" ? notice(next, { kind: "joined", name: person.name }) : still(next);
  }
  const next = { ...state, participants: [...state.participants, person] };
  // The one who answers is the one who was called: the call itself says so.
  return state.phase === "calling" ? still(next) : notice(next, { kind: "joined", name: person.name });
}

function left(state: CallState, id: string): Step {
  const known = find(state, id);
  if (known === undefined || known.presence === "left") return still(state);
  const next: CallState = {
    ...change(state, id, { presence: "left" }),
    activeSpeaker: state.activeSpeaker === id ? null : state.activeSpeaker,
    pinned: state.pinned?.startsWith(`${id}:`) ? null : state.pinned,
  };
  const told = notice(next, { kind: "left", name: known.name });
  const action: Action = { type: "participant-gone", id };
  return { state: told.state, effects: [...told.effects, { type: "later", milliseconds: FAREWELL, action }] };
}

/** Unless they came back meanwhile. */
function gone(state: CallState, id: string): CallState {
  if (find(state, id)?.presence !== "left") return state;
  return { ...state, participants: state.participants.filter((participant) => participant.id !== id) };
}

/** After a break: whoever is not there any more went while we were away. */
function synced(state: CallState, participants: ParticipantDto[]): Step {
  let step = still(state);
  const present = new Set(participants.map((dto) => dto.participantId));
  const then = (next: Step) => {
    step = { state: next.state, effects: [...step.effects, ...next.effects] };
  };
  for (const { id } of state.participants) if (!present.has(id)) then(left(step.state, id));
  for (const dto of participants) {
    if (dto.leftAt === undefined && dto.status !== "failed") then(joined(step.state, dto));
  }
  return step;
}

function mediaState(state: CallState, action: Extract<Action, { type: "media-state" }>): Step {
  const known = find(state, action.id);
  if (known === undefined) return still(state);
  const { audioOn = known.audioOn, videoOn = known.videoOn, screenOn = known.screenOn } = action;
  if (audioOn === known.audioOn && videoOn === known.videoOn && screenOn === known.screenOn)
    return still(state);
  const next = change(state, action.id, { audioOn, videoOn, screenOn });
  if (screenOn === known.screenOn) return still(next);
  if (screenOn) return notice({ ...next, page: 0 }, { kind: "sharing", name: known.name });
  return notice(next, { kind: "stopped-sharing", name: known.name });
}

function media(state: CallState, action: Extract<Action, { type: "media-track" | "media-flow" }>): CallState {
  const { id, source } = action;
  const known = find(state, id);
  if (known === undefined) return state;
  const before: RemoteTrack = known.media[source] ?? {
    key: `${id}:${source}`,
    track: null,
    receiver: null,
    paused: false,
    held: false,
  };
  const after: RemoteTrack =
    action.type === "media-track"
      ? { ...before, track: action.track, receiver: action.receiver }
      : { ...before, paused: action.paused ?? before.paused, held: action.held ?? before.held };
  return change(state, id, { media: { ...known.media, [source]: after } });
}

function measured(
  state: CallState,
  { own, remote }: Extract<Action, { type: "quality-measured" }>,
): CallState {
  const participants = state.participants.map((participant) => {
    const quality = remote[participant.id] ?? null;
    return quality === participant.quality ? participant : { ...participant, quality };
  });
  const changed = participants.some((participant, index) => participant !== state.participants[index]);
  if (!changed && own === state.quality) return state;
  return { ...state, quality: own, participants: changed ? participants : state.participants };
}
