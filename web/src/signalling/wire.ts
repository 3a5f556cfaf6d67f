/**
 * The message shapes this client speaks, generated from the server's own. One place to import them from.
 *
 * Where a value is only handed on to or from mediasoup-client, its type here is that library's: both describe the
 * same JSON, the library with narrower strings.
 */
import type { types } from "mediasoup-client";
import type { ConsumeResponse, CreateTransportResponse, RoomResponse, TrackSource } from "./generated";

export { ENDPOINTS } from "./generated";
export type {
  AppData,
  ConsumerPaused,
  ErrorCode,
  MediaKind,
  NewProducer,
  PauseReason,
  ProduceResponse,
  ProducerClosed,
  ProducerSummary,
  TransportDirection,
} from "./generated";

/** What a producer carries. The node keeps one producer per participant and source. */
export type Source = TrackSource;

export type RoomInfo = Omit<RoomResponse, "rtpCapabilities"> & { rtpCapabilities: types.RtpCapabilities };

export type TransportInfo = Omit<CreateTransportResponse, "dtlsParameters"> & {
  dtlsParameters: types.DtlsParameters;
};

export type ConsumeResult = Omit<ConsumeResponse, "rtpParameters"> & { rtpParameters: types.RtpParameters };

export interface RoomMembership {
  callId: string;
  participantId: string;
}
