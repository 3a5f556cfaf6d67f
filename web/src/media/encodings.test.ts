import { generateRouterRtpCapabilities } from "mediasoup-client/fakeParameters";
import type { types } from "mediasoup-client";
import { describe, expect, it } from "vitest";
import {
  cameraPlan,
  type CodecName,
  type Engine,
  layerForHeight,
  parseCodec,
  screenPlan,
  spatialLayers,
} from "./encodings";

function capabilities(...names: string[]): types.RtpCapabilities {
  const codecs = names.map((name, index) => ({
    ...generateRouterRtpCapabilities().codecs?.[1],
    kind: "video" as const,
    mimeType: `video/${name}` as const,
    preferredPayloadType: 101 + index,
    clockRate: 90_000,
  }));
  return { codecs: codecs, headerExtensions: [] };
}

const all = capabilities("VP8", "H264", "VP9", "AV1");

describe("cameraPlan", () => {
  interface Row {
    codec?: CodecName;
    engine?: Engine;
    simulcast?: boolean;
    height?: number;
    /** scaleResolutionDownBy, maxBitrate, scalabilityMode of each encoding. */
    encodings: [number | undefined, number, string | undefined][];
  }
  const ladder = (mode: string): Row["encodings"] => [
    [4, 500_000, mode],
    [2, 1_000_000, mode],
    [1, 2_500_000, mode],
  ];
  const rows: Row[] = [
    { encodings: ladder("L1T3") },
    { codec: "vp8", encodings: ladder("L1T3") },
    { codec: "h264", encodings: ladder("L1T1") },
    { codec: "vp9", encodings: [[undefined, 2_500_000, "L3T3_KEY"]] },
    { codec: "av1", encodings: [[undefined, 2_500_000, "L1T3"]] },
    { codec: "av1", engine: "other", encodings: [[undefined, 2_500_000, undefined]] },
    { codec: "vp9", engine: "other", encodings: [[undefined, 2_500_000, undefined]] },
    { simulcast: false, encodings: [[undefined, 2_500_000, undefined]] },
    { codec: "av1", simulcast: false, encodings: [[undefined, 2_500_000, undefined]] },
    {
      height: 360,
      encodings: [
        [2, 500_000, "L1T3"],
        [1, 1_000_000, "L1T3"],
      ],
    },
    { height: 180, encodings: [[undefined, 500_000, undefined]] },
  ];
  it.each(rows)("%j", ({ codec, engine = "chromium", simulcast = true, height = 720, encodings }) => {
    const plan = cameraPlan(all, engine, { codec, simulcast }, height);
    const found = plan.encodings.map((one) => [
      one.scaleResolutionDownBy,
      one.maxBitrate,
      one.scalabilityMode,
    ]);
    expect(found).toEqual(encodings);
    expect(plan.codec?.mimeType.toLowerCase()).toBe(codec === undefined ? undefined : `video/${codec}`);
    expect(plan.codecOptions.videoGoogleStartBitrate).toBe(1000);
  });

  it("falls back to the node's preference when the wished codec is not there", () => {
    const plan = cameraPlan(capabilities("VP8"), "other", { codec: "h264", simulcast: true }, 720);
    expect(plan.codec).toBeUndefined();
    expect(plan.encodings).toHaveLength(3);
  });

  it("plans for the codec that comes first when none is wished", () => {
    expect(
      cameraPlan(capabilities("VP9", "VP8"), "chromium", { simulcast: true }, 720).encodings,
    ).toHaveLength(1);
  });
});

describe("screenPlan", () => {
  it("sends one sharp picture with temporal layers where they exist", () => {
    expect(screenPlan(all, "chromium", { simulcast: true }).encodings).toEqual([
      { maxBitrate: 2_500_000, maxFramerate: 30, scalabilityMode: "L1T3" },
    ]);
    expect(
      screenPlan(all, "chromium", { simulcast: true, codec: "h264" }).encodings[0]?.scalabilityMode,
    ).toBeUndefined();
    expect(screenPlan(all, "other", { simulcast: true }).encodings[0]?.scalabilityMode).toBeUndefined();
  });
});

describe("layers", () => {
  it.each([
    [100, 3, 0],
    [200, 3, 0],
    [201, 3, 1],
    [400, 3, 1],
    [401, 3, 2],
    [Number.POSITIVE_INFINITY, 3, 2],
    [150, 2, 0],
    [300, 2, 0],
    [720, 2, 1],
    [100, 1, 0],
  ])("a picture %d pixels high wants of %d layers number %d", (height, layers, layer) => {
    expect(layerForHeight(height, layers)).toBe(layer);
  });

  it.each([
    ["L3T3", 3],
    ["S3T3", 3],
    ["L3T3_KEY", 3],
    ["L1T2", 1],
    [undefined, 1],
  ])("reads %s as %d", (scalabilityMode, layers) => {
    expect(spatialLayers({ codecs: [], encodings: [{ scalabilityMode }] })).toBe(layers);
  });
});

it.each([
  ["vp8", "vp8"],
  ["H264", "h264"],
  ["theora", undefined],
  [null, undefined],
])("the address may wish for codec %s", (text, codec) => {
  expect(parseCodec(text)).toBe(codec);
});
