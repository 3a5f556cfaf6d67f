/** People and calls for tests, with everything unimportant filled in. */
import { type CallState, initialState, type Participant } from "../call/state";
import type { JoinDto, ParticipantDto } from "../signalling/generated";

export const NO_CHOICE = { microphone: undefined, camera: undefined, speaker: undefined };

export function callState(change: Partial<CallState> = {}): CallState {
  const base = initialState({ name: "Ada", chosen: NO_CHOICE, microphoneOn: true, cameraOn: true });
  return { ...base, userId: "ada", ...change };
}

/** In the middle of a call. */
export function inCall(change: Partial<CallState> = {}): CallState {
  return callState({
    phase: "in-call",
    link: "connected",
    selfId: "me",
    call: {
      callId: "call",
      conversationId: "conversation",
      title: "Tea",
      type: "video",
      conversationType: "group",
      startedAt: 1_000,
      initiatorId: "ada",
    },
    ...change,
  });
}

export function dto(participantId: string, change: Partial<ParticipantDto> = {}): ParticipantDto {
  return {
    participantId,
    userId: `user-${participantId}`,
    username: participantId,
    isAnonymous: false,
    role: "participant",
    status: "connected",
    joinedAt: "2026-01-01T00:00:00.000Z",
    audioEnabled: true,
    videoEnabled: true,
    screenShareEnabled: false,
    ...change,
  };
}

export function person(id: string, change: Partial<Participant> = {}): Participant {
  return {
    id,
    userId: `user-${id}`,
    name: id,
    avatar: null,
    isGuest: false,
    role: "participant",
    presence: "here",
    audioOn: true,
    videoOn: true,
    screenOn: false,
    media: {},
    quality: null,
    ...change,
  };
}

export function joinDto(change: Partial<JoinDto> = {}): JoinDto {
  return {
    participantId: "me",
    callId: "call",
    conversationId: "conversation",
    type: "video",
    mode: "p2p",
    status: "active",
    participants: [],
    joinedAt: "2026-01-01T00:00:00.000Z",
    iceServers: [],
    expiresAt: "2099-01-01T00:00:00.000Z",
    ...change,
  };
}
