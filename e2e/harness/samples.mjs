// Says why a picture or a voice stood still: what the browser's own counters did meanwhile, at the one who saw or heard
// it and at the one it came from, and what the node counted.

/**
 * @typedef {{ at: number, late: number, tracks: Record<string, Record<string, number | string>> }} Sample `at`: milliseconds
 *   since the epoch; `late`: how late the page came to look, which tells a starved page; by connection and track.
 */

/** Longer holes than these are explained, milliseconds. */
export const WORTH_EXPLAINING = { video: 450, audio: 150 };

/** Runs in the page: keeps the counters of all connections of the last half minute. */
export function sampleCounters() {
  /** @type {any} */ const page = window;
  if (page.witness.samples !== undefined) return;
  const every = 500;
  const incoming = ['packetsReceived', 'packetsLost', 'packetsDiscarded', 'retransmittedPacketsReceived', 'nackCount', 'pliCount',
    'framesReceived', 'framesDecoded', 'framesDropped', 'keyFramesDecoded', 'freezeCount', 'frameHeight', 'jitterBufferEmittedCount', 'concealedSamples'];
  const outgoing = ['packetsSent', 'retransmittedPacketsSent', 'nackCount', 'pliCount', 'framesSent', 'framesEncoded', 'keyFramesEncoded',
    'frameHeight', 'qualityLimitationReason', 'targetBitrate', 'active'];
  /** @type {Sample[]} */ const kept = [];
  page.witness.samples = () => kept;
  let expected = performance.now() + every;
  const look = async () => {
    const late = Math.round(performance.now() - expected);
    /** @type {Sample} */ const sample = { at: Math.round(performance.timeOrigin + performance.now()), late, tracks: {} };
    await Promise.all(
      page.witness.made.map(async (/** @type {{ connection: RTCPeerConnection }} */ { connection }, /** @type {number} */ index) => {
        if (connection.connectionState === 'closed') return;
        (await connection.getStats()).forEach((/** @type {any} */ entry) => {
          const names = entry.type === 'inbound-rtp' ? incoming : entry.type === 'outbound-rtp' ? outgoing : [];
          const values = names.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]]);
          const direction = entry.type === 'inbound-rtp' ? 'in' : 'out';
          if (values.length > 0) sample.tracks[`${index}:${direction}:${entry.kind}:${entry.rid ?? entry.mid ?? ''}:${entry.ssrc}`] = Object.fromEntries(values);
        });
      }),
    );
    kept.push(sample);
    if (kept.length > 60) kept.shift();
    expected = performance.now() + every;
    setTimeout(look, every);
  };
  void look();
}

/**
 * What changed from just before a hole to just after it: numbers by how much, words to what; tracks where nothing moved
 * are left out.
 * @param {Sample[]} samples @param {number} from @param {number} to Milliseconds since the epoch. @param {string} kind @param {'in' | 'out'} direction
 */
export function changes(samples, from, to, kind, direction) {
  const before = samples.findLast((sample) => sample.at <= from) ?? samples[0];
  const after = samples.find((sample) => sample.at >= to) ?? samples.at(-1);
  if (before === undefined || after === undefined) return null;
  const within = samples.filter((sample) => sample.at >= before.at && sample.at <= after.at);
  /** @type {Record<string, Record<string, number | string>>} */ const tracks = {};
  for (const [name, now] of Object.entries(after.tracks)) {
    const [, way, of] = name.split(':');
    if (way !== direction || of !== kind) continue;
    const then = before.tracks[name] ?? {};
    const moved = Object.entries(now).flatMap(([what, value]) => {
      const change = typeof value === 'number' && what !== 'frameHeight' ? value - Number(then[what] ?? 0) : value;
      return change === 0 || (typeof value !== 'number' && then[what] === value) ? [] : [[what, change]];
    });
    if (moved.some(([what]) => what !== 'frameHeight')) tracks[name] = Object.fromEntries(moved);
  }
  return { ms: after.at - before.at, pageLate: Math.max(...within.map((sample) => sample.late)), tracks };
}

/** The node's counters of loss, repair and dropped packets. @param {string} metrics In Prometheus' text format. */
export function nodeCounters(metrics) {
  const wanted = /^\w*(nack|pli|rtx|dropped|lost)_\w*(\{[^}]*\})? \d/;
  return Object.fromEntries(
    metrics
      .split('\n')
      .filter((line) => wanted.test(line) && !line.includes('_bucket'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** @param {Record<string, number>} before @param {Record<string, number>} after */
export function counted(before, after) {
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, value]) => (value === (before[name] ?? 0) ? [] : [[name, value - (before[name] ?? 0)]])),
  );
}
