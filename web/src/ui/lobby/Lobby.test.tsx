// @vitest-environment jsdom
import { cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { furnishPage, open } from "../../testing/page";
import { texts } from "../texts";
import { Lobby } from "./Lobby";

const denied = { on: false, track: null, trouble: "denied" as const };

describe("Lobby", () => {
  beforeEach(() => furnishPage());
  afterEach(() => cleanup());

  it("joins with what was typed", async () => {
    const { effects } = open(<Lobby />, { name: "", room: "" });
    await userEvent.type(screen.getByLabelText(texts.lobby.name), "Ada");
    await userEvent.type(screen.getByLabelText(texts.lobby.room), "tea{Enter}");
    expect(effects).toContainEqual({ type: "join", room: "tea", name: "Ada" });
  });

  it("asks for a missing name and goes there", async () => {
    const { effects } = open(<Lobby />, { name: " " });
    await userEvent.click(screen.getByTestId("lobby-join"));
    expect(screen.getByRole("alert").textContent).toBe(texts.lobby.needName);
    const field = screen.getByLabelText(texts.lobby.name);
    expect(document.activeElement).toBe(field);
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(effects).toEqual([]);
  });

  it("cannot be joined twice", () => {
    open(<Lobby />, { phase: "joining" });
    expect(screen.getByTestId<HTMLButtonElement>("lobby-join").disabled).toBe(true);
  });

  it("says why joining failed", () => {
    open(<Lobby />, { joinProblem: "full" });
    expect(screen.getByRole("alert").textContent).toContain(texts.join.full);
  });

  it("suggests another room", async () => {
    const { store } = open(<Lobby />);
    await userEvent.click(screen.getByRole("button", { name: texts.lobby.newRoom }));
    expect(store.state().room).toMatch(/^[a-z]+-[a-z]+-\d+$/);
  });

  it("explains blocked devices, offers another try, and still lets one in", async () => {
    const { store, effects } = open(<Lobby />);
    store.dispatch({ type: "local-trouble", capture: "camera", trouble: "denied" });
    store.dispatch({ type: "local-trouble", capture: "microphone", trouble: "denied" });
    expect((await screen.findByTestId("permission-note")).textContent).toContain(texts.trouble.both.title);
    await userEvent.click(screen.getByRole("button", { name: texts.trouble.retry }));
    const opened = effects.flatMap((effect) => (effect.type === "open" ? [effect.capture] : []));
    expect(opened).toEqual(["camera", "microphone"]);
    await userEvent.click(screen.getByTestId("lobby-join"));
    expect(effects.some(({ type }) => type === "join")).toBe(true);
  });

  it("toggles say what they do", async () => {
    const { store } = open(<Lobby />);
    const toggle = screen.getByTestId("lobby-toggle-mic");
    expect(toggle.getAttribute("aria-label")).toBe(texts.controls.mute);
    await userEvent.click(toggle);
    expect(toggle.getAttribute("aria-label")).toBe(texts.controls.unmute);
    expect(store.state().local.microphone.on).toBe(false);
  });

  it("offers the devices there are", async () => {
    const { store, effects } = open(<Lobby />, {
      local: { microphone: denied, camera: denied, screen: { ...denied, trouble: null } },
      devices: {
        cameras: [
          { id: "a", label: "Front" },
          { id: "b", label: "" },
        ],
        microphones: [],
        speakers: [],
      },
    });
    expect(screen.getByLabelText<HTMLSelectElement>(texts.devices.microphone).disabled).toBe(true);
    const cameras = screen.getByLabelText(texts.devices.camera);
    await userEvent.selectOptions(cameras, "Camera 2");
    expect(store.state().chosen.camera).toBe("b");
    expect(effects).toContainEqual({ type: "choose", kind: "camera", deviceId: "b" });
  });
});
