/** Whether media really comes in: told by the browser's own counters, which also count in a hidden tab. */
import type { MediaKind } from "../signalling/wire";

/** Pictures decoded, or packets of sound received; 0 where nothing can be told. */
export async function receivedCount(ask: () => Promise<RTCStatsReport>, kind: MediaKind): Promise<number> {
  let found = 0;
  try {
    (await ask()).forEach((entry: Record<string, unknown>) => {
      if (entry.type !== "inbound-rtp" || (entry.kind ?? kind) !== kind) return;
      const count = kind === "video" ? entry.framesDecoded : entry.packetsReceived;
      if (typeof count === "number") found = Math.max(found, count);
    });
  } catch {
    // Closed while we asked.
  }
  return found;
}
