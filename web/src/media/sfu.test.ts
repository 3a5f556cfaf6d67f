// @vitest-environment jsdom
/** The real mediasoup-client (its fake handler instead of a browser) against a node in memory. */
import type { types } from "mediasoup-client";
import {
  generateLocalDtlsParameters,
  generateNativeRtpCapabilities,
  generateNativeSctpCapabilities,
  generateRouterRtpCapabilities,
} from "mediasoup-client/fakeParameters";
import { FakeHandler } from "mediasoup-client/handlers/FakeHandler";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NodeRest } from "../signalling/rest";
import { Emitter } from "../emitter";
import { FakeNode } from "../testing/fake-node";
import { fakeTrack } from "../testing/tracks";
import { type RoomFeed, SfuConnection, type SfuEvents } from "./sfu";
import { ViewBook } from "./views";

const CALL = { callId: "room", participantId: "me" };

interface Rig {
  node: FakeNode;
  feed: Emitter<RoomFeed>;
  views: ViewBook;
  sfu: SfuConnection;
  handlers: FakeHandler[];
  log: [keyof SfuEvents, unknown][];
}

let rigs: Rig[] = [];

function rig(node = new FakeNode(), { forceTcp = false, active = true } = {}): Rig {
  const feed = new Emitter<RoomFeed>();
  const views = new ViewBook();
  const handlers: FakeHandler[] = [];
  const factory = FakeHandler.createFactory({
    generateNativeRtpCapabilities,
    generateNativeSctpCapabilities,
    generateLocalDtlsParameters,
  });
  const handlerFactory: types.HandlerFactory = {
    ...factory,
    factory: (options) => {
      const handler = factory.factory(options);
      handlers.push(handler as unknown as FakeHandler);
      return handler;
    },
  };
  const sfu = new SfuConnection({
    rest: new NodeRest({ base: "", token: () => "t", http: node.http, ...CALL }),
    feed,
    views,
    displayName: "Ada",
    iceServers: [],
    forceTcp,
    relayOnly: false,
    active,
    video: { simulcast: true },
    handlerFactory,
  });
  const log: Rig["log"] = [];
  const names = [
    "status",
    "media-added",
    "media-track",
    "media-flow",
    "media-removed",
    "proven",
    "lost",
  ] as const;
  for (const name of names) sfu.events.on(name, (event) => log.push([name, event]));
  const made = { node, feed, views, sfu, handlers, log };
  rigs.push(made);
  return made;
}

function connect({ sfu, node }: Rig): Promise<void> {
  const rtpCapabilities = generateRouterRtpCapabilities();
  return sfu.connect({ rtpCapabilities, producers: node.producers });
}

async function joined(node?: FakeNode, options: { active?: boolean } = {}): Promise<Rig> {
  const made = rig(node, options);
  made.sfu.setMicrophone(fakeTrack("audio"));
  await connect(made);
  await settled(() => expect(made.node.seen(/produce/)).toHaveLength(1));
  return made;
}

function settled(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 2000, interval: 5 });
}

function events<K extends keyof SfuEvents>({ log }: Rig, name: K): SfuEvents[K][] {
  return log.filter((entry) => entry[0] === name).map((entry) => entry[1] as SfuEvents[K]);
}

describe("SfuConnection", () => {
  beforeEach(() => {
    rigs = [];
  });
  afterEach(() => {
    for (const { sfu } of rigs) sfu.close();
  });

  it("asks for both transports at once, then sends the microphone", async () => {
    const { node } = await joined();
    expect(node.seen().slice(0, 2)).toEqual(["POST /transports", "POST /transports"]);
    const directions = node.requests
      .filter(({ path }) => path === "/transports")
      .map(({ body }) => body.direction);
    expect(directions.sort()).toEqual(["recv", "send"]);
    expect(node.seen(/connect|produce/)).toEqual([
      "POST /transports/transport/connect",
      "POST /transports/transport/produce",
    ]);
    const body = node.requests.find(({ path }) => path.endsWith("/produce"))?.body;
    expect(body).toMatchObject({
      participantId: "me",
      kind: "audio",
      paused: false,
      appData: { source: "microphone", displayName: "Ada" },
    });
  });

  it("hears everybody present, but sees only who is on screen", async () => {
    const node = new FakeNode();
    const voice = node.addProducer("bob", "audio", { source: "microphone", displayName: "Bob" });
    const face = node.addProducer("bob", "video", { source: "camera", displayName: "Bob" });
    const made = await joined(node);
    await settled(() => expect(node.seen(/resume/)).toHaveLength(1));
    const added = events(made, "media-added");
    expect(
      added.map(({ producerId, source, displayName, initial }) => [producerId, source, displayName, initial]),
    ).toEqual([
      [voice.producerId, "microphone", "Bob", true],
      [face.producerId, "camera", "Bob", true],
    ]);
    expect(
      node.requests.filter(({ path }) => path === "/consume").map(({ body }) => body.producerId),
    ).toEqual([voice.producerId]);

    made.views.show("bob:camera", { width: 1920, height: 1080 });
    await settled(() => expect(node.seen(/resume/)).toHaveLength(2));
    expect(events(made, "media-track").map(({ remote, track }) => [remote.source, track?.kind])).toEqual([
      ["microphone", "audio"],
      ["camera", "video"],
    ]);
  });

  it("asks for the layer of a small tile before it lets the picture flow, and for more when it grows", async () => {
    const node = new FakeNode();
    node.addProducer("bob", "video", { source: "camera" });
    const made = await joined(node);
    made.views.show("bob:camera", { width: 200, height: 150 });
    await settled(() => expect(node.seen(/resume/)).toHaveLength(1));
    expect(node.seen(/consumer/)).toEqual([
      "POST /consumers/consumer/preferred-layers",
      "POST /consumers/consumer/resume",
    ]);
    made.views.show("bob:camera", { width: 1280, height: 720 });
    await settled(() => expect(node.seen(/preferred/)).toHaveLength(2));
    const layers = node.requests
      .filter(({ path }) => path.endsWith("layers"))
      .map(({ body }) => body.spatialLayer);
    expect(layers).toEqual([0, 2]);
  });

  it("pauses a picture that leaves the screen and resumes the same consumer when it returns", async () => {
    const node = new FakeNode();
    node.addProducer("bob", "video", { source: "camera" });
    const made = await joined(node);
    made.views.show("bob:camera", { width: 1280, height: 720 });
    await settled(() => expect(node.seen(/resume/)).toHaveLength(1));
    made.views.hide("bob:camera");
    await settled(() => expect(node.seen(/pause/)).toHaveLength(1));
    made.views.show("bob:camera", { width: 1280, height: 720 });
    await settled(() => expect(node.seen(/resume/)).toHaveLength(2));
    expect(node.seen(/POST \/consume$/)).toHaveLength(1);
  });

  it("takes a producer announced twice for one, and its own for none", async () => {
    const made = await joined();
    const voice = made.node.addProducer("bob", "audio", { displayName: "Bob" });
    const event = { ...voice, callId: "room" };
    made.feed.emit("new-producer", event);
    made.feed.emit("new-producer", event);
    made.feed.emit("new-producer", { ...event, producerId: "x", participantId: "me" });
    await settled(() => expect(made.node.seen(/resume/)).toHaveLength(1));
    expect(events(made, "media-added").map(({ initial }) => initial)).toEqual([false]);
    expect(made.node.seen(/POST \/consume$/)).toHaveLength(1);
  });

  it("tells when a producer closes and when one is paused by its owner, but not of its own pauses", async () => {
    const node = new FakeNode();
    const voice = node.addProducer("bob", "audio");
    const made = await joined(node);
    await settled(() => expect(node.seen(/resume/)).toHaveLength(1));
    const flow = { callId: "room", participantId: "me", consumerId: "c", producerId: voice.producerId };
    made.feed.emit("consumer-paused", { ...flow, reason: "client" });
    made.feed.emit("consumer-paused", { ...flow, reason: "producer" });
    made.feed.emit("producer-closed", { ...flow, kind: "audio" });
    expect(events(made, "media-flow").map(({ paused }) => paused)).toEqual([false, true]);
    expect(events(made, "media-removed").map(({ producerId }) => producerId)).toEqual([voice.producerId]);
  });

  it("drops a producer that is gone when it is to be consumed", async () => {
    const node = new FakeNode();
    node.refuse(/consume$/, 404, "PRODUCER_NOT_FOUND");
    const voice = node.addProducer("bob", "audio");
    const made = await joined(node);
    await settled(() =>
      expect(events(made, "media-removed").map(({ producerId }) => producerId)).toEqual([voice.producerId]),
    );
  });

  it("does without a picture it cannot decode", async () => {
    const node = new FakeNode();
    node.refuse(/consume$/, 422, "UNSUPPORTED_CODEC", 9);
    node.addProducer("bob", "audio");
    const made = await joined(node);
    await settled(() => expect(node.seen(/consume$/)).toHaveLength(1));
    expect(events(made, "lost")).toEqual([]);
  });

  it("tells the node when it is muted; ten quick toggles end where the last one pointed", async () => {
    const { node, sfu } = await joined();
    for (let index = 0; index < 10; index += 1) sfu.setMuted(index % 2 === 0);
    sfu.setMuted(true);
    await settled(() => expect(node.seen(/producers/).at(-1)).toBe("POST /producers/producer/pause"));
    sfu.setMuted(false);
    await settled(() => expect(node.seen(/producers/).at(-1)).toBe("POST /producers/producer/resume"));
  });

  it("enters muted without being heard for a moment", async () => {
    const made = rig();
    const { node, sfu } = made;
    sfu.setMuted(true);
    sfu.setMicrophone(fakeTrack("audio"));
    await connect(made);
    await settled(() => expect(node.seen(/produce/)).toHaveLength(1));
    expect(node.requests.find(({ path }) => path.endsWith("/produce"))?.body.paused).toBe(true);
    expect(node.seen(/producers\//)).toEqual([]);
  });

  it("closes the camera's producer when the camera goes off, and replaces the track when it changes", async () => {
    const { node, sfu } = await joined();
    sfu.setCamera(fakeTrack("video"));
    await settled(() => expect(node.seen(/produce$/)).toHaveLength(2));
    const body = node.requests.filter(({ path }) => path.endsWith("/produce"))[1]?.body;
    expect(body?.appData).toMatchObject({ source: "camera" });
    sfu.setCamera(fakeTrack("video"));
    sfu.setCamera(null);
    await settled(() => expect(node.seen(/DELETE/)).toEqual(["DELETE /producers/producer"]));
    sfu.setCamera(fakeTrack("video"));
    await settled(() => expect(node.seen(/produce$/)).toHaveLength(3));
  });

  it("sends the screen beside the camera", async () => {
    const { node, sfu } = await joined();
    sfu.setCamera(fakeTrack("video"));
    sfu.setScreen(fakeTrack("video"));
    await settled(() =>
      expect(node.producers.map(({ appData }) => appData.source).sort()).toEqual([
        "camera",
        "microphone",
        "screen",
      ]),
    );
  });

  it("sends without layers when the node refuses those planned, and does not insist when it refuses that too", async () => {
    const { node, sfu } = await joined();
    node.refuse(/produce$/, 400, "INVALID_RTP_PARAMETERS", 1);
    sfu.setCamera(fakeTrack("video"));
    await settled(() => expect(node.producers).toHaveLength(2));
    const encodings = node.requests
      .filter(({ path }) => path.endsWith("/produce"))
      .map(({ body }) => (body.rtpParameters as { encodings: unknown[] }).encodings.length);
    expect(encodings).toEqual([1, 3, 1]);
    node.refuse(/produce$/, 400, "INVALID_RTP_PARAMETERS", 9);
    sfu.setScreen(fakeTrack("video"));
    await settled(() => expect(node.seen(/produce$/)).toHaveLength(5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(node.seen(/produce$/)).toHaveLength(5);
  });

  it("clears away a producer of its own it never learnt of", async () => {
    const node = new FakeNode();
    const stray = node.addProducer("me", "audio", { source: "microphone" });
    node.refuse(/produce$/, 409, "PRODUCER_ALREADY_EXISTS");
    await rigJoin(node);
    await settled(() =>
      expect(node.producers.map(({ producerId }) => producerId)).not.toContain(stray.producerId),
    );
    await settled(() => expect(node.producers).toHaveLength(1));
  });

  it("restarts ICE when a transport fails", async () => {
    const made = await joined();
    const [send] = made.handlers;
    send?.setConnectionState("connected");
    send?.setConnectionState("failed");
    await settled(() => expect(made.node.seen(/restart-ice/)).toHaveLength(1));
    send?.setConnectionState("connected");
    expect(events(made, "status")).toEqual(["connected", "reconnecting", "connected"]);
  });

  it("rebuilds over TCP with everything that was sent and received when ICE cannot be restarted", async () => {
    const node = new FakeNode();
    const voice = node.addProducer("bob", "audio");
    const made = await joined(node);
    await settled(() => expect(node.seen(/resume/)).toHaveLength(1));
    node.refuse(/restart-ice/, 500, "INTERNAL_SERVER_ERROR");
    made.handlers[0]?.setConnectionState("connected");
    made.handlers[0]?.setConnectionState("failed");
    await settled(() => expect(node.seen(/POST \/transports$/)).toHaveLength(4));
    const forced = node.requests
      .filter(({ path }) => path === "/transports")
      .map(({ body }) => body.forceTcp);
    expect(forced).toEqual([false, false, true, true]);
    await settled(() => expect(node.seen(/produce$/)).toHaveLength(2));
    await settled(() => expect(node.seen(/resume/)).toHaveLength(2));
    expect(events(made, "media-removed")).toEqual([]);
    expect(
      events(made, "media-track").map(({ remote, track }) => [remote.producerId, track !== null]),
    ).toEqual([
      [voice.producerId, true],
      [voice.producerId, false],
      [voice.producerId, true],
    ]);
  });

  it("says it is lost when the node no longer knows the room", async () => {
    const made = await joined();
    made.node.refuse(/pause/, 404, "ROOM_NOT_FOUND");
    made.sfu.setMuted(true);
    await settled(() => expect(events(made, "lost")).toHaveLength(1));
  });

  it("reads off the room what happened while nobody told it", async () => {
    const node = new FakeNode();
    const gone = node.addProducer("bob", "audio");
    const made = await joined(node);
    node.removeProducer(gone.producerId);
    const fresh = node.addProducer("eve", "audio");
    await made.sfu.resync();
    expect(events(made, "media-removed").map(({ producerId }) => producerId)).toEqual([gone.producerId]);
    expect(events(made, "media-added").at(-1)).toMatchObject({
      producerId: fresh.producerId,
      initial: false,
    });
    expect(events(made, "lost")).toEqual([]);
  });

  it("knows it was let go when its own producer is missing", async () => {
    const made = await joined();
    made.node.producers = [];
    await made.sfu.resync();
    expect(events(made, "lost")).toHaveLength(1);
  });

  it("keeps what was made while the room's answer was on its way", async () => {
    const node = new FakeNode();
    const made = rig(node);
    await connect(made);
    const release = node.hold(/GET/);
    const synced = made.sfu.resync();
    await settled(() => expect(node.seen(/GET/)).toHaveLength(1));
    const fresh = node.addProducer("eve", "audio");
    made.feed.emit("new-producer", { callId: "room", ...fresh });
    made.sfu.setMicrophone(fakeTrack("audio"));
    await settled(() => expect(node.seen(/produce$/)).toHaveLength(1));
    await settled(() => expect(made.sfu.incoming[0]?.track).toBeTruthy());
    await settled(() => expect(made.sfu.sending).toBe(true));
    release();
    await synced;
    expect(made.sfu.incoming.map(({ remote }) => remote.producerId)).toEqual([fresh.producerId]);
    expect(events(made, "media-removed")).toEqual([]);
    expect(events(made, "lost")).toEqual([]);
  });

  it("believes an event about a pause that overtook the answer to its consume request", async () => {
    const node = new FakeNode();
    const voice = { ...node.addProducer("bob", "audio"), paused: true };
    node.producers = [voice];
    const made = rig(node);
    const release = node.hold(/consume$/);
    await connect(made);
    await settled(() => expect(node.seen(/consume$/)).toHaveLength(1));
    const told = { callId: "room", participantId: "bob", producerId: voice.producerId };
    made.feed.emit("consumer-resumed", { ...told, consumerId: "consumer", reason: "producer" });
    release();
    await settled(() => expect(made.sfu.incoming[0]?.track).toBeTruthy());
    expect(made.sfu.incoming[0]?.paused).toBe(false);
  });

  it("stops asking when it is closed", async () => {
    const made = await joined();
    made.sfu.close();
    const before = made.node.requests.length;
    made.sfu.setMuted(true);
    made.sfu.setCamera(fakeTrack("video"));
    await made.sfu.resync();
    expect(made.node.requests.slice(before).map(({ path }) => path)).not.toContain("/transports");
    expect(events(made, "lost")).toEqual([]);
  });

  it("uses TCP from the start when told to", async () => {
    const made = rig(new FakeNode(), { forceTcp: true });
    const { node } = made;
    await connect(made);
    expect(
      node.requests.filter(({ path }) => path === "/transports").map(({ body }) => body.forceTcp),
    ).toEqual([true, true]);
  });
});

describe("a way that stands by", () => {
  afterEach(() => {
    for (const { sfu } of rigs) sfu.close();
  });

  async function standingBy() {
    const node = new FakeNode();
    node.addProducer("bob", "audio", { source: "microphone" });
    node.addProducer("bob", "video", { source: "camera" });
    const made = rig(node, { active: false });
    made.sfu.setMicrophone(fakeTrack("audio"));
    made.sfu.setCamera(fakeTrack("video"));
    await connect(made);
    await settled(() => {
      expect(node.seen(/produce$/)).toHaveLength(2);
      expect(node.seen(/consume$/)).toHaveLength(2);
    });
    return made;
  }

  it("makes everything, paused, and lets nothing flow", async () => {
    const { node, sfu } = await standingBy();
    const produced = node.requests.filter(({ path }) => path.endsWith("/produce"));
    expect(produced.map(({ body }) => body.paused)).toEqual([true, true]);
    expect(node.seen(/resume|DELETE/)).toEqual([]);
    expect(sfu.sending).toBe(false);
    expect(sfu.incoming.map(({ wanted, track }) => [wanted, track !== null])).toEqual([
      [false, true],
      [false, true],
    ]);
  });

  it("only resumes what is there when it is needed: sound, and pictures on screen", async () => {
    const { node, sfu, views } = await standingBy();
    views.show("bob:camera", { width: 1280, height: 720 });
    const before = node.requests.length;
    sfu.activate();
    await settled(() => expect(sfu.sending).toBe(true));
    await settled(() => expect(node.seen(/consumers.*resume/)).toHaveLength(2));
    const after = node.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(after.filter((line) => /transports|produce$|consume$|DELETE/.test(line))).toEqual([]);
    expect(node.seen(/producers.*resume/)).toHaveLength(2);
  });

  it("keeps a muted microphone paused when it is needed", async () => {
    const { node, sfu } = await standingBy();
    sfu.setMuted(true);
    sfu.activate();
    await settled(() => expect(node.seen(/producers.*resume/)).toHaveLength(1));
    await settled(() => expect(sfu.sending).toBe(true));
    expect(node.seen(/producers.*resume/)).toHaveLength(1);
  });

  it("goes back to standing by without taking anything down, as often as one likes", async () => {
    const { node, sfu, log } = await standingBy();
    for (let round = 0; round < 3; round += 1) {
      sfu.activate();
      sfu.standBy();
    }
    sfu.activate();
    await settled(() => expect(sfu.sending).toBe(true));
    sfu.standBy();
    await settled(() => expect(node.seen(/producers/).at(-1)).toBe("POST /producers/producer/pause"));
    expect(sfu.sending).toBe(false);
    expect(node.seen(/DELETE/)).toEqual([]);
    expect(node.seen(/consume$|produce$/)).toHaveLength(4);
    expect(log.filter(([name]) => name === "media-removed" || name === "lost")).toEqual([]);
  });

  it("struggles when nothing gets through, not when the machine is slow or half of it stands", async () => {
    const made = await standingBy();
    const [send, recv] = made.handlers;
    send?.setConnectionState("connecting");
    const began = performance.now();
    const clock = vi.spyOn(performance, "now");
    clock.mockReturnValue(began + 1_000);
    expect(made.sfu.struggling).toBe(false);
    clock.mockReturnValue(began + 3_500);
    expect(made.sfu.struggling).toBe(true);
    send?.setConnectionState("connected");
    recv?.setConnectionState("connecting");
    clock.mockReturnValue(began + 60_000);
    expect(made.sfu.struggling).toBe(false);
  });

  it("is proven once both transports are connected, and again after they were not", async () => {
    const made = await standingBy();
    const [send, recv] = made.handlers;
    send?.setConnectionState("connected");
    await Promise.resolve();
    expect(events(made, "proven")).toEqual([]);
    recv?.setConnectionState("connected");
    await settled(() => expect(events(made, "proven")).toEqual([{ protocol: "udp" }]));
    expect(made.sfu.connected).toBe(true);
    recv?.setConnectionState("disconnected");
    expect(made.sfu.connected).toBe(false);
    recv?.setConnectionState("connected");
    await settled(() => expect(events(made, "proven")).toHaveLength(2));
  });
});

async function rigJoin(node: FakeNode): Promise<Rig> {
  const made = rig(node);
  made.sfu.setMicrophone(fakeTrack("audio"));
  await connect(made);
  return made;
}
