// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ViewBook } from "../media/views";
import type { MediaServerConfig, Mode, ModeSwitch, Signal } from "../signalling/generated";
import { FakeDirect, FakeSfu } from "../testing/fake-ways";
import { joinDto, person } from "../testing/people";
import { MediaPlane, type PlaneEvents } from "./media-plane";
import { OwnMedia } from "./own-media";
import type { Participant } from "./state";

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

const config = (routerId = "r1"): MediaServerConfig => ({
  routerId,
  rtpCapabilities: { codecs: [], headerExtensions: [] },
  url: "",
  token: "token",
  tokenExpiresAt: "2099-01-01T00:00:00.000Z",
  producers: [],
});

const FLAGS = {
  autojoin: false,
  forceTcp: false,
  relay: false,
  simulcast: true,
  codec: undefined,
} as const;

function rig(others: Participant[] = [], iceServers: { urls: string[] }[] = []) {
  const directs: FakeDirect[] = [];
  const sfus: FakeSfu[] = [];
  const sent: [string, Signal][] = [];
  const people = { others };
  const views = new ViewBook();
  const plane = new MediaPlane({
    selfId: "me",
    own: new OwnMedia(),
    views,
    flags: FLAGS,
    openDirect: (options) => {
      const direct = new FakeDirect(options);
      directs.push(direct);
      return direct;
    },
    openSfu: (wish) => {
      const sfu = new FakeSfu(wish);
      sfus.push(sfu);
      return sfu;
    },
    send: (peerId, signal) => sent.push([peerId, signal]),
    others: () => people.others,
    now: () => Date.now(),
  });
  const log: [string, unknown][] = [];
  const names = [
    "mode",
    "switching",
    "sfu-path",
    "media",
    "acknowledge",
    "proof",
    "connected",
    "ask-anew",
    "sfu-lost",
    "gap",
    "flow",
  ] as const;
  for (const name of names) plane.events.on(name, (event) => log.push([name, event]));
  const heard = <K extends keyof PlaneEvents>(name: K) =>
    log.filter(([each]) => each === name).map(([, event]) => event as PlaneEvents[K]);
  /** Whose track the page has, by source. */
  const shown = (id: string, source: "camera" | "microphone" = "camera") =>
    heard("media").findLast((event) => event.id === id && event.source === source)?.carried?.track ?? null;
  const directTrack = (index: number, source: "camera" | "microphone" = "camera") =>
    directs[index]?.remotes.find((remote) => remote.source === source)?.track;
  const sfuTrack = (index: number, id: string, source: "camera" | "microphone" = "camera") =>
    sfus[index]?.incoming.find(({ remote }) => remote.participantId === id && remote.source === source)
      ?.track;
  return { plane, directs, sfus, sent, people, views, log, heard, shown, directTrack, sfuTrack, iceServers };
}

function order(newMode: Mode, change: Partial<ModeSwitch> = {}): ModeSwitch {
  const oldMode = change.oldMode ?? (newMode === "sfu" ? "p2p" : "sfu");
  return {
    callId: "call",
    oldMode,
    newMode,
    mode: newMode,
    reason: "participant-count-changed",
    switchDeadline: new Date(Date.now() + 10_000).toISOString(),
    transitionId: "t1",
    ...change,
  };
}

const decided = (success: boolean, mode: Mode, change: { transitionId?: string; retryAt?: string } = {}) => ({
  callId: "call",
  success,
  mode,
  transitionId: "t1",
  ...change,
});

const looks = (milliseconds = 200) => vi.advanceTimersByTimeAsync(milliseconds);

/** A direct call with Bob that carries pictures and sound, its group way proven. */
async function directCall() {
  const made = rig();
  made.plane.enter(joinDto({ mode: "p2p" }), false);
  made.people.others = [person("bob")];
  made.plane.participantJoined("bob");
  made.directs[0]?.carry();
  made.views.show("bob:camera", { width: 640, height: 360 });
  made.plane.offerNode(config());
  made.sfus[0]?.receive("bob", "microphone", { arrived: false });
  made.sfus[0]?.receive("bob", "camera", { arrived: false });
  made.sfus[0]?.prove();
  await looks();
  return made;
}

/** The same call after Eve has come. */
async function groupCall() {
  const made = await directCall();
  made.plane.order(order("sfu", { mediaServerConfig: config() }));
  made.sfus[0]?.receive("bob", "microphone", { arrived: true });
  made.sfus[0]?.receive("bob", "camera", { arrived: true });
  await looks();
  made.plane.decide(decided(true, "sfu"));
  return made;
}

describe("a call of two", () => {
  it("is offered to who comes by who is there", () => {
    const { plane, directs } = rig();
    plane.enter(joinDto(), false);
    expect(directs).toEqual([]);
    plane.participantJoined("bob");
    expect(directs[0]?.options).toMatchObject({ role: "initiator", negotiationId: "bob" });
  });

  it("is answered by who comes, also when the offer was quicker than the acknowledgement", () => {
    const { plane, directs } = rig([person("bob")]);
    const signal: Signal = { type: "ice-candidate", negotiationId: "me" };
    plane.handleSignal({ callId: "call", fromParticipantId: "bob", signal });
    plane.enter(joinDto(), false);
    expect(directs[0]?.options).toMatchObject({ role: "receiver", negotiationId: "me" });
    expect(directs[0]?.signals).toEqual([signal]);
  });

  it("says once that media is up", async () => {
    const { heard, directs } = await directCall();
    directs[0]?.move("reconnecting");
    directs[0]?.move("connected");
    expect(heard("connected")).toHaveLength(1);
  });

  it("is built anew by who offered when it broke for good, beside the old one, until it works", async () => {
    const { directs, shown, directTrack } = await directCall();
    directs[0]?.move("failed");
    await looks(600);
    expect(directs).toHaveLength(2);
    expect(directs[1]?.options.role).toBe("initiator");
    expect(directs[1]?.negotiationId).not.toBe("bob");
    expect(directs[0]?.closed).toBe(false);
    directs[1]?.carry();
    expect(directs[0]?.closed).toBe(true);
    expect(shown("bob")).toBe(directTrack(1));
  });

  it("follows when the other side builds anew, but not for words of an old negotiation", async () => {
    const { plane, directs } = await directCall();
    const offer = (negotiationId: string) => ({
      callId: "call",
      fromParticipantId: "bob",
      signal: { type: "offer" as const, sdp: "v=0", negotiationId },
    });
    plane.handleSignal(offer("bob~7"));
    expect(directs[1]?.options).toMatchObject({ role: "receiver", negotiationId: "bob~7" });
    directs[1]?.carry();
    plane.handleSignal(offer("bob"));
    expect(directs).toHaveLength(2);
  });

  it("does not connect to a third: the group way is about to be ordered", async () => {
    const { plane, directs, people } = await directCall();
    people.others = [person("bob"), person("eve", { presence: "connecting" })];
    plane.participantJoined("eve");
    expect(directs).toHaveLength(1);
  });

  it("connects anew to somebody who comes back with nothing in their hands", async () => {
    const { plane, directs } = await directCall();
    plane.participantJoined("bob");
    expect(directs).toHaveLength(2);
    expect(directs[0]?.closed).toBe(true);
  });

  it("is kept as it is when only the gateway was away", async () => {
    const { plane, directs, sfus } = await directCall();
    plane.enter(joinDto({ mode: "p2p", mediaServerConfig: config() }), true);
    expect(directs).toHaveLength(1);
    expect(sfus).toHaveLength(1);
    expect(directs[0]?.closed).toBe(false);
  });

  it("is proven over the node once, quietly, and told", async () => {
    const { heard, sfus, plane } = await directCall();
    expect(heard("sfu-path")).toEqual(["proving", "proven"]);
    expect(heard("proof")).toEqual([{ proven: true, protocol: "udp", error: undefined }]);
    expect(sfus[0]?.active).toBe(false);
    plane.offerNode(config());
    expect(sfus).toHaveLength(1);
    plane.offerNode(null);
    expect(sfus[0]?.closed).toBe(true);
    expect(heard("sfu-path").at(-1)).toBe("none");
  });

  it("goes on when the way through the node fails: over a relay, then told, then tried now and then", async () => {
    const made = rig([person("bob")]);
    const { plane, sfus, heard } = made;
    plane.enter(joinDto({ iceServers: [{ urls: ["turn:example"] }] }), false);
    plane.offerNode(config());
    sfus[0]?.lose();
    expect(sfus[1]?.wish).toMatchObject({ relayOnly: true, active: false });
    expect(heard("proof")).toEqual([]);
    sfus[1]?.lose();
    expect(heard("proof")).toMatchObject([{ proven: false }]);
    expect(heard("sfu-path").at(-1)).toBe("failed");
    await looks(15_000);
    expect(sfus[2]?.wish).toMatchObject({ relayOnly: false });
    sfus[2]?.prove("tcp");
    expect(heard("proof").at(-1)).toMatchObject({ proven: true, protocol: "tcp" });
  });
});

describe("from two to three", () => {
  it("resumes what stands by; tiles and sound aim for it, the direct way stays until everybody has", async () => {
    const { plane, directs, sfus, heard, shown, sfuTrack } = await directCall();
    plane.order(order("sfu", { mediaServerConfig: config() }));
    expect(sfus).toHaveLength(1);
    expect(sfus[0]?.log).toContain("activate");
    expect(heard("switching")).toEqual([{ to: "sfu", phase: "switching", retryAt: null }]);
    await looks(1_000);
    // Nothing has come over the new way yet.
    expect(heard("acknowledge")).toEqual([]);
    sfus[0]?.receive("bob", "microphone", { arrived: true });
    await looks();
    expect(heard("acknowledge")).toEqual([]);
    sfus[0]?.receive("bob", "camera", { arrived: true });
    await looks();
    expect(heard("acknowledge")).toEqual([{ transitionId: "t1", success: true, error: null }]);
    expect(shown("bob")).toBe(sfuTrack(0, "bob"));
    expect(directs[0]?.closed).toBe(false);
    plane.decide(decided(true, "sfu"));
    // For a moment longer, until the new pictures are on the screen.
    expect(directs[0]?.closed).toBe(false);
    await looks(1_000);
    expect(directs[0]?.closed).toBe(true);
    expect(shown("bob")).toBe(sfuTrack(0, "bob"));
    expect(plane.mode).toBe("sfu");
    expect(heard("switching").at(-1)).toBeNull();
  });

  it("does not wait for pictures that are off the screen, nor for the newcomer", async () => {
    const { plane, sfus, heard, views, people } = await directCall();
    views.hide("bob:camera");
    await looks(1_000);
    people.others = [person("bob"), person("eve", { presence: "connecting" })];
    plane.order(order("sfu", { mediaServerConfig: config() }));
    sfus[0]?.receive("bob", "microphone", { arrived: true });
    await looks();
    expect(heard("acknowledge")).toHaveLength(1);
  });

  it("waits only so long for what somebody says is on but does not send", async () => {
    const { plane, sfus, heard } = await directCall();
    plane.order(order("sfu", { mediaServerConfig: config() }));
    sfus[0]?.receive("bob", "microphone", { arrived: true });
    sfus[0]?.receive("bob", "camera", { arrived: false, paused: true });
    await looks(1_000);
    expect(heard("acknowledge")).toEqual([]);
    await looks(1_000);
    expect(heard("acknowledge")).toHaveLength(1);
  });

  it("called off, it goes back to the direct way as if nothing had been", async () => {
    const { plane, directs, sfus, heard, shown, directTrack } = await directCall();
    plane.order(order("sfu", { mediaServerConfig: config() }));
    await looks();
    plane.decide(decided(false, "p2p", { retryAt: new Date(Date.now() + 2_000).toISOString() }));
    expect(shown("bob")).toBe(directTrack(0));
    expect(directs[0]?.closed).toBe(false);
    await looks(1_000);
    expect(sfus[0]?.log.at(-1)).toBe("standBy");
    expect(sfus[0]?.closed).toBe(false);
    expect(heard("switching").at(-1)).toMatchObject({ phase: "retrying" });
    expect(plane.mode).toBe("p2p");
    // The second attempt finds everything where it was.
    plane.order(order("sfu", { mediaServerConfig: config(), transitionId: "t2" }));
    expect(sfus).toHaveLength(1);
    expect(sfus[0]?.log.at(-1)).toBe("activate");
  });

  it("not connected at half of the time: says so and tries TCP, once", async () => {
    const { plane, sfus, heard } = await directCall();
    const [sfu] = sfus;
    if (sfu) Object.assign(sfu, { connected: false, struggling: true });
    plane.order(order("sfu", { mediaServerConfig: config() }));
    await looks(5_100);
    expect(heard("acknowledge")).toMatchObject([{ transitionId: "t1", success: false }]);
    expect(sfu?.log.at(-1)).toBe("tcp");
    await looks(4_000);
    expect(heard("acknowledge")).toHaveLength(1);
  });

  it("does not begin anew on a machine that is only slow", async () => {
    const { plane, sfus, heard } = await directCall();
    const [sfu] = sfus;
    if (sfu) sfu.connected = false;
    plane.order(order("sfu", { mediaServerConfig: config() }));
    await looks(7_000);
    expect(heard("acknowledge")).toEqual([]);
    if (sfu) sfu.struggling = true;
    await looks(1_000);
    expect(heard("acknowledge")).toMatchObject([{ success: false }]);
  });

  it("builds the way when it did not stand by, or stood by in another room", async () => {
    const { plane, sfus } = await directCall();
    plane.order(order("sfu", { mediaServerConfig: config("r2") }));
    expect(sfus).toHaveLength(2);
    expect(sfus[1]?.wish).toMatchObject({ active: true });
    expect(sfus[0]?.closed).toBe(true);
  });

  it("is entered by the third without an old way", async () => {
    const made = rig([person("bob"), person("ada")]);
    const { plane, sfus, heard } = made;
    const transition = {
      transitionId: "t1",
      newMode: "sfu" as const,
      switchDeadline: new Date(Date.now() + 10_000).toISOString(),
    };
    plane.enter(joinDto({ mode: "sfu", transition, mediaServerConfig: config() }), false);
    sfus[0]?.prove();
    for (const id of ["bob", "ada"]) {
      made.views.show(`${id}:camera`, { width: 320, height: 180 });
      sfus[0]?.receive(id, "microphone", { arrived: true });
      sfus[0]?.receive(id, "camera", { arrived: true });
    }
    await looks();
    expect(heard("acknowledge")).toEqual([{ transitionId: "t1", success: true, error: null }]);
    plane.decide(decided(true, "sfu"));
    expect(heard("connected")).toHaveLength(1);
    expect(made.directs).toEqual([]);
  });

  it("survives leaving at any moment", async () => {
    for (const moment of [0, 40, 200]) {
      const { plane, sfus, directs } = await directCall();
      plane.order(order("sfu", { mediaServerConfig: config() }));
      await looks(moment);
      plane.close();
      expect([sfus[0]?.closed, directs[0]?.closed]).toEqual([true, true]);
      await looks(20_000);
      vi.clearAllTimers();
    }
  });
});

describe("from three to two", () => {
  const toDirect = (change: Partial<ModeSwitch> = {}) =>
    order("p2p", {
      transitionId: "t2",
      peerParticipantId: "bob",
      role: "initiator",
      iceServers: [],
      ...change,
    });

  it("builds a direct way beside the node's, and changes over when it carries everything", async () => {
    const { plane, directs, sfus, heard, shown, directTrack, sfuTrack } = await groupCall();
    plane.order(toDirect());
    expect(directs[1]?.options).toMatchObject({ role: "initiator", negotiationId: "t2" });
    expect(heard("switching").at(-1)).toBeNull();
    await looks(1_100);
    expect(heard("acknowledge")).toHaveLength(1);
    directs[1]?.carry();
    await looks();
    expect(heard("acknowledge").at(-1)).toEqual({ transitionId: "t2", success: true, error: null });
    expect(sfus[0]?.active).toBe(true);
    plane.decide(decided(true, "p2p", { transitionId: "t2" }));
    await looks(1_000);
    expect(shown("bob")).toBe(directTrack(1));
    expect(sfus[0]?.log.at(-1)).toBe("standBy");
    expect(sfus[0]?.closed).toBe(false);
    expect(sfuTrack(0, "bob")).not.toBe(shown("bob"));
    expect(plane.mode).toBe("p2p");
  });

  it("stays with the node without a word when a third comes meanwhile", async () => {
    const { plane, directs, sfus, heard, shown, sfuTrack } = await groupCall();
    plane.order(toDirect());
    directs[1]?.carry();
    await looks();
    plane.decide(decided(false, "sfu", { transitionId: "t2" }));
    expect(directs[1]?.closed).toBe(true);
    expect(shown("bob")).toBe(sfuTrack(0, "bob"));
    expect(sfus[0]?.active).toBe(true);
    expect(heard("switching").filter((switching) => switching?.to === "p2p")).toEqual([]);
  });

  it("says that the direct way cannot be had", async () => {
    const { plane, directs, heard } = await groupCall();
    plane.order(toDirect({ role: "receiver" }));
    directs[1]?.move("failed");
    expect(heard("acknowledge").at(-1)).toMatchObject({ transitionId: "t2", success: false });
  });

  it("takes signals that came before the order", async () => {
    const { plane, directs } = await groupCall();
    const signal: Signal = { type: "offer", sdp: "v=0", negotiationId: "t2" };
    plane.handleSignal({ callId: "call", fromParticipantId: "bob", signal });
    expect(directs).toHaveLength(1);
    plane.order(toDirect({ role: "receiver" }));
    expect(directs[1]?.signals).toEqual([signal]);
  });

  it("two, three, two, three: nothing is left over", async () => {
    const made = await groupCall();
    const { plane, directs, sfus } = made;
    for (let round = 0; round < 5; round += 1) {
      plane.order(toDirect({ transitionId: `down${round}` }));
      directs.at(-1)?.carry();
      await looks();
      plane.decide(decided(true, "p2p", { transitionId: `down${round}` }));
      plane.order(order("sfu", { transitionId: `up${round}`, mediaServerConfig: config() }));
      await looks();
      plane.decide(decided(true, "sfu", { transitionId: `up${round}` }));
    }
    await looks(1_000);
    expect(sfus).toHaveLength(1);
    expect(sfus[0]?.active).toBe(true);
    expect(directs.every(({ closed }) => closed)).toBe(true);
    expect(plane.mode).toBe("sfu");
  });
});

describe("a node that dies", () => {
  it("is replaced by the one ordered, and the last pictures stay until then", async () => {
    const { plane, sfus, heard } = await groupCall();
    plane.order(
      order("sfu", {
        oldMode: "sfu",
        reason: "media-server-failover",
        transitionId: "t2",
        mediaServerConfig: config("r2"),
      }),
    );
    expect(sfus[1]?.wish).toMatchObject({ active: true });
    sfus[1]?.prove();
    sfus[1]?.receive("bob", "microphone", { arrived: true });
    sfus[1]?.receive("bob", "camera", { arrived: true });
    await looks();
    expect(heard("acknowledge").at(-1)).toMatchObject({ transitionId: "t2", success: true });
    expect(heard("switching").at(-1)).toBeNull();
  });

  it("that only this client lost is asked for again", async () => {
    const { plane, sfus, heard } = await groupCall();
    sfus[0]?.lose();
    expect(heard("sfu-lost")).toHaveLength(1);
    plane.renewNode(config());
    expect(sfus).toHaveLength(2);
    expect(sfus[1]?.wish.active).toBe(true);
    sfus[1]?.prove();
    expect(plane.status).toBe("connected");
  });
});

it("reports the gap of every switch once its aftermath is over", async () => {
  const { plane, heard, sfus } = await directCall();
  const pictures = setInterval(() => plane.meter.notePicture("bob", Date.now()), 50);
  await looks(6_000);
  plane.order(order("sfu", { mediaServerConfig: config() }));
  sfus[0]?.receive("bob", "microphone", { arrived: true });
  sfus[0]?.receive("bob", "camera", { arrived: true });
  await looks();
  plane.decide(decided(true, "sfu"));
  await looks(3_000);
  clearInterval(pictures);
  expect(heard("gap")).toMatchObject([
    {
      transitionId: "t1",
      from: "p2p",
      to: "sfu",
      remoteParticipantId: "bob",
      videoBaselineMs: 50,
      audioGapMs: null,
    },
  ]);
  expect(heard("gap")[0]?.videoGapMs).toBeLessThanOrEqual(100);
});
