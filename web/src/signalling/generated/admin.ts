// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { CallStatus, CallType, Mode, SwitchReason, TransitionState } from "./call";
import type { CallId, ConversationId, Timestamp } from "./id";

/** `GET /api/admin/overview`: the gateway and everything it knows at this moment. */
export type AdminOverview = {
  /** When this was looked up. */
  at: Timestamp,
  /** The software's version. */
  version: string,
  /** When the gateway was started. */
  startedAt: Timestamp,
  /** Whether the gateway is about to end and takes no new calls. */
  draining: boolean,
  /** How many hold a seat in a live call. */
  participants: number,
  /** Connected Socket.IO clients. */
  sockets: number,
  /** Live calls, oldest first. */
  calls: Array<AdminCall>,
  /** Switches between direct and group mode since the gateway was started. */
  switches: AdminSwitches,
  /** The media nodes, by name. */
  nodes: Array<AdminNode>,
  /** The TURN servers. */
  turn: Array<AdminTurn>,
  /** What is turned on. */
  flags: AdminFlags,
};

/** A live call. */
export type AdminCall = {
  /** Which. */
  callId: CallId,
  /** Where it takes place. */
  conversationId: ConversationId,
  /** What it began as. */
  type: CallType,
  /** How far it is. */
  status: CallStatus,
  /** The committed mode. */
  mode: Mode,
  /** The switch that is under way, if one is. */
  transition: TransitionState | null,
  /** How many hold a seat. */
  participants: number,
  /** When people met, or when it was begun if they have not yet. */
  startedAt: Timestamp,
  /** The node that holds its room, also one that stands by. */
  nodeId: string | null,
};

/** Switches between direct and group mode. */
export type AdminSwitches = {
  /** All that were finished. */
  total: number,
  /** Those that were committed. */
  succeeded: number,
  /** Half of the latest thousand committed ones took no longer; milliseconds. */
  medianMs: number | null,
  /** 95 of a hundred of these took no longer; milliseconds. */
  p95Ms: number | null,
  /** The latest fifty, newest first. */
  recent: Array<AdminSwitch>,
};

/** A finished switch. */
export type AdminSwitch = {
  /** When it was finished. */
  at: Timestamp,
  /** Of which call. */
  callId: CallId,
  /** The mode before. */
  from: Mode,
  /** The mode it was to. */
  to: Mode,
  /** Why. */
  reason: SwitchReason,
  /** Whether it was committed. */
  success: boolean,
  /** From its announcement to its end, milliseconds; nothing if that was not measured. */
  durationMs: number | null,
};

/** A media node as the gateway knows it. */
export type AdminNode = {
  /** Its host and port. */
  nodeId: string,
  /** Its base URL as the gateway reaches it. */
  url: string,
  /** Where it stands; empty if it does not say. */
  region: string,
  /** How the gateway came to know it. */
  origin: NodeOrigin,
  /** Whether it takes rooms, or why not. */
  state: NodeState,
  /** Rooms that take one of its places; those that only stand by do not. */
  rooms: number,
  /** Its places; 0 while it has not said. */
  maxRooms: number,
  /** Participants of all its rooms. */
  participants: number,
  /** Share of its cores in use, 0 to 1. */
  cpu: number,
  /** Resident memory, bytes. */
  memory: number,
  /** Media packets received per second. */
  packetsIn: number,
  /** Media packets sent per second. */
  packetsOut: number,
};

/** How a gateway came to know a media node. */
export type NodeOrigin = "static" | "registered";

/** Whether a media node takes rooms, or why not. */
export type NodeState = "ready" | "draining" | "full" | "overloaded" | "connecting" | "lost";

/** A TURN server. */
export type AdminTurn = {
  /** Its URL as clients are given it. */
  url: string,
  /** Whether it serves. */
  state: TurnState,
};

/** Whether a TURN server serves. */
export type TurnState = "up" | "down" | "unknown";

/** `GET /api/admin/flags`, and the answer to `PUT`. */
export type AdminFlags = {
  /** Every flag by name. */
  flags: { [key in string]: AdminFlag },
  /** Share of conversations whose calls may use a media node, per cent. */
  sfuPercent: number,
  /** Conversations whose calls may in any case, unless `sfu` is off. */
  sfuConversations: Array<ConversationId>,
};

/** A flag. */
export type AdminFlag = {
  /** Whether it is on. */
  on: boolean,
  /** What says so. */
  source: FlagSource,
};

/** What says whether a flag is on. */
export type FlagSource = "setting" | "stored";

/** `PUT /api/admin/flags`: what is absent stays as it is, what is `null` goes back to the setting. */
export type AdminFlagsChange = {
  /** Flags by name. */
  flags?: { [key in string]: boolean | null },
  /** Share of conversations whose calls may use a media node, per cent. */
  sfuPercent?: number | null,
  /** Conversations whose calls may in any case. */
  sfuConversations?: Array<ConversationId> | null,
};

/** The answer to `POST` and `DELETE /api/admin/nodes/:nodeId/drain`. */
export type AdminDrain = {
  /** Which node. */
  nodeId: string,
  /** Whether it takes no new rooms now. */
  draining: boolean,
  /** Rooms that take one of its places. */
  rooms: number,
};
