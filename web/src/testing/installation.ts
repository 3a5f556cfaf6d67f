/** A made-up installation as its administrators see it. */
import type {
  AdminCall,
  AdminFlags,
  AdminNode,
  AdminOverview,
  AdminSwitch,
  AdminTurn,
} from "../signalling/generated";

export interface Wishes {
  /** How many calls there are. */
  calls?: number;
  nodes?: AdminNode[];
  /** How many switches are remembered. */
  switches?: number;
  /** Some of them failed. */
  failing?: boolean;
  turn?: AdminTurn[];
  flags?: AdminFlags;
  draining?: boolean;
  /** Multiplies what nodes carry; 1 is calm. */
  wave?: number;
}

const iso = (at: number) => new Date(at).toISOString();
const id = (kind: string, number: number) => (kind + number.toString(16)).padStart(24, "65f1c0de");

export const callIds = Array.from({ length: 34 }, (_, index) => id("ca11", index));

export function node(change: Partial<AdminNode> = {}): AdminNode {
  return {
    nodeId: "node-a",
    url: "http://10.0.0.11:3001",
    region: "eu-west",
    origin: "static",
    state: "ready",
    rooms: 3,
    maxRooms: 10,
    participants: 14,
    cpu: 0.31,
    memory: 412 * 1024 * 1024,
    packetsIn: 2_140,
    packetsOut: 18_300,
    ...change,
  };
}

export const NODES: AdminNode[] = [
  node(),
  node({
    nodeId: "node-b",
    url: "http://10.0.0.12:3001",
    state: "draining",
    origin: "registered",
    rooms: 1,
    participants: 4,
    cpu: 0.08,
    packetsIn: 410,
    packetsOut: 1_230,
  }),
  node({
    nodeId: "node-us-east-17",
    url: "http://10.8.0.4:3001",
    region: "us-east",
    state: "overloaded",
    rooms: 8,
    participants: 46,
    cpu: 0.91,
    memory: 1.4 * 1024 ** 3,
    packetsIn: 8_900,
    packetsOut: 96_000,
  }),
  node({
    nodeId: "node-c",
    url: "http://10.0.0.13:3001",
    region: "",
    state: "lost",
    rooms: 0,
    participants: 0,
    cpu: 0,
    memory: 0,
    packetsIn: 0,
    packetsOut: 0,
  }),
];

export const FLAGS: AdminFlags = {
  flags: {
    audio_effects: { on: false, source: "setting" },
    recording: { on: false, source: "setting" },
    screen_share: { on: true, source: "setting" },
    sfu: { on: true, source: "setting" },
    simulcast: { on: true, source: "setting" },
    transcription_client: { on: false, source: "stored" },
    turn_fallback: { on: true, source: "setting" },
    video_calls: { on: true, source: "setting" },
  },
  sfuPercent: 100,
  sfuConversations: [id("c0", 1)],
};

export function call(index: number, at: number, change: Partial<AdminCall> = {}): AdminCall {
  const group = index % 3 !== 1;
  return {
    callId: callIds[index] ?? id("ca11", index),
    conversationId: id("c0", index),
    type: index % 4 === 3 ? "audio" : "video",
    status: "active",
    mode: group ? "sfu" : "p2p",
    transition: index === 4 ? "switching_to_sfu" : null,
    participants: group ? 3 + (index % 5) : 2,
    startedAt: iso(at - (index + 1) * 97_000),
    nodeId: group ? (index % 2 === 0 ? "node-a" : "node-us-east-17") : null,
    ...change,
  };
}

function switches(count: number, at: number, failing: boolean): AdminSwitch[] {
  return Array.from({ length: count }, (_, index): AdminSwitch => {
    const success = !(failing && index % 6 === 2);
    const back = index % 4 === 3;
    return {
      at: iso(at - index * 41_000 - 6_000),
      callId: callIds[index % callIds.length] ?? "",
      from: back ? "sfu" : "p2p",
      to: back ? "p2p" : "sfu",
      reason: "participant-count-changed",
      success,
      durationMs: success ? 280 + ((index * 137) % 900) : index % 4 === 0 ? null : 1_900,
    };
  });
}

/** The installation at a time, milliseconds since the epoch. */
export function installation(at: number, wishes: Wishes = {}): AdminOverview {
  const { calls = 6, nodes = NODES, failing = false, wave = 1 } = wishes;
  const recent = switches(wishes.switches ?? 23, at, failing);
  const all = Array.from({ length: Math.round(calls * Math.min(1, wave)) }, (_, index) => call(index, at));
  const succeeded = recent.filter(({ success }) => success).length;
  const timed = recent.length > 0;
  return {
    at: iso(at),
    version: "0.1.0",
    startedAt: iso(at - 96 * 3_600_000),
    draining: wishes.draining ?? false,
    participants: all.reduce((sum, { participants }) => sum + participants, 0),
    sockets: 41,
    calls: all,
    switches: {
      total: recent.length,
      succeeded,
      medianMs: timed ? 640 : null,
      p95Ms: timed ? 1_090 : null,
      recent,
    },
    nodes: nodes.map((each) => ({
      ...each,
      cpu: Math.min(1, each.cpu * wave),
      packetsIn: each.packetsIn * wave,
      packetsOut: each.packetsOut * wave,
    })),
    turn: wishes.turn ?? [
      { url: "turn:turn.example.org:3478", state: "up" },
      { url: "turns:turn.example.org:5349", state: "unknown" },
    ],
    flags: wishes.flags ?? FLAGS,
  };
}
