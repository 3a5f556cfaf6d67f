// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Signal } from "../signalling/generated";
import { FakePeer } from "../testing/fake-peer";
import { fakeTrack } from "../testing/tracks";
import { P2P_PATIENCE, P2pConnection, type P2pDiagnosis, type P2pState, withoutAddresses } from "./p2p";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", FakeStream);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

class FakeStream {
  readonly tracks: MediaStreamTrack[] = [];
}

interface Side {
  p2p: P2pConnection;
  peer: FakePeer;
  sent: Signal[];
  states: P2pState[];
  diagnoses: P2pDiagnosis[];
}

function side(
  role: "initiator" | "receiver",
  change: { relayOnly?: boolean; gathering?: string } = {},
): Side {
  const sent: Signal[] = [];
  const states: P2pState[] = [];
  const diagnoses: P2pDiagnosis[] = [];
  let peer: FakePeer | undefined;
  const p2p = new P2pConnection({
    negotiationId: "n1",
    role,
    iceServers: [{ urls: ["stun:example"] }],
    relayOnly: change.relayOnly ?? false,
    codec: undefined,
    send: (signal) => sent.push(signal),
    create: (configuration) => {
      peer = new FakePeer(configuration);
      peer.iceGatheringState = change.gathering ?? "complete";
      return peer.asPeer();
    },
  });
  p2p.events.on("state", (state) => states.push(state));
  p2p.events.on("diagnosis", (diagnosis) => diagnoses.push(diagnosis));
  if (peer === undefined) throw new Error("no connection was made");
  return { p2p, peer, sent, states, diagnoses };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const offer = (sdp = "their-offer"): Signal => ({ type: "offer", sdp, negotiationId: "n1" });
const answer = (sdp = "their-answer"): Signal => ({ type: "answer", sdp, negotiationId: "n1" });
const candidate = (name: string): Signal => ({
  type: "ice-candidate",
  candidate: { candidate: name, sdpMid: "0" },
  negotiationId: "n1",
});
const types = (sent: Signal[]) => sent.map(({ type }) => type);

async function connected(role: "initiator" | "receiver" = "initiator"): Promise<Side> {
  const made = side(role);
  made.p2p.start();
  await settle();
  made.p2p.handleSignal(role === "initiator" ? answer() : offer());
  await settle();
  made.peer.move("connected");
  made.sent.length = 0;
  return made;
}

describe("negotiation", () => {
  it("asks the browser for one bundled transport, over relays only if told so", () => {
    expect(side("initiator").peer.configuration).toMatchObject({
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
      iceTransportPolicy: "all",
    });
    expect(side("initiator", { relayOnly: true }).peer.configuration.iceTransportPolicy).toBe("relay");
  });

  it("offers three transceivers in fixed order; voice and face share a stream, the screen has its own", async () => {
    const { p2p, peer, sent } = side("initiator");
    p2p.start();
    await settle();
    expect(peer.transceivers.map(({ kind }) => kind)).toEqual(["audio", "video", "video"]);
    const [voice, face, screen] = peer.transceivers.map(({ sender }) => sender.streams[0]);
    expect(voice).toBe(face);
    expect(screen).not.toBe(voice);
    expect(types(sent)).toEqual(["offer", "ice-candidate"]);
    expect(sent.every(({ negotiationId }) => negotiationId === "n1")).toBe(true);
    expect(p2p.remotes.map(({ source }) => source)).toEqual(["microphone", "camera", "screen"]);
  });

  it("waits for the offer when it is the newcomer, and answers it with what it sends", async () => {
    const { p2p, peer, sent } = side("receiver");
    const camera = fakeTrack("video");
    p2p.setTrack("camera", camera);
    p2p.start();
    await settle();
    expect(sent).toEqual([]);
    p2p.handleSignal(offer());
    await settle();
    expect(sent[0]).toMatchObject({ type: "answer", sdp: "answer-to-their-offer" });
    expect(peer.transceivers.map(({ sender }) => sender.track)).toEqual([null, camera, null]);
    expect(peer.transceivers.map(({ direction }) => direction)).toEqual(["sendrecv", "sendrecv", "sendrecv"]);
  });

  it("keeps candidates until there is a description to put them to", async () => {
    const { p2p, peer } = side("receiver");
    p2p.start();
    p2p.handleSignal(candidate("a"));
    p2p.handleSignal({ type: "ice-candidate", negotiationId: "n1" });
    await settle();
    expect(peer.candidates).toEqual([]);
    p2p.handleSignal(offer());
    p2p.handleSignal(candidate("b"));
    await settle();
    expect(peer.candidates).toEqual([
      { candidate: "a", sdpMid: "0" },
      undefined,
      { candidate: "b", sdpMid: "0" },
    ]);
  });

  it("passes over what belongs to another negotiation", async () => {
    const { p2p, peer, sent } = side("receiver");
    p2p.start();
    p2p.handleSignal({ ...offer(), negotiationId: "n0" });
    await settle();
    expect(peer.log).toEqual([]);
    expect(sent).toEqual([]);
  });

  it("sends early candidates along with the description, later ones by themselves, and no TCP", async () => {
    const { p2p, peer, sent } = side("initiator", { gathering: "gathering" });
    const found = (name: string, tcpType: string | null = null) => ({
      candidate: {
        candidate: name,
        type: "host",
        tcpType,
        toJSON: () => ({ candidate: name }),
      },
    });
    p2p.start();
    await settle();
    peer.onicecandidate?.(found("early"));
    expect(sent).toEqual([]);
    await later(P2P_PATIENCE.gather);
    expect(types(sent)).toEqual(["offer"]);
    peer.onicecandidate?.(found("late"));
    peer.onicecandidate?.(found("tcp", "active"));
    peer.onicecandidate?.({ candidate: null });
    expect(sent.slice(1)).toEqual([
      { type: "ice-candidate", candidate: { candidate: "late" }, negotiationId: "n1" },
      { type: "ice-candidate", negotiationId: "n1" },
    ]);
  });

  it("of two offers that cross, the newcomer's gives way", async () => {
    const host = await connected("initiator");
    const guest = await connected("receiver");
    host.p2p.handleNetworkChange();
    guest.p2p.handleNetworkChange();
    await settle();
    const [fromHost] = host.sent;
    const [fromGuest] = guest.sent;
    expect([fromHost?.type, fromGuest?.type]).toEqual(["offer", "offer"]);
    host.p2p.handleSignal(fromGuest ?? offer());
    guest.p2p.handleSignal(fromHost ?? offer());
    await settle();
    expect(host.sent.map(({ type }) => type)).not.toContain("answer");
    expect(guest.sent.map(({ type }) => type)).toContain("answer");
    const reply = guest.sent.find(({ type }) => type === "answer");
    host.p2p.handleSignal(reply ?? answer());
    await settle();
    expect([host.peer.signalingState, guest.peer.signalingState]).toEqual(["stable", "stable"]);
  });

  it("repeats an offer nobody answers once, then says so", async () => {
    const { p2p, sent, states, diagnoses } = side("initiator");
    p2p.start();
    await later(P2P_PATIENCE.answer);
    const offers = sent.filter(({ type }) => type === "offer").map(({ sdp }) => sdp);
    expect(offers).toHaveLength(2);
    expect(offers[0]).toBe(offers[1]);
    expect(states).toEqual([]);
    await later(P2P_PATIENCE.answer);
    expect(states).toEqual(["failed"]);
    expect(diagnoses.at(-1)?.error).toBe("TIMEOUT");
  });

  it("answers a repeated offer as before, without starting anew", async () => {
    const { p2p, peer, sent } = side("receiver");
    p2p.start();
    p2p.handleSignal(offer());
    p2p.handleSignal(offer());
    await settle();
    const answers = sent.filter(({ type }) => type === "answer").map(({ sdp }) => sdp);
    expect(answers).toEqual(["answer-to-their-offer", "answer-to-their-offer"]);
    expect(peer.log).toEqual(["remote offer", "local answer"]);
  });

  it("gives up on an offer that never comes", async () => {
    const { p2p, states } = side("receiver");
    p2p.start();
    await later(P2P_PATIENCE.offer);
    expect(states).toEqual(["failed"]);
  });

  it("takes a late answer for what it is", async () => {
    const { p2p, peer } = await connected();
    p2p.handleSignal(answer("another"));
    await settle();
    expect(peer.remoteDescription?.sdp).toBe("their-answer");
  });
});

describe("what is sent and received", () => {
  it("changes without a word to the other side", async () => {
    const { p2p, peer, sent } = await connected();
    const [microphone, camera, screen] = [fakeTrack("audio"), fakeTrack("video"), fakeTrack("video")];
    p2p.setTrack("microphone", microphone);
    p2p.setTrack("camera", camera);
    p2p.setTrack("screen", screen);
    p2p.setTrack("camera", null);
    await settle();
    expect(peer.transceivers.map(({ sender }) => sender.track)).toEqual([microphone, null, screen]);
    expect(sent).toEqual([]);
  });

  it("has its limits, and knows what gives way", async () => {
    const { peer } = await connected();
    const [voice, face, screen] = peer.transceivers.map(({ parameters }) => parameters);
    expect(voice?.encodings[0]).toMatchObject({ maxBitrate: 64_000, priority: "high" });
    expect(face).toMatchObject({ degradationPreference: "maintain-framerate" });
    expect(screen).toMatchObject({ degradationPreference: "maintain-resolution" });
  });

  it("does without pictures by asking the other side for none, and with them again", async () => {
    const { p2p, peer, sent } = await connected();
    p2p.setReceiveVideo(false);
    await settle();
    expect(peer.transceivers.map(({ direction }) => direction)).toEqual(["sendrecv", "sendonly", "sendonly"]);
    expect(types(sent)).toContain("offer");
    p2p.handleSignal(answer("second"));
    p2p.setReceiveVideo(true);
    await settle();
    expect(peer.transceivers.map(({ direction }) => direction)).toEqual(["sendrecv", "sendrecv", "sendrecv"]);
  });
});

describe("a path that breaks", () => {
  it("is given a moment, then ICE is restarted, then it is back", async () => {
    const { peer, sent, states, p2p } = await connected();
    peer.move("disconnected");
    await later(P2P_PATIENCE.disconnected - 1);
    expect(sent).toEqual([]);
    await later(1);
    expect(peer.restarts).toBe(1);
    expect(types(sent)).toContain("offer");
    expect(states).toEqual(["connected", "reconnecting"]);
    p2p.handleSignal(answer("second"));
    await settle();
    peer.move("connected");
    expect(states.at(-1)).toBe("connected");
    await later(60_000);
    expect(states.at(-1)).toBe("connected");
  });

  it("that comes back by itself was not broken", async () => {
    const { peer, states } = await connected();
    peer.move("disconnected");
    await later(500);
    peer.move("connected");
    await later(60_000);
    expect(peer.restarts).toBe(0);
    expect(states).toEqual(["connected"]);
  });

  it("is given up when the restart does not help in time", async () => {
    const { peer, states, diagnoses } = await connected();
    peer.move("failed");
    await later(P2P_PATIENCE.restart);
    expect(states).toEqual(["connected", "reconnecting", "failed"]);
    expect(diagnoses.length).toBeGreaterThan(0);
  });

  it("is tried anew at once when the machine has another network; one that still works stays", async () => {
    const { p2p, peer, states } = await connected();
    p2p.handleNetworkChange();
    await later(0);
    expect(peer.restarts).toBe(1);
    p2p.handleSignal(answer("second"));
    await later(P2P_PATIENCE.restart);
    expect(states).toEqual(["connected", "reconnecting", "connected"]);
  });

  it("that never came about is given up", async () => {
    const { p2p, states } = side("initiator");
    p2p.start();
    await settle();
    p2p.handleSignal(answer());
    await later(P2P_PATIENCE.connect);
    expect(states).toEqual(["failed"]);
  });

  it("leaves nothing behind when it is closed", async () => {
    const { p2p, peer, sent } = await connected();
    peer.move("disconnected");
    p2p.close();
    p2p.handleSignal(offer("x"));
    p2p.setTrack("camera", fakeTrack("video"));
    await later(60_000);
    expect(sent).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it.each([
  ["candidate 192.168.1.7 failed", "candidate … failed"],
  ["at fe80:0:0:0:1:2:3:4 port", "at … port"],
  ["host 0f0e2c6a-1111-2222-3333-444455556666.local gone", "host … gone"],
])("keeps addresses out of what is told: %s", (text, told) => {
  expect(withoutAddresses(text)).toBe(told);
});
