/** One screen of the page with made-up people, chosen by `?scene=`; for looking at it in many sizes. */
import "@fontsource-variable/figtree";
import "../src/ui/styles/tokens.css";
import "../src/ui/styles/base.css";
import "../src/ui/styles/lobby.css";
import "../src/ui/styles/call.css";
import "../src/ui/styles/tile.css";
import { createRoot } from "react-dom/client";
import { type CallState, initialState, type Notice, type Participant } from "../src/call/state";
import { CallStore } from "../src/call/store";
import { LevelBoard } from "../src/media/levels";
import { ViewBook } from "../src/media/views";
import { App } from "../src/ui/App";
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

function person(
  index: number,
  change: { video?: boolean; muted?: boolean; screen?: boolean } = {},
): Participant {
  const name = NAMES[index % NAMES.length] ?? "Guest";
  const flow = { receiver: null, paused: false, held: false };
  const media: Participant["media"] = {
    microphone: { ...flow, producerId: `m${String(index)}`, track: null, paused: change.muted ?? false },
  };
  if (change.video !== false) {
    media.camera = { ...flow, producerId: `c${String(index)}`, track: paintedCamera(index * 47) };
  }
  if (change.screen) media.screen = { ...flow, producerId: `s${String(index)}`, track: paintedScreen() };
  return { id: `p${String(index)}`, name, media };
}

const lobby: CallState = {
  ...initialState({
    room: "sunny-otter-42",
    name: "Clara Neumann",
    chosen: { microphone: undefined, camera: undefined, speaker: undefined },
    microphoneOn: true,
    cameraOn: true,
  }),
  devices: {
    cameras: [{ id: "a", label: "FaceTime HD Camera (Built-in)" }],
    microphones: [
      { id: "b", label: "MacBook Pro Microphone" },
      { id: "c", label: "USB headset" },
    ],
    speakers: [{ id: "d", label: "MacBook Pro Speakers" }],
  },
};

function withCamera(state: CallState): CallState {
  const camera = { on: true, track: paintedCamera(205), trouble: null };
  const voice = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0] ?? null;
  const microphone = { on: true, track: voice, trouble: null };
  return { ...state, local: { ...state.local, camera, microphone } };
}

function inCall(participants: Participant[], change: Partial<CallState> = {}): CallState {
  return {
    ...withCamera(lobby),
    phase: "in-call",
    link: "connected",
    selfId: "me",
    joinedAt: Date.now() - 754_000,
    participants,
    ...change,
  };
}

function toast(id: number, kind: Notice["kind"], name: string): Notice {
  return { id, kind, name, trouble: null };
}

const off = { on: false, track: null, trouble: null };
const denied = { on: false, track: null, trouble: "denied" } as const;

const inLobby = () => withCamera(lobby);
const scenes: Record<string, (() => CallState) | undefined> = {
  lobby: inLobby,
  "lobby-empty": () => ({ ...lobby, name: "", local: { ...lobby.local, camera: off } }),
  "lobby-denied": () => ({ ...lobby, local: { ...lobby.local, microphone: denied, camera: denied } }),
  "lobby-camera-denied": () => ({ ...lobby, local: { ...lobby.local, camera: denied } }),
  "lobby-problem": () => ({ ...withCamera(lobby), joinProblem: "unreachable" }),
  joining: () => ({ ...withCamera(lobby), phase: "joining" }),
  alone: () => inCall([]),
  two: () => inCall([person(0)], { activeSpeaker: "p0", toasts: [toast(1, "joined", "Amélie Laurent")] }),
  "two-off": () => inCall([person(1, { video: false, muted: true })], { link: "reconnecting" }),
  three: () => inCall([person(0), person(1, { muted: true })], { activeSpeaker: "p0" }),
  five: () => inCall([0, 1, 2, 3].map((index) => person(index, { video: index !== 2 }))),
  nine: () =>
    inCall(
      [0, 1, 2, 3, 4, 5, 6, 7].map((index) =>
        person(index, { video: index % 4 !== 3, muted: index % 3 === 1 }),
      ),
      { activeSpeaker: "p4" },
    ),
  twenty: () =>
    inCall(
      Array.from({ length: 19 }, (_, index) =>
        person(index, { video: index % 5 !== 4, muted: index % 2 === 1 }),
      ),
    ),
  screen: () =>
    inCall([person(0, { screen: true }), person(1), person(2, { video: false, muted: true })], {
      toasts: [toast(1, "sharing", "Amélie Laurent")],
    }),
  sharing: () => {
    const state = inCall([person(0), person(1)]);
    return {
      ...state,
      local: { ...state.local, screen: { on: true, track: paintedScreen(), trouble: null } },
    };
  },
  left: () => ({ ...lobby, phase: "left", endReason: "self", joinedAt: 0, leftAt: 754_000 }),
  lost: () => ({ ...lobby, phase: "left", endReason: "lost", joinedAt: 0, leftAt: 754_000 }),
  sound: () => inCall([person(0)], { soundBlocked: true }),
};

const wanted = new URL(window.location.href).searchParams.get("scene") ?? "lobby";
const store = new CallStore((scenes[wanted] ?? inLobby)());
const levels = new LevelBoard();
levels.setSource("local", () => 0.02);
levels.setSource("p0", () => 0.05);
const session = { levels, views: new ViewBook(), canShareScreen: true, noteFrame: () => undefined };
const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App services={{ store, session }} />);
