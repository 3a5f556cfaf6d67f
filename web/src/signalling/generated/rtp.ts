// Generated from the Rust sources by `cargo xtask types`. Do not edit.
/* eslint-disable */
// prettier-ignore

/** Audio or video. */
export type MediaKind = "audio" | "video";

/** One kind of RTCP feedback a codec supports (RFC 4585 §4.2). */
export type RtcpFeedback = {
  /** `nack`, `ccm`, `goog-remb`, `transport-cc`, or another. */
  type: string,
  /** `pli`, `fir`, another, or empty. */
  parameter: string,
};

/** Everything an endpoint supports. */
export type RtpCapabilities = {
  /** Codecs, preferred ones first; each video codec is followed by its `video/rtx` where there is one. */
  codecs: Array<RtpCodecCapability>,
  /** Header extensions, one entry per kind and URI. */
  headerExtensions: Array<RtpHeaderExtension>,
};

/** One supported codec. */
export type RtpCodecCapability = {
  /** Audio or video, always what the MIME type says. */
  kind: MediaKind,
  /** `audio/opus`, `video/VP8` and so on; compared without case. */
  mimeType: string,
  /** The payload type it is sent with, 0 to 127. */
  preferredPayloadType: number,
  /** Ticks per second of the RTP clock. */
  clockRate: number,
  /** Number of audio channels; absent for video. */
  channels?: number,
  /** Codec-specific parameters (SDP `fmtp`). */
  parameters: { [key in string]: string | number },
  /** Supported RTCP feedback. */
  rtcpFeedback: Array<RtcpFeedback>,
};

/** Which way a header extension is supported, from the viewpoint of whoever lists it. */
export type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** One supported header extension (RFC 8285) for one kind. */
export type RtpHeaderExtension = {
  /** The kind of media it is listed for. */
  kind: MediaKind,
  /** Its URI. */
  uri: string,
  /** The id it is sent with, 1 to 255. */
  preferredId: number,
  /** Whether it is sent encrypted (RFC 6904); never here. */
  preferredEncrypt: boolean,
  /** Which way it is supported. */
  direction: Direction,
};

/** How a producer sends or a consumer receives its track. */
export type RtpParameters = {
  /** The media section it belongs to (RFC 9143), carried in the MID extension. */
  mid?: string,
  /** Codecs in use; the first is the one that is sent. */
  codecs: Array<RtpCodecParameters>,
  /** Header extensions in use. */
  headerExtensions: Array<RtpHeaderExtensionParameters>,
  /** One entry per stream: several for simulcast, lowest quality first. */
  encodings: Array<RtpEncodingParameters>,
  /** RTCP settings. */
  rtcp: RtcpParameters,
};

/** One codec in use. */
export type RtpCodecParameters = {
  /** `audio/opus`, `video/VP8` and so on; compared without case. */
  mimeType: string,
  /** The payload type on the wire, 0 to 127. */
  payloadType: number,
  /** Ticks per second of the RTP clock. */
  clockRate: number,
  /** Number of audio channels; absent for video. */
  channels?: number,
  /** Codec-specific parameters (SDP `fmtp`). */
  parameters: { [key in string]: string | number },
  /** RTCP feedback in use. */
  rtcpFeedback: Array<RtcpFeedback>,
};

/** One header extension in use. */
export type RtpHeaderExtensionParameters = {
  /** Its URI. */
  uri: string,
  /** Its id on the wire, 1 to 255. */
  id: number,
  /** Whether it is sent encrypted (RFC 6904); never here. */
  encrypt: boolean,
  /** Extension-specific parameters. */
  parameters: { [key in string]: string | number },
};

/** One stream of a track. */
export type RtpEncodingParameters = {
  /** Its SSRC; simulcast streams have none and are learnt from their first packets. */
  ssrc?: number,
  /** Its name in the RID extension (RFC 8852). */
  rid?: string,
  /** The payload type it uses, where that is not the first codec's. */
  codecPayloadType?: number,
  /** Its retransmission stream (RFC 4588). */
  rtx?: RtxParameters,
  /** Whether silence is not transmitted. */
  dtx?: boolean,
  /** Spatial and temporal layers inside it, `L1T3` for example. */
  scalabilityMode?: string,
  /** By how much the picture is scaled down before encoding; 1 is not at all. */
  scaleResolutionDownBy?: number,
  /** The most it is encoded with, bit/s. */
  maxBitrate?: number,
};

/** The retransmission stream of an encoding. */
export type RtxParameters = {
  /** Its SSRC. */
  ssrc: number,
};

/** RTCP settings of a track. */
export type RtcpParameters = {
  /**
   * The canonical name (RFC 3550 §6.5.1): equal for all tracks of one sender, so that receivers play them in
   * step.
   */
  cname?: string,
  /** Whether reduced-size RTCP (RFC 5506) is in use. */
  reducedSize: boolean,
  /** Whether RTCP shares the port of RTP; always so here. */
  mux?: boolean,
};

/** How the streams and layers of a producer reach a consumer. */
export type ConsumerType = "simple" | "simulcast" | "svc";
