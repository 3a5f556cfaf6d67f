import type { types } from "mediasoup-client";
import { expect, it } from "vitest";
import type { ConsumerSlot } from "./consumer-slot";
import type { ProducerSlot } from "./producer-slot";
import { collectStats, directStats, transportProtocol } from "./stats";

type Entry = Record<string, unknown>;

/** Something that answers with these entries of a statistics report. */
function reporting(found: Entry[], rest: object = {}) {
  return { getStats: () => Promise.resolve(found), ...rest };
}

/** The pair in use is told by the transport, as Chromium does; the other one is better in every other respect. */
const CHROMIUM: Entry[] = [
  { type: "candidate-pair", id: "other", nominated: true, currentRoundTripTime: 9 },
  {
    type: "candidate-pair",
    id: "used",
    localCandidateId: "here",
    remoteCandidateId: "there",
    currentRoundTripTime: 0.025,
    availableOutgoingBitrate: 900_000,
  },
  { type: "transport", id: "t", selectedCandidatePairId: "used" },
  { type: "local-candidate", id: "here", protocol: "tcp", candidateType: "host", port: 9 },
  { type: "remote-candidate", id: "there", protocol: "tcp", candidateType: "srflx", port: 10_000 },
];

/** Firefox marks the pair itself. */
const FIREFOX: Entry[] = [
  { type: "candidate-pair", id: "nominated", nominated: true, localCandidateId: "no" },
  { type: "candidate-pair", id: "selected", selected: true, localCandidateId: "here" },
  { type: "local-candidate", id: "here", protocol: "udp", candidateType: "relay" },
];

function transport(found: Entry[], rest: object = {}): types.Transport {
  const shape = { id: "t-1", closed: false, direction: "send", connectionState: "connected", ...rest };
  return reporting(found, shape) as unknown as types.Transport;
}

it.each([
  ["the transport's pair", CHROMIUM, "tcp"],
  ["the marked pair, by way of TURN", FIREFOX, "relay"],
  ["nothing", [], "udp"],
])("finds the protocol by %s", async (_, found, protocol) => {
  expect(await transportProtocol(transport(found))).toBe(protocol);
});

it("tells milliseconds and what congestion control allows", async () => {
  const sides = {
    send: transport(CHROMIUM),
    recv: transport([], { closed: true }),
    producers: [],
    consumers: [],
  };
  const { transports } = await collectStats(sides);
  expect(transports).toEqual([
    {
      direction: "send",
      transportId: "t-1",
      connectionState: "connected",
      protocol: "tcp",
      roundTripTime: 25,
      availableOutgoingBitrate: 900_000,
    },
  ]);
});

it("tells each layer sent and what is received, and leaves out what is not there", async () => {
  const codecs = [{ mimeType: "video/VP8" }];
  const sent = reporting(
    [
      { type: "outbound-rtp", rid: "h", frameWidth: 640, packetsSent: 7 },
      { type: "remote-inbound-rtp", rid: "h" },
    ],
    { id: "p", closed: false, kind: "video", paused: true, rtpParameters: { codecs } },
  );
  const got = reporting([{ type: "inbound-rtp", framesDecoded: 5, packetsLost: 2, jitter: 0.01 }], {
    id: "c",
    closed: false,
    rtpParameters: { codecs: [] },
  });
  const remote = {
    producerId: "p2",
    participantId: "x",
    displayName: "Ann",
    source: "camera",
    kind: "video",
  };
  const none = { producer: null, consumer: null };
  const stats = await collectStats({
    send: null,
    recv: transport(CHROMIUM, { direction: "recv" }),
    producers: [{ source: "camera", producer: sent }, none] as unknown as ProducerSlot[],
    consumers: [{ consumer: got, remote, firstFrameMs: 80 }, none] as unknown as ConsumerSlot[],
  });
  expect(stats.producers).toHaveLength(1);
  expect(stats.producers[0]).toMatchObject({ producerId: "p", codec: "vp8", paused: true });
  expect(stats.producers[0]?.layers).toEqual([
    {
      rid: "h",
      frameWidth: 640,
      frameHeight: null,
      framesEncoded: 0,
      packetsSent: 7,
      bytesSent: 0,
      scalabilityMode: null,
    },
  ]);
  expect(stats.consumers).toHaveLength(1);
  expect(stats.consumers[0]).toMatchObject({
    consumerId: "c",
    displayName: "Ann",
    codec: "",
    framesDecoded: 5,
    packetsLost: 2,
    jitter: 0.01,
    firstFrameMs: 80,
    protocol: "tcp",
  });
});

it("survives something that closes while it is asked", async () => {
  const gone = transport([], { getStats: () => Promise.reject(new Error("closed")) });
  const { transports } = await collectStats({ send: gone, recv: null, producers: [], consumers: [] });
  expect(transports[0]).toMatchObject({ protocol: null, roundTripTime: null });
});

it("tells sources of a direct connection by the order of its transceivers, and no address", async () => {
  const found = [
    ...CHROMIUM,
    { type: "outbound-rtp", mid: "0", kind: "audio", bytesSent: 11 },
    { type: "inbound-rtp", mid: "2", kind: "video", framesDecoded: 3 },
    { type: "inbound-rtp", mid: "9", kind: "video" },
    { type: "inbound-rtp", mid: "9", kind: "audio", totalAudioEnergy: 0.5 },
  ];
  const connection = reporting(found, {
    connectionState: "connected",
    getTransceivers: () => [{ mid: "0" }, { mid: "1" }, { mid: "2" }],
  });
  const stats = await directStats(connection as unknown as RTCPeerConnection, "ann", "initiator");
  expect(stats).toMatchObject({
    peerId: "ann",
    localCandidateType: "host",
    remoteCandidateType: "srflx",
    localPort: 9,
    remotePort: 10_000,
    roundTripTime: 25,
  });
  expect(stats.senders).toMatchObject([{ source: "microphone", kind: "audio", bytesSent: 11 }]);
  expect(stats.receivers.map(({ source, kind }) => `${source} ${kind}`)).toEqual([
    "screen video",
    "camera video",
    "microphone audio",
  ]);
  expect(stats.receivers[0]).toMatchObject({ framesDecoded: 3, frameWidth: null });
  expect(stats.receivers[2]).toMatchObject({ totalAudioEnergy: 0.5 });
});
