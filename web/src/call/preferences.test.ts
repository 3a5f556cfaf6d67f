// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { readFlags, remember, startValues } from "./preferences";
import { initialState } from "./state";

const at = (path: string) => new URL(path, "https://call.example");

describe("the address", () => {
  it("carries wishes", () => {
    expect(readFlags(at("/?autojoin=1&codec=H264&forceTcp=1&relay=1&simulcast=0"))).toEqual({
      autojoin: true,
      codec: "h264",
      forceTcp: true,
      relay: true,
      simulcast: false,
    });
    expect(readFlags(at("/"))).toEqual({
      autojoin: false,
      codec: undefined,
      forceTcp: false,
      relay: false,
      simulcast: true,
    });
  });
});

describe("what is remembered", () => {
  beforeEach(() => localStorage.clear());

  it("starts afresh without", () => {
    expect(startValues(at("/"), localStorage)).toMatchObject({
      name: "",
      microphoneOn: true,
      cameraOn: true,
    });
  });

  it("survives the visit; the address wins over it", () => {
    const state = initialState({
      ...startValues(at("/?name=Ada"), localStorage),
      cameraOn: false,
    });
    remember(localStorage, { ...state, chosen: { ...state.chosen, camera: "cam" } });
    expect(startValues(at("/"), localStorage)).toMatchObject({
      name: "Ada",
      cameraOn: false,
      chosen: { camera: "cam" },
    });
    expect(startValues(at("/?name=Eve"), localStorage).name).toBe("Eve");
  });

  it("gives way to what the address says about microphone and camera", () => {
    const muted = startValues(at("/?mic=0&cam=0"), localStorage);
    expect(muted).toMatchObject({ microphoneOn: false, cameraOn: false });
    remember(localStorage, initialState(muted));
    expect(startValues(at("/?mic=1"), localStorage)).toMatchObject({ microphoneOn: true, cameraOn: false });
  });

  it("does not remember a broken device as a wish to be without it", () => {
    const state = initialState(startValues(at("/"), localStorage));
    const camera = { on: false, track: null, trouble: "denied" as const };
    remember(localStorage, { ...state, local: { ...state.local, camera } });
    expect(startValues(at("/"), localStorage).cameraOn).toBe(true);
  });

  it.each(["nonsense", "null", "7", '{"name":7,"cameraOn":"yes","camera":[]}'])(
    "is not trusted: %s",
    (stored) => {
      localStorage.setItem("meeshy.preferences", stored);
      expect(startValues(at("/"), localStorage)).toMatchObject({
        name: "",
        cameraOn: true,
        chosen: { camera: undefined },
      });
    },
  );

  it("works without storage", () => {
    const state = initialState(startValues(at("/"), undefined));
    expect(() => remember(undefined, state)).not.toThrow();
  });
});
