// @vitest-environment jsdom
import { act, cleanup, fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallState, Participant, RemoteTrack } from "../../call/state";
import { furnishPage } from "../../testing/page";
import { inCall, person as somebody } from "../../testing/people";
import { fakeTrack } from "../../testing/tracks";
import { openWhole } from "../testing";
import { texts } from "../texts";
import { CallScreen } from "./CallScreen";

function sent(key: string, change: Partial<RemoteTrack> = {}): RemoteTrack {
  return { key, track: null, receiver: null, paused: false, held: false, ...change };
}

function person(index: number, change: Partial<Participant> = {}): Participant {
  const id = `p${String(index)}`;
  const media = {
    microphone: sent(`${id}:microphone`),
    camera: sent(`${id}:camera`, { track: fakeTrack("video") }),
  };
  return somebody(id, { name: `Person ${String(index)}`, media, ...change });
}

function openCall(participants: Participant[], change: Partial<CallState> = {}) {
  return openWhole(<CallScreen />, { call: inCall({ participants, canShareScreen: true, ...change }) });
}

function tiles(): Record<string, string | undefined>[] {
  return screen.getAllByTestId("tile").map(({ dataset }) => Object.fromEntries(Object.entries(dataset)));
}

beforeEach(() => furnishPage());
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe("tiles", () => {
  it("are described", () => {
    openCall([person(0, { audioOn: false })]);
    expect(tiles()).toMatchObject([
      { participantId: "p0", name: "Person 0", source: "camera", muted: "true", video: "on", local: "false" },
      { participantId: "me", name: "Ada", source: "camera", muted: "false", video: "off", local: "true" },
    ]);
    expect(screen.getByRole("article", { name: "Person 0, muted" })).toBeDefined();
  });

  it("report the pictures on the page, and only those", () => {
    vi.useFakeTimers();
    const { views } = openCall(Array.from({ length: 20 }, (_, index) => person(index)));
    expect(tiles()).toHaveLength(16);
    expect(views.size("p0:camera")?.height).toBe(720);
    expect(views.size("p19:camera")).toBeNull();
    act(() => screen.getByRole("button", { name: texts.call.nextPage }).click());
    vi.advanceTimersByTime(1000);
    vi.useRealTimers();
    expect(tiles()).toHaveLength(5);
    expect(views.size("p19:camera")?.height).toBe(720);
    expect(views.size("p0:camera")).toBeNull();
  });

  it("become large with a click, and the others lie on top", async () => {
    const { store } = openCall([person(0), person(1)]);
    await userEvent.click(screen.getByRole("article", { name: "Person 1" }));
    expect(store.state().pinned).toBe("p1:camera");
    expect(tiles().map(({ name, place }) => [name, place])).toEqual([
      ["Person 0", "overlay"],
      ["Person 1", "full"],
      ["Ada", "overlay"],
    ]);
    await userEvent.click(screen.getByTestId("tile-restore"));
    expect(store.state().pinned).toBeNull();
    expect(tiles().every(({ place }) => place === "cell")).toBe(true);
  });

  it("change places with a double click or the button", async () => {
    const { store } = openCall([person(0), person(1)], { pinned: "p1:camera" });
    await userEvent.dblClick(screen.getByRole("article", { name: "Person 0" }));
    expect(store.state().pinned).toBe("p0:camera");
    await userEvent.click(screen.getByRole("button", { name: `${texts.call.maximise}: Person 1` }));
    expect(store.state().pinned).toBe("p1:camera");
  });

  it("on top can be moved with the arrow keys, not out of the page", () => {
    openCall([person(0), person(1)], { pinned: "p1:camera" });
    const tile = screen.getByRole("article", { name: "Person 0" });
    const before = tile.style.transform;
    fireEvent.keyDown(tile, { key: "ArrowLeft" });
    expect(tile.style.transform).not.toBe(before);
    for (let press = 0; press < 100; press += 1) fireEvent.keyDown(tile, { key: "ArrowLeft" });
    expect(tile.style.transform).toMatch(/^translate\(0px,/);
  });

  it("on top follow the pointer, and a short push is no move", () => {
    Element.prototype.setPointerCapture = () => undefined;
    openCall([person(0)]);
    const own = screen.getAllByTestId("tile").find(({ dataset }) => dataset.local === "true");
    if (own === undefined) throw new Error("no own tile");
    const before = own.style.transform;
    const pointer = { pointerId: 1, button: 0 };
    fireEvent.pointerDown(own, { ...pointer, clientX: 1000, clientY: 600 });
    fireEvent.pointerMove(own, { ...pointer, clientX: 1002, clientY: 601 });
    fireEvent.pointerUp(own, { ...pointer, clientX: 1002, clientY: 601 });
    expect(own.style.transform).toBe(before);
    fireEvent.pointerDown(own, { ...pointer, clientX: 1000, clientY: 600 });
    fireEvent.pointerMove(own, { ...pointer, clientX: 200, clientY: 100 });
    fireEvent.pointerUp(own, { ...pointer, clientX: 200, clientY: 100 });
    // Let go of in the upper left: rests in that corner.
    expect(own.style.transform).toBe("translate(16px, 16px)");
  });

  it.each([
    ["away", texts.call.away],
    ["left", texts.call.left],
    ["connecting", texts.call.connecting],
  ] as const)("say that somebody is %s", (presence, text) => {
    openCall([person(0, { presence })]);
    expect(screen.getByTestId("tile-presence").textContent).toBe(text);
  });

  it("show how well somebody's media arrives", () => {
    openCall([person(0, { quality: "poor" }), person(1, { quality: null })]);
    const labels = screen.getAllByRole("img").map((image) => image.getAttribute("aria-label"));
    expect(labels).toContain(texts.quality.label(texts.quality.poor));
  });
});

describe("keys", () => {
  it.each([
    ["m", "microphone"],
    ["v", "camera"],
    ["s", "screen"],
  ] as const)("%s toggles the %s", async (key, capture) => {
    const { store } = openCall([]);
    const before = store.state().local[capture].on;
    await userEvent.keyboard(key);
    expect(store.state().local[capture].on).toBe(!before);
  });

  it("s does nothing for those who may not share", async () => {
    const { store } = openCall([], { canShareScreen: false });
    await userEvent.keyboard("s");
    expect(store.state().local.screen.on).toBe(false);
    expect(screen.queryByTestId("control-screen")).toBeNull();
  });

  it("are left alone that belong to the browser or to a field", async () => {
    const { store } = openWhole(
      <>
        <input aria-label="field" />
        <CallScreen />
      </>,
      { call: inCall({ canShareScreen: true }) },
    );
    await userEvent.keyboard("{Control>}m{/Control}");
    await userEvent.type(screen.getByLabelText("field"), "mvs");
    expect(store.state().local.microphone.on).toBe(true);
    expect(store.state().local.screen.on).toBe(false);
  });

  it("never hang up by Escape, which only closes the panel and gives the focus back", async () => {
    const { session } = openCall([]);
    const button = screen.getByTestId("control-devices");
    await userEvent.click(button);
    expect(screen.getByRole("dialog")).toBeDefined();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.activeElement).toBe(button);
    await userEvent.keyboard("{Escape}");
    expect(session.leave).not.toHaveBeenCalled();
  });

  it("Tab stays inside an open panel", async () => {
    openCall([person(0)], { canEndForAll: true });
    await userEvent.click(screen.getByTestId("control-people"));
    const panel = screen.getByRole("dialog");
    for (let press = 0; press < 6; press += 1) {
      await userEvent.tab();
      expect(panel.contains(document.activeElement)).toBe(true);
    }
    await userEvent.tab({ shift: true });
    expect(panel.contains(document.activeElement)).toBe(true);
  });
});

describe("the way out and who may do what", () => {
  it("leaves with the button", async () => {
    const { session } = openCall([]);
    await userEvent.click(screen.getByTestId("control-leave"));
    expect(session.leave).toHaveBeenCalledTimes(1);
  });

  it("asks once more before it ends the call for everybody or removes somebody", async () => {
    const { session } = openCall([person(0)], { canEndForAll: true, canRemove: true });
    await userEvent.click(screen.getByTestId("control-people"));
    await userEvent.click(screen.getByRole("button", { name: texts.people.remove("Person 0") }));
    expect(session.kick).not.toHaveBeenCalled();
    await userEvent.click(screen.getByTestId("people-remove-sure"));
    expect(session.kick).toHaveBeenCalledWith("p0");
    await userEvent.click(screen.getByTestId("people-end"));
    await userEvent.click(within(screen.getByRole("dialog")).getByTestId("people-end-sure"));
    expect(session.end).toHaveBeenCalledTimes(1);
  });

  it("offers neither to those who may not", async () => {
    openCall([person(0)]);
    await userEvent.click(screen.getByTestId("control-people"));
    expect(screen.queryByTestId("people-remove")).toBeNull();
    expect(screen.queryByTestId("people-end")).toBeNull();
  });
});

describe("what is told", () => {
  it.each([
    ["connecting", texts.link.connecting],
    ["reconnecting", texts.link.reconnecting],
    ["connected", texts.link.connected],
  ] as const)("that it is %s", (link, text) => {
    openCall([], { link });
    expect(screen.getByTestId("connection-status").textContent).toBe(text);
  });

  it.each([
    ["sfu", texts.switching.toGroup],
    ["p2p", texts.switching.toDirect],
  ] as const)("that the call switches to %s, without hiding a picture", (to, text) => {
    openCall([person(0)], { switching: { to, phase: "switching", retryAt: null } });
    expect(screen.getByTestId("switch-strip").textContent).toContain(text);
    expect(tiles().filter(({ video }) => video === "on")).toHaveLength(1);
    expect(screen.queryByTestId("switch-retry")).toBeNull();
  });

  it("that a switch is tried again, and lets one not wait for it", async () => {
    const { effects } = openCall([person(0)], {
      switching: { to: "sfu", phase: "retrying", retryAt: Date.now() + 7_000 },
    });
    expect(screen.getByTestId("switch-strip").textContent).toContain(texts.switching.retrying(7));
    await userEvent.click(screen.getByTestId("switch-retry"));
    expect(effects).toContainEqual({ type: "retry-switch" });
  });

  it("that the network is weak, with a way to help", async () => {
    const { effects, store } = openCall([person(0)], { advice: "audio-only" });
    expect(screen.getByTestId("advice").textContent).toContain(texts.advice["audio-only"]);
    await userEvent.click(screen.getByTestId("advice-audio-only"));
    expect(store.state().audioOnly).toBe(true);
    expect(effects).toContainEqual({ type: "set-audio-only", on: true });
  });

  it("that a third could not be added from here, which can be put away", async () => {
    openCall([person(0)], { advice: "sfu-unreachable" });
    expect(screen.queryByTestId("advice-audio-only")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: texts.advice.dismiss }));
    expect(screen.queryByTestId("advice")).toBeNull();
  });
});

describe("captions", () => {
  const available = { available: true, on: false, lines: [] };
  const line = { id: 1, participantId: "p0", name: "Person 0", text: "Hello", final: true, at: 0 };

  it("begin only after the consent notice", async () => {
    const { store } = openCall([person(0)], { captions: available });
    await userEvent.click(screen.getByTestId("control-captions"));
    expect(screen.getByRole("dialog", { name: texts.captions.consentTitle })).toBeDefined();
    expect(store.state().captions.on).toBe(false);
    await userEvent.click(screen.getByTestId("caption-consent-yes"));
    expect(store.state().captions.on).toBe(true);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("can be refused, and then ask again", async () => {
    const { store } = openCall([person(0)], { captions: available });
    for (const round of [1, 2]) {
      await userEvent.click(screen.getByTestId("control-captions"));
      await userEvent.click(screen.getByRole("button", { name: texts.cancel }));
      expect(store.state().captions.on, `round ${String(round)}`).toBe(false);
    }
  });

  it("show who says what", () => {
    openCall([person(0)], { captions: { ...available, on: true, lines: [line] } });
    expect(screen.getByRole("log").textContent).toBe("Person 0: Hello");
  });

  it("are hidden with the reason where the browser cannot make them", async () => {
    openCall([person(0)], { captions: { available: false, on: false, lines: [] } });
    expect(screen.queryByTestId("control-captions")).toBeNull();
    await userEvent.click(screen.getByTestId("control-devices"));
    expect(screen.getByTestId("captions-unavailable").textContent).toBe(texts.captions.unavailable);
  });
});

describe("settings", () => {
  it("offer the devices there are, and audio alone", async () => {
    const devices = {
      cameras: [
        { id: "a", label: "Front" },
        { id: "b", label: "" },
      ],
      microphones: [],
      speakers: [],
    };
    const { effects } = openCall([person(0)], { devices });
    await userEvent.click(screen.getByTestId("control-devices"));
    await userEvent.selectOptions(screen.getByLabelText(texts.devices.camera), "Camera 2");
    expect(effects).toContainEqual({ type: "choose", kind: "camera", deviceId: "b" });
    expect(screen.getByLabelText<HTMLSelectElement>(texts.devices.microphone).disabled).toBe(true);
    await userEvent.click(screen.getByRole("switch"));
    expect(effects).toContainEqual({ type: "set-audio-only", on: true });
  });

  it("explain a blocked device and try it again", async () => {
    const denied = { on: false, track: null, trouble: "denied" as const };
    const local = {
      microphone: { ...denied, trouble: null },
      camera: denied,
      screen: { ...denied, trouble: null },
    };
    const { effects } = openCall([person(0)], { local });
    await userEvent.click(screen.getByTestId("control-devices"));
    expect(screen.getByTestId("permission-note").textContent).toContain(texts.trouble.camera.denied);
    await userEvent.click(screen.getByRole("button", { name: texts.retry }));
    expect(effects).toContainEqual({ type: "open", capture: "camera" });
  });
});

it("asks somebody alone in a group to invite others", async () => {
  const { appEffects } = openCall([]);
  await userEvent.click(screen.getByRole("button", { name: texts.conversation.invite }));
  expect(appEffects).toEqual([{ type: "make-link", conversationId: "conversation" }]);
});
