// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { inviteLink, readFlags, remember, roomOf, startValues } from "./preferences";
import { initialState } from "./state";

const at = (path: string) => new URL(path, "https://call.example");

describe("the address", () => {
  it.each([
    ["/r/tea", "tea"],
    ["/r/tea/", "tea"],
    ["/r/afternoon%20tea", "afternoon tea"],
    ["/?room=tea", "tea"],
    ["/r/tea?room=coffee", "tea"],
    ["/", ""],
    ["/r/", ""],
    ["/r/%E0%A4%A", ""],
    ["/r/a/b", ""],
  ])("%s names room %j", (path, room) => {
    expect(roomOf(at(path))).toBe(room);
  });

  it("is made from the room and read back", () => {
    const link = inviteLink("https://call.example", " tea & cake/№1 ");
    expect(roomOf(new URL(link))).toBe("tea & cake/№1");
  });

  it("carries wishes", () => {
    expect(readFlags(at("/?autojoin=1&codec=H264&forceTcp=1&simulcast=0"))).toEqual({
      autojoin: true,
      codec: "h264",
      forceTcp: true,
      simulcast: false,
    });
    expect(readFlags(at("/"))).toEqual({
      autojoin: false,
      codec: undefined,
      forceTcp: false,
      simulcast: true,
    });
  });
});

describe("what is remembered", () => {
  beforeEach(() => localStorage.clear());
  const suggest = () => "calm-owl-1";

  it("starts afresh without", () => {
    expect(startValues(at("/"), localStorage, suggest)).toMatchObject({
      room: "calm-owl-1",
      name: "",
      microphoneOn: true,
      cameraOn: true,
    });
  });

  it("survives the visit; the address wins over it", () => {
    const state = initialState({
      ...startValues(at("/r/tea?name=Ada"), localStorage, suggest),
      cameraOn: false,
    });
    remember(localStorage, { ...state, chosen: { ...state.chosen, camera: "cam" } });
    expect(startValues(at("/"), localStorage, suggest)).toMatchObject({
      name: "Ada",
      cameraOn: false,
      chosen: { camera: "cam" },
    });
    expect(startValues(at("/?name=Eve"), localStorage, suggest).name).toBe("Eve");
  });

  it("does not remember a broken device as a wish to be without it", () => {
    const state = initialState(startValues(at("/"), localStorage, suggest));
    const camera = { on: false, track: null, trouble: "denied" as const };
    remember(localStorage, { ...state, local: { ...state.local, camera } });
    expect(startValues(at("/"), localStorage, suggest).cameraOn).toBe(true);
  });

  it.each(["nonsense", "null", "7", '{"name":7,"cameraOn":"yes","camera":[]}'])(
    "is not trusted: %s",
    (stored) => {
      localStorage.setItem("meeshy.preferences", stored);
      expect(startValues(at("/"), localStorage, suggest)).toMatchObject({
        name: "",
        cameraOn: true,
        chosen: { camera: undefined },
      });
    },
  );

  it("works without storage", () => {
    const state = initialState(startValues(at("/"), undefined, suggest));
    expect(() => remember(undefined, state)).not.toThrow();
  });
});
