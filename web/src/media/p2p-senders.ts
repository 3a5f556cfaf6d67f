/** How much each sender of a direct connection may send, and what gives way when less gets through. */
import type { Source } from "../signalling/wire";
import type { CodecName } from "./encodings";

/** Bit/s. A 720p picture looks right at this; a direct path carries one camera and one screen. */
const LIMITS: Record<Source, number> = { microphone: 64_000, camera: 2_500_000, screen: 2_500_000 };

type Degradable = RTCRtpSendParameters & { degradationPreference?: RTCDegradationPreference };

/** Faces should move, text should stay sharp. */
const DEGRADATION: Record<Source, RTCDegradationPreference> = {
  microphone: "balanced",
  camera: "maintain-framerate",
  screen: "maintain-resolution",
};

export async function limitSender(sender: RTCRtpSender, source: Source): Promise<void> {
  const parameters: Degradable = sender.getParameters();
  const encoding = parameters.encodings[0];
  // Not negotiated yet; the description's arrival calls again.
  if (encoding === undefined || encoding.maxBitrate === LIMITS[source]) return;
  encoding.maxBitrate = LIMITS[source];
  // The voice goes first through a narrow way.
  encoding.networkPriority = source === "microphone" ? "high" : "low";
  encoding.priority = source === "microphone" ? "high" : "low";
  if (source !== "microphone") parameters.degradationPreference = DEGRADATION[source];
  await sender.setParameters(parameters);
}

/** Puts one codec first; the others stay, so that a browser without it still sees something. */
export function preferCodec(transceiver: RTCRtpTransceiver, codec: CodecName | undefined): void {
  if (codec === undefined || transceiver.receiver.track.kind !== "video") return;
  const offered = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const wanted = (entry: { mimeType: string }) => entry.mimeType.toLowerCase() === `video/${codec}`;
  const ordered = [...offered.filter(wanted), ...offered.filter((entry) => !wanted(entry))];
  if (offered.some(wanted)) transceiver.setCodecPreferences(ordered);
}
