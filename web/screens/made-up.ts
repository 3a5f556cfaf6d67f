/** Made-up people, conversations and calls, for looking at the page. */
import { type AppState, initialAppState, type IncomingCall } from "../src/app/state";
import { type CallState, initialState, type Notice, type Participant, type Quality } from "../src/call/state";
import type { CallSummary, ConversationDto, Person, TrackedLink } from "../src/signalling/generated";
import { paintedCamera, paintedScreen } from "./painting";

const NAMES = [
  "Amélie Laurent",
  "Jonas Weber",
  "Priya Natarajan",
  "Diego",
  "Yuki Tanaka",
  "Fatou Diop",
  "Liam O’Connor",
  "Σοφία",
  "Noor",
  "Marta Kowalska",
];
const QUALITIES: Quality[] = ["excellent", "good", "excellent", "fair", "good", "poor"];

interface Look {
  video?: boolean;
  muted?: boolean;
  screen?: boolean;
  presence?: Participant["presence"];
  guest?: boolean;
}

export function person(index: number, look: Look = {}): Participant {
  const name = NAMES[index % NAMES.length] ?? "";
  const id = `p${String(index)}`;
  const videoOn = look.video !== false;
  const flow = { receiver: null, paused: false, held: false, track: null };
  const media: Participant["media"] = { microphone: { ...flow, key: `${id}:microphone` } };
  if (videoOn) media.camera = { ...flow, key: `${id}:camera`, track: paintedCamera(index * 47) };
  if (look.screen) media.screen = { ...flow, key: `${id}:screen`, track: paintedScreen() };
  return {
    id,
    userId: look.guest ? null : `u${String(index)}`,
    name: look.guest ? `Guest_${name}` : name,
    avatar: null,
    isGuest: look.guest ?? false,
    role: index === 0 ? "initiator" : "participant",
    presence: look.presence ?? "here",
    audioOn: !look.muted,
    videoOn,
    screenOn: look.screen ?? false,
    media,
    quality: QUALITIES[index % QUALITIES.length] ?? null,
  };
}

export const noCall: CallState = {
  ...initialState({
    name: "Clara Neumann",
    chosen: { microphone: undefined, camera: undefined, speaker: undefined },
    microphoneOn: true,
    cameraOn: true,
  }),
  userId: "me",
  devices: {
    cameras: [{ id: "a", label: "FaceTime HD Camera (Built-in)" }],
    microphones: [
      { id: "b", label: "MacBook Pro Microphone" },
      { id: "c", label: "USB headset" },
    ],
    speakers: [{ id: "d", label: "MacBook Pro Speakers" }],
  },
};

export function withCamera(state: CallState): CallState {
  const camera = { on: true, track: paintedCamera(205), trouble: null };
  const voice = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0] ?? null;
  const microphone = { on: true, track: voice, trouble: null };
  return { ...state, local: { ...state.local, camera, microphone } };
}

const GROUP = {
  callId: "k1",
  conversationId: "c1",
  title: "Product team",
  type: "video",
  conversationType: "group",
  initiatorId: "me",
} as const;
const DIRECT = {
  ...GROUP,
  conversationId: "c2",
  title: "Amélie Laurent",
  conversationType: "direct",
} as const;

export function inCall(participants: Participant[], change: Partial<CallState> = {}): CallState {
  return {
    ...withCamera(noCall),
    phase: "in-call",
    link: "connected",
    call: { ...(participants.length === 1 ? DIRECT : GROUP), startedAt: Date.now() - 754_000 },
    selfId: "me",
    participants,
    quality: "good",
    canShareScreen: true,
    captions: { available: true, on: false, lines: [] },
    ...change,
  };
}

export function outgoing(change: Partial<CallState> = {}): CallState {
  return { ...withCamera(noCall), phase: "calling", call: { ...DIRECT, startedAt: null }, ...change };
}

export function over(
  kind: NonNullable<CallState["outcome"]>["kind"],
  durationSeconds: number | null = null,
): CallState {
  return {
    ...noCall,
    phase: "ended",
    call: { ...DIRECT, startedAt: null },
    outcome: { kind, name: DIRECT.title, durationSeconds, code: null },
  };
}

export function toast(id: number, kind: Notice["kind"], name: string): Notice {
  return { id, kind, name, trouble: null };
}

function one(index: number, online: boolean): Person {
  return { userId: `u${String(index)}`, username: NAMES[index] ?? "", online };
}

const ME: Person = { userId: "me", username: "Clara Neumann", online: true };

function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

function conversation(
  change: Partial<ConversationDto> & Pick<ConversationDto, "conversationId" | "title">,
): ConversationDto {
  return { type: "group", role: "member", members: [ME], updatedAt: ago(5), ...change };
}

const conversations: ConversationDto[] = [
  conversation({
    conversationId: "c1",
    title: "Product team",
    role: "admin",
    members: [ME, one(0, true), one(1, true), one(2, false), one(4, true)],
  }),
  conversation({
    conversationId: "c2",
    title: "Amélie Laurent",
    type: "direct",
    members: [ME, one(0, true)],
    updatedAt: ago(48),
  }),
  conversation({
    conversationId: "c3",
    title: "Jonas Weber",
    type: "direct",
    members: [ME, one(1, false)],
    updatedAt: ago(60 * 26),
  }),
  conversation({
    conversationId: "c4",
    title: "A very long name of a group that does not fit into the list at all",
    members: [ME, one(5, false), one(6, false)],
    updatedAt: ago(60 * 24 * 4),
  }),
  conversation({
    conversationId: "c5",
    title: "Town hall",
    type: "public",
    members: [ME, one(7, false)],
    updatedAt: ago(60 * 24 * 40),
  }),
];

function past(index: number, outcome: CallSummary["outcome"], minutes: number): CallSummary {
  const duration = outcome === "completed" ? 620 + index * 731 : 0;
  return {
    callId: `h${String(index)}`,
    mode: "p2p",
    status: "ended",
    outcome,
    participantCount: 2 + (index % 3),
    createdAt: ago(minutes),
    endedAt: ago(minutes - 3),
    duration,
  };
}

const calls = [
  past(0, "completed", 70),
  past(1, "missed", 60 * 25),
  past(2, "completed", 60 * 49),
  past(3, "rejected", 60 * 51),
  past(4, "cancelled", 60 * 76),
  past(5, "completed", 60 * 100),
];

export function loggedIn(change: Partial<AppState> = {}): AppState {
  return {
    ...initialAppState({ page: "home" }, "en"),
    session: { kind: "in", account: { userId: "me", username: "Clara Neumann", language: "en" } },
    link: "ready",
    conversations,
    ...change,
  };
}

export function at(conversationId: string, change: Partial<AppState> = {}): AppState {
  const history = { calls, total: 12, busy: false, problem: null };
  return loggedIn({
    route: { page: "conversation", conversationId },
    histories: { [conversationId]: history },
    ...change,
  });
}

export function live(): ConversationDto[] {
  return conversations.map((each) =>
    each.conversationId === "c1"
      ? {
          ...each,
          activeCall: {
            callId: "k9",
            mode: "sfu",
            status: "active",
            participantCount: 3,
            participants: [],
            startedAt: ago(7),
          },
        }
      : each,
  );
}

export function people(): Person[] {
  return [0, 1, 2, 3, 4, 5, 6].map((index) => one(index, index % 3 !== 1));
}

export function incoming(index: number, change: Partial<IncomingCall> = {}): IncomingCall {
  return {
    callId: `i${String(index)}`,
    conversationId: "c2",
    type: "video",
    callerName: NAMES[index] ?? "",
    callerAvatar: null,
    expiresAt: Date.now() + 30_000,
    ...change,
  };
}

const LINK: TrackedLink = {
  conversationId: "c1",
  linkId: "l1",
  title: "Product team",
  permissions: { joinCalls: true, shareScreen: false },
};

export function guest(change: Partial<NonNullable<AppState["guest"]>>): AppState {
  const base = initialAppState({ page: "guest", linkToken: "t" }, "en");
  const opening = {
    step: "form",
    link: LINK,
    username: "",
    callId: null,
    participantCount: 0,
    problem: null,
  } as const;
  return { ...base, guest: { ...opening, ...change } };
}
