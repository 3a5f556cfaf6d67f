/** A plain, serialisable picture of both ways, for the debug surface and for tests. */
import { type DirectStats, directStats, type SfuStats } from "../media/stats";
import type { MediaPlane } from "./media-plane";
import type { Participant } from "./state";

export interface CallStats extends SfuStats {
  mode: "p2p" | "sfu" | null;
  /** The way through the node carries the call, rather than standing by. */
  sfuActive: boolean;
  /** The direct connection; null when there is none. */
  p2p: DirectStats | null;
  /** Sent since the present connections were made. */
  bytesSent: number;
}

const NOTHING: SfuStats = { transports: [], producers: [], consumers: [] };

export async function callStats(
  plane: MediaPlane | null,
  participants: readonly Participant[],
): Promise<CallStats> {
  if (plane === null) return { ...NOTHING, mode: null, sfuActive: false, p2p: null, bytesSent: 0 };
  const { node, direct } = plane;
  const [sfu, p2p] = await Promise.all([
    node?.sfu.stats() ?? NOTHING,
    direct === null ? null : directStats(direct.direct.connection, direct.peerId, direct.role),
  ]);
  const names = new Map(participants.map(({ id, name }) => [id, name]));
  const consumers = sfu.consumers.map((consumer) => ({
    ...consumer,
    displayName: names.get(consumer.participantId) ?? consumer.displayName,
  }));
  const layers = sfu.producers.flatMap((producer) => producer.layers);
  const bytesSent =
    layers.reduce((sum, layer) => sum + layer.bytesSent, 0) +
    (p2p?.senders.reduce((sum, sender) => sum + sender.bytesSent, 0) ?? 0);
  return { ...sfu, consumers, mode: plane.mode, sfuActive: node?.sfu.active ?? false, p2p, bytesSent };
}
