// @vitest-environment jsdom
import { act, cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Participant, RemoteTrack } from "../../call/state";
import { furnishPage, open } from "../../testing/page";
import { fakeTrack } from "../../testing/tracks";
import { texts } from "../texts";
import { CallScreen } from "./CallScreen";

function sent(producerId: string, change: Partial<RemoteTrack> = {}): RemoteTrack {
  return { producerId, track: null, receiver: null, paused: false, held: false, ...change };
}

function person(index: number, change: Partial<RemoteTrack> = {}): Participant {
  const id = `p${String(index)}`;
  return {
    id,
    name: `Person ${String(index)}`,
    media: {
      microphone: sent(`${id}-voice`, change),
      camera: sent(`${id}-face`, { track: fakeTrack("video") }),
    },
  };
}

const inCall = (participants: Participant[]) => ({
  phase: "in-call" as const,
  link: "connected" as const,
  selfId: "me",
  joinedAt: Date.now(),
  participants,
});

function tiles(): Record<string, string | undefined>[] {
  return screen.getAllByTestId("tile").map(({ dataset }) => Object.fromEntries(Object.entries(dataset)));
}

describe("CallScreen", () => {
  beforeEach(() => furnishPage());
  afterEach(() => cleanup());

  it("describes every tile", () => {
    open(<CallScreen />, inCall([person(0, { paused: true })]));
    expect(tiles()).toMatchObject([
      { participantId: "p0", name: "Person 0", source: "camera", muted: "true", video: "on", local: "false" },
      { participantId: "me", name: "Ada", source: "camera", muted: "false", video: "off", local: "true" },
    ]);
    expect(screen.getByRole("article", { name: "Person 0, muted" })).toBeDefined();
  });

  it("reports the pictures on the page, and only those", () => {
    vi.useFakeTimers();
    const { views } = open(<CallScreen />, inCall(Array.from({ length: 20 }, (_, index) => person(index))));
    expect(tiles()).toHaveLength(16);
    expect(views.size("p0-face")?.height).toBe(720);
    expect(views.size("p19-face")).toBeNull();
    act(() => screen.getByRole("button", { name: texts.call.nextPage }).click());
    vi.advanceTimersByTime(1000);
    vi.useRealTimers();
    expect(tiles()).toHaveLength(5);
    expect(views.size("p19-face")?.height).toBe(720);
    expect(views.size("p0-face")).toBeNull();
  });

  it("plays everybody's sound, also of other pages", () => {
    const voices = Array.from({ length: 20 }, (_, index) => person(index, { track: fakeTrack("audio") }));
    const { container } = open(<CallScreen />, inCall(voices));
    expect(container.querySelectorAll("audio")).toHaveLength(20);
  });

  it("asks for a click when the browser holds the sound back", async () => {
    vi.spyOn(HTMLMediaElement.prototype, "play").mockRejectedValue(new DOMException("no", "NotAllowedError"));
    const { store } = open(<CallScreen />, inCall([person(0, { track: fakeTrack("audio") })]));
    const button = await screen.findByRole("button", { name: texts.call.playSound });
    const play = vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue(undefined);
    play.mockClear();
    await userEvent.click(button);
    expect(store.state().soundBlocked).toBe(false);
    expect(play).toHaveBeenCalled();
  });

  it.each([
    ["m", "microphone"],
    ["v", "camera"],
    ["s", "screen"],
  ] as const)("key %s toggles the %s", async (key, capture) => {
    const { store } = open(<CallScreen />, inCall([]));
    const before = store.state().local[capture].on;
    await userEvent.keyboard(key);
    expect(store.state().local[capture].on).toBe(!before);
  });

  it("leaves keys alone that belong to the browser or to a field", async () => {
    const { store } = open(
      <>
        <input aria-label="field" />
        <CallScreen />
      </>,
      inCall([]),
    );
    await userEvent.keyboard("{Control>}m{/Control}");
    await userEvent.type(screen.getByLabelText("field"), "mvs");
    expect(store.state().local.microphone.on).toBe(true);
    expect(store.state().local.screen.on).toBe(false);
  });

  it("never hangs up with Escape, which only closes the panel", async () => {
    const { store, effects } = open(<CallScreen />, inCall([]));
    await userEvent.click(screen.getByTestId("control-devices"));
    expect(screen.getByRole("dialog")).toBeDefined();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
    await userEvent.keyboard("{Escape}");
    expect(store.state().phase).toBe("in-call");
    expect(effects.some(({ type }) => type === "leave")).toBe(false);
  });

  it("leaves with the button", async () => {
    const { effects } = open(<CallScreen />, inCall([]));
    await userEvent.click(screen.getByTestId("control-leave"));
    expect(effects).toEqual([{ type: "leave" }]);
  });

  it("puts a tile on the stage and takes it off again", async () => {
    const { store } = open(<CallScreen />, inCall([person(0), person(1)]));
    await userEvent.click(screen.getByRole("button", { name: `${texts.call.pin}: Person 1` }));
    expect(store.state().pinned).toBe("p1:camera");
    await userEvent.click(screen.getByRole("button", { name: `${texts.call.unpin}: Person 1` }));
    expect(store.state().pinned).toBeNull();
  });

  it.each([
    ["connecting", texts.link.connecting],
    ["reconnecting", texts.link.reconnecting],
    ["connected", texts.link.connected],
  ] as const)("shows that it is %s", (link, text) => {
    open(<CallScreen />, { ...inCall([]), link });
    expect(screen.getByTestId("connection-status").textContent).toBe(text);
  });
});
