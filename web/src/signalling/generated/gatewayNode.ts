// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

import type { TransportDirection } from "./clientNode";
import type { CallId, ParticipantId, TransportId } from "./id";

/** A room is gone. */
export type RoomDestroyed = {
  /** The room's call. */
  callId: CallId,
  /** Why. */
  reason: RoomEnd,
};

/** Why a room is gone. */
export type RoomEnd = "requested" | "empty" | "unjoined" | "worker-died" | "shutdown";

/** A transport's connection changed. */
export type TransportState = {
  /** The room's call. */
  callId: CallId,
  /** The transport's owner. */
  participantId: ParticipantId,
  /** The transport. */
  transportId: TransportId,
  /** Which way media flows, as the client sees it. */
  direction: TransportDirection,
  /** How reachable the client is. */
  iceState: IceState,
  /** How far the handshake is. */
  dtlsState: DtlsState,
};

/** How reachable the client of a transport is. */
export type IceState = "new" | "connected" | "completed" | "disconnected" | "failed" | "closed";

/** How far the DTLS handshake of a transport is. */
export type DtlsState = "new" | "connecting" | "connected" | "failed" | "closed";

/** A worker died, and the rooms it served with it. */
export type WorkerDied = {
  /** Which worker, counted from 0. */
  worker: number,
  /** The calls that lost their room. */
  callIds: Array<CallId>,
};

/** A node tells a gateway that it is there, every few seconds (contract §8.4). */
export type RegisterNode = {
  /** Its name, for people. */
  serverId: string,
  /** Its base URL as gateways reach it; host and port are its name for programs. */
  url: string,
  /** Where it stands; empty if it was not told. */
  region: string,
  /** How many places for rooms it has. */
  maxRooms: number,
  /** How many of them are taken. */
  rooms: number,
  /** Share of its cores in use, 0 to 1. */
  cpu: number,
  /** Whether it refuses new rooms. */
  draining: boolean,
  /** The software's version. */
  version: string,
  /** Its process, drawn by lot: the same at whatever address it is reached. An older node does not tell. */
  instance: string,
};

/** The answer to a registration. */
export type Registered = {
  /** What the gateway calls the node: its host and port. */
  nodeId: string,
  /** Seconds of silence after which a node that does not answer is forgotten. */
  expiresIn: number,
};
