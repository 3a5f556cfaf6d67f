/** What is sent: codec, layers and bitrates of camera and screen. Pure tables and choices. */
import type { types } from "mediasoup-client";

export type CodecName = "vp8" | "h264" | "vp9" | "av1";

export interface VideoPreferences {
  /** Undefined leaves the choice to the node's order of preference. */
  codec?: CodecName;
  /** False sends one single layer. */
  simulcast: boolean;
}

export interface VideoPlan {
  codec?: types.RtpCodecCapability;
  encodings: types.RtpEncodingParameters[];
  codecOptions: types.ProducerCodecOptions;
}

/** How far this browser's engine goes beyond plain VP8 simulcast. */
export type Engine = "chromium" | "other";

/** Bit/s for a quarter, a half and the full picture of a 720p camera. */
const LAYER_BITRATES = [500_000, 1_000_000, 2_500_000] as const;
const SCREEN_BITRATE = 2_500_000;
const SCREEN_FRAME_RATE = 30;
/** kbit/s from which the browser starts climbing, instead of its cautious 300. */
const START_BITRATE = 1_000;
/** Browsers drop layers of small pictures; asking for fewer keeps the ladder predictable. */
const THREE_LAYERS_FROM = 540;
const TWO_LAYERS_FROM = 270;

export function parseCodec(text: string | null): CodecName | undefined {
  const name = text?.toLowerCase();
  return name === "vp8" || name === "h264" || name === "vp9" || name === "av1" ? name : undefined;
}

export function findCodec(
  capabilities: types.RtpCapabilities,
  name: CodecName | undefined,
): types.RtpCodecCapability | undefined {
  if (name === undefined) return undefined;
  return capabilities.codecs?.find((codec) => codec.mimeType.toLowerCase() === `video/${name}`);
}

export function cameraPlan(
  capabilities: types.RtpCapabilities,
  engine: Engine,
  preferences: VideoPreferences,
  /** Height of the captured picture in pixels. */
  height: number | undefined,
): VideoPlan {
  const codec = findCodec(capabilities, preferences.codec);
  const encodings = cameraEncodings(
    codecName(codec, capabilities),
    engine,
    preferences.simulcast,
    height ?? 720,
  );
  return { codec, encodings, codecOptions: { videoGoogleStartBitrate: START_BITRATE } };
}

export function screenPlan(
  capabilities: types.RtpCapabilities,
  engine: Engine,
  preferences: VideoPreferences,
): VideoPlan {
  const codec = findCodec(capabilities, preferences.codec);
  // One sharp picture; temporal layers let a slow receiver keep the sharpness at a lower frame rate.
  const encoding: types.RtpEncodingParameters = {
    maxBitrate: SCREEN_BITRATE,
    maxFramerate: SCREEN_FRAME_RATE,
  };
  const temporal = codecName(codec, capabilities) !== "h264" && engine === "chromium";
  if (temporal) encoding.scalabilityMode = "L1T3";
  return { codec, encodings: [encoding], codecOptions: { videoGoogleStartBitrate: START_BITRATE } };
}

/** The codec that will really be used: the chosen one, else the first video codec both sides know. */
function codecName(codec: types.RtpCodecCapability | undefined, capabilities: types.RtpCapabilities): string {
  const first = codec ?? capabilities.codecs?.find((candidate) => candidate.kind === "video");
  return first?.mimeType.split("/")[1]?.toLowerCase() ?? "vp8";
}

function cameraEncodings(
  codec: string,
  engine: Engine,
  simulcast: boolean,
  height: number,
): types.RtpEncodingParameters[] {
  const top = LAYER_BITRATES[2];
  // VP9 and AV1 make several sizes only when told how, and only Chromium lets itself be told.
  if ((codec === "vp9" || codec === "av1") && (!simulcast || engine !== "chromium"))
    return [{ maxBitrate: top }];
  // All sizes in one stream, each predicted from the smaller one at key frames only.
  if (codec === "vp9") return [{ maxBitrate: top, scalabilityMode: "L3T3_KEY" }];
  // Receivers of AV1 tell its sizes apart by the dependency descriptor, which the node keeps to itself, and the node
  // takes one stream only: what is left to choose from is the frame rate.
  if (codec === "av1") return [{ maxBitrate: top, scalabilityMode: "L1T3" }];
  if (!simulcast || height < TWO_LAYERS_FROM) return [{ maxBitrate: simulcast ? LAYER_BITRATES[0] : top }];
  const layers = height < THREE_LAYERS_FROM ? 2 : 3;
  return LAYER_BITRATES.slice(0, layers).map((maxBitrate, index) => ({
    maxBitrate,
    scaleResolutionDownBy: 2 ** (layers - 1 - index),
    scalabilityMode: codec === "h264" ? "L1T1" : "L1T3",
  }));
}

/** Spatial layers a consumer offers, read from its `L<spatial>T<temporal>` (mediasoup writes `S` for simulcast in places). */
export function spatialLayers(parameters: types.RtpParameters): number {
  const mode = parameters.encodings?.[0]?.scalabilityMode ?? "";
  const match = /^[LS](\d+)T/.exec(mode);
  return match ? Number(match[1]) : 1;
}

/** Device pixels of a tile's height up to which the quarter and the half picture look right. */
const QUARTER_UP_TO = 200;
const HALF_UP_TO = 400;

/** The spatial layer worth receiving for a picture shown this high. */
export function layerForHeight(devicePixels: number, layers: number): number {
  const fromTop = devicePixels <= QUARTER_UP_TO ? 2 : devicePixels <= HALF_UP_TO ? 1 : 0;
  return Math.max(0, layers - 1 - fromTop);
}
