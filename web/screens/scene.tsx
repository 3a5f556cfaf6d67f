/** One screen of the page with made-up people, chosen by `?scene=`; for looking at it in many sizes. */
import "@fontsource-variable/figtree";
import "../src/ui/styles";
import { createRoot } from "react-dom/client";
import { EMPTY_DRAFT, initialAppState, type AppState } from "../src/app/state";
import { AppStore } from "../src/app/store";
import type { CallState } from "../src/call/state";
import { CallStore } from "../src/call/store";
import { LevelBoard } from "../src/media/levels";
import { ViewBook } from "../src/media/views";
import { App } from "../src/ui/App";
import {
  at,
  guest,
  incoming,
  inCall,
  live,
  loggedIn,
  noCall,
  outgoing,
  over,
  people,
  person,
  toast,
  withCamera,
} from "./made-up";
import { operatorScenes, showOperator } from "./operator";
import { paintedScreen } from "./painting";

interface Scene {
  app?: () => AppState;
  call?: () => CallState;
  /** Test ids to click, one after the other, once the page is there. */
  clicks?: string[];
}

const denied = { on: false, track: null, trouble: "denied" } as const;
const many = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    person(index, { video: index % 5 !== 4, muted: index % 2 === 1 }),
  );
const said = (id: number, name: string, text: string, final = true) => ({
  id,
  participantId: `p${String(id)}`,
  name,
  text,
  final,
  at: 0,
});
const outside = () => initialAppState({ page: "home" }, "en");

const scenes: Record<string, Scene | undefined> = {
  login: { app: () => ({ ...outside(), session: { kind: "out", busy: false, problem: null } }) },
  "login-problem": {
    app: () => ({ ...outside(), session: { kind: "out", busy: false, problem: "unreachable" } }),
  },
  home: { app: () => loggedIn() },
  "home-empty": { app: () => loggedIn({ conversations: [] }) },
  "home-loading": { app: () => loggedIn({ conversations: null, link: "interrupted" }) },
  group: { app: () => at("c1") },
  "direct-offline": { app: () => at("c3") },
  public: { app: () => at("c5") },
  banner: { app: () => at("c1", { conversations: live() }) },
  draft: {
    app: () => loggedIn({ draft: { ...EMPTY_DRAFT, found: people(), picked: people().slice(0, 2) } }),
  },
  check: { app: () => at("c1"), call: () => withCamera(noCall), clicks: ["check-devices"] },
  "check-denied": {
    app: () => at("c1"),
    call: () => ({ ...noCall, local: { ...noCall.local, microphone: denied, camera: denied } }),
    clicks: ["check-devices"],
  },
  incoming: { app: () => at("c1", { incoming: [incoming(0)] }) },
  "incoming-two": {
    app: () => at("c1", { incoming: [incoming(0), incoming(4, { conversationId: "c1", type: "audio" })] }),
  },
  toasts: {
    app: () => at("c2", { toasts: [{ id: 1, kind: "ended", name: "Amélie Laurent", durationSeconds: 204 }] }),
  },
  outgoing: { app: () => at("c2"), call: () => outgoing() },
  "outgoing-audio": {
    app: () => at("c2"),
    call: () => outgoing({ local: { ...noCall.local, camera: { on: false, track: null, trouble: null } } }),
  },
  "outgoing-denied": {
    app: () => at("c2"),
    call: () => outgoing({ local: { ...noCall.local, camera: denied, microphone: denied } }),
  },
  declined: { app: () => at("c2"), call: () => over("declined") },
  missed: { app: () => at("c2"), call: () => over("missed") },
  offline: { app: () => at("c2"), call: () => over("offline") },
  lost: { app: () => at("c2"), call: () => over("lost", 754) },
  kicked: { app: () => at("c2"), call: () => over("kicked", 754) },
  alone: { app: () => at("c1"), call: () => inCall([], {}) },
  two: {
    app: () => at("c2"),
    call: () => inCall([person(0)], { activeSpeaker: "p0", toasts: [toast(1, "joined", "Amélie Laurent")] }),
  },
  "two-away": {
    app: () => at("c2"),
    call: () => inCall([person(1, { muted: true, presence: "away" })], { link: "reconnecting" }),
  },
  "two-audio": {
    app: () => at("c2"),
    call: () => {
      const state = inCall([person(0, { video: false })]);
      const call = state.call === null ? null : { ...state.call, type: "audio" as const };
      return { ...state, call, local: { ...state.local, camera: { on: false, track: null, trouble: null } } };
    },
  },
  switching: {
    app: () => at("c1"),
    call: () =>
      inCall([person(0), person(1, { presence: "connecting", video: false })], {
        switching: { to: "sfu", phase: "switching", retryAt: null },
      }),
  },
  retrying: {
    app: () => at("c1"),
    call: () =>
      inCall([person(0), person(1)], {
        switching: { to: "sfu", phase: "retrying", retryAt: Date.now() + 9_000 },
        advice: "weak-network",
        quality: "poor",
      }),
  },
  unreachable: { app: () => at("c1"), call: () => inCall([person(0)], { advice: "sfu-unreachable" }) },
  three: {
    app: () => at("c1"),
    call: () => inCall([person(0), person(1, { muted: true })], { activeSpeaker: "p0" }),
  },
  leaving: {
    app: () => at("c1"),
    call: () =>
      inCall([person(0), person(1, { presence: "left" }), person(2), person(3, { presence: "away" })]),
  },
  nine: { app: () => at("c1"), call: () => inCall(many(8), { activeSpeaker: "p4" }) },
  twenty: { app: () => at("c1"), call: () => inCall(many(19)) },
  overlay: {
    app: () => at("c1"),
    call: () =>
      inCall([person(0), person(1), person(2), person(3, { video: false })], { pinned: "p0:camera" }),
  },
  screen: {
    app: () => at("c1"),
    call: () => inCall([person(0, { screen: true }), person(1), person(2, { video: false, muted: true })]),
  },
  sharing: {
    app: () => at("c1"),
    call: () => {
      const state = inCall([person(0), person(1)]);
      return {
        ...state,
        local: { ...state.local, screen: { on: true, track: paintedScreen(), trouble: null } },
      };
    },
  },
  captions: {
    app: () => at("c1"),
    call: () =>
      inCall([person(0), person(1)], {
        captions: {
          available: true,
          on: true,
          lines: [
            said(1, "Amélie Laurent", "Shall we look at the numbers of last month first?"),
            said(2, "Jonas Weber", "Good idea. I have them here, one moment", false),
          ],
        },
      }),
  },
  consent: { app: () => at("c1"), call: () => inCall([person(0), person(1)]), clicks: ["control-captions"] },
  people: {
    app: () => at("c1"),
    call: () =>
      inCall([person(0), person(1, { muted: true, video: false }), person(6, { guest: true })], {
        canEndForAll: true,
        canRemove: true,
      }),
    clicks: ["control-people"],
  },
  settings: { app: () => at("c1"), call: () => inCall([person(0), person(1)]), clicks: ["control-devices"] },
  "incoming-in-call": {
    app: () => at("c1", { incoming: [incoming(4)], callPhase: "in-call" }),
    call: () => inCall([person(0)]),
  },
  sound: { app: () => at("c2"), call: () => inCall([person(0)], { soundBlocked: true }) },
  "guest-form": { app: () => guest({}) },
  "guest-waiting": {
    app: () => guest({ step: "waiting", username: "Guest_Maya" }),
    call: () => withCamera(noCall),
  },
  "guest-join": {
    app: () => guest({ step: "waiting", username: "Guest_Maya", callId: "k1", participantCount: 3 }),
    call: () => withCamera(noCall),
  },
  "guest-closed": { app: () => guest({ step: "closed", link: null, problem: "gone" }) },
  "operator-drain": { clicks: ["node-drain"] },
};

const wanted = new URL(window.location.href).searchParams.get("scene") ?? "home";
const scene = scenes[wanted] ?? {};
const appStore = new AppStore((scene.app ?? loggedIn)());
const callStore = new CallStore((scene.call ?? (() => noCall))());
const levels = new LevelBoard();
levels.setSource("local", () => 0.02);
levels.setSource("p0", () => 0.05);
const nothing = () => undefined;
const session = {
  levels,
  views: new ViewBook(),
  canShareScreen: true,
  noteFrame: nothing,
  noteVoice: nothing,
  leave: nothing,
  end: nothing,
  kick: nothing,
};
const root = document.getElementById("root");
const operatorScene = operatorScenes[wanted];
if (root !== null && operatorScene !== undefined) showOperator(createRoot(root), operatorScene());
else if (root !== null) {
  const app = { store: appStore, touched: nothing, measureSpeed: () => Promise.resolve(24_300) };
  createRoot(root).render(<App app={app} call={{ store: callStore, session }} />);
}
for (const [index, testId] of (scene.clicks ?? []).entries()) {
  setTimeout(
    () => document.querySelector<HTMLElement>(`[data-testid="${testId}"]`)?.click(),
    300 + index * 200,
  );
}
(window as { sceneNames?: string[] }).sceneNames = [
  ...new Set([...Object.keys(scenes), ...Object.keys(operatorScenes)]),
];
