// Looks at a page from outside our own code: which connections the browser really has, what is presented on every
// tile, and what comes out of the loudspeaker. Put into a page before anything else runs.

/**
 * @typedef {{ type: string, address: string, port: number, protocol: string, relayProtocol: string | null }} Candidate
 * @typedef {{ state: string, local: Candidate | null, remote: Candidate | null, bytesReceived: number, bytesSent: number,
 *   framesDecoded: number, audioEnergy: number, created: number }} Connection
 * @typedef {{ name: string, source: string, frames: number, largest: number, largestAt: number, since: number }} Presented
 *   Milliseconds; `largestAt`: since the epoch, when the longest time without a new picture began.
 * @typedef {{ largest: number, heard: number, blocks: number }} Heard Milliseconds of the longest silence, and of sound.
 */

/** Runs in the page. */
export function installWitness() {
  /** @type {any} */ const page = window;
  /** @type {{ connection: RTCPeerConnection, created: number }[]} */ const made = [];
  const Original = window.RTCPeerConnection;
  if (Original !== undefined) {
    window.RTCPeerConnection = new Proxy(Original, {
      construct(target, words, newTarget) {
        const connection = Reflect.construct(target, words, newTarget);
        made.push({ connection, created: performance.now() });
        return connection;
      },
    });
  }

  /** @param {any} entry */
  const candidate = (entry) =>
    entry === undefined
      ? null
      : {
          type: entry.candidateType,
          address: entry.address ?? entry.ip ?? '',
          port: entry.port,
          protocol: entry.protocol,
          relayProtocol: entry.relayProtocol ?? null,
        };

  const connections = async () => {
    const found = [];
    for (const { connection, created } of made) {
      if (connection.connectionState === 'closed') continue;
      /** @type {Map<string, any>} */ const report = new Map();
      (await connection.getStats()).forEach((/** @type {any} */ entry) => report.set(entry.id, entry));
      const all = [...report.values()];
      const transport = all.find((entry) => entry.type === 'transport' && entry.selectedCandidatePairId);
      const pair = transport
        ? report.get(transport.selectedCandidatePairId)
        : all.find((entry) => entry.type === 'candidate-pair' && (entry.selected === true || entry.nominated === true));
      const inbound = all.filter((entry) => entry.type === 'inbound-rtp');
      const sum = (/** @type {any[]} */ list, /** @type {string} */ key) => list.reduce((total, entry) => total + (entry[key] ?? 0), 0);
      found.push({
        state: connection.connectionState ?? connection.iceConnectionState,
        local: candidate(report.get(pair?.localCandidateId)),
        remote: candidate(report.get(pair?.remoteCandidateId)),
        bytesReceived: sum(inbound, 'bytesReceived'),
        bytesSent: sum(all.filter((entry) => entry.type === 'outbound-rtp'), 'bytesSent'),
        framesDecoded: sum(inbound, 'framesDecoded'),
        audioEnergy: sum(inbound, 'totalAudioEnergy'),
        created,
      });
    }
    return found;
  };

  /** @type {Map<string, { name: string, source: string, frames: number, last: number, largest: number, largestAt: number, since: number }>} */
  const tiles = new Map();
  /** @type {WeakSet<HTMLVideoElement>} */ const watched = new WeakSet();
  const watch = () => {
    for (const tile of document.querySelectorAll('[data-testid="tile"][data-local="false"]')) {
      const { participantId = '', name = '', source = '' } = /** @type {HTMLElement} */ (tile).dataset;
      for (const video of tile.querySelectorAll('video')) {
        if (watched.has(video)) continue;
        watched.add(video);
        const presented = () => {
          const now = performance.now();
          const key = `${participantId}:${source}`;
          const known = tiles.get(key) ?? { name, source, frames: 0, last: now, largest: 0, largestAt: now, since: now };
          if (now - known.last > known.largest) Object.assign(known, { largest: now - known.last, largestAt: known.last });
          known.last = now;
          known.frames += 1;
          tiles.set(key, known);
          if (video.isConnected) video.requestVideoFrameCallback(presented);
          else watched.delete(video);
        };
        video.requestVideoFrameCallback(presented);
      }
    }
  };
  setInterval(watch, 20);

  const presented = (/** @type {boolean} */ restart) => {
    const now = performance.now();
    return [...tiles.values()].map((tile) => {
      // The one that still lasts counts, too.
      const largest = Math.max(tile.largest, now - tile.last);
      const largestAt = performance.timeOrigin + (largest === tile.largest ? tile.largestAt : tile.last);
      const result = { name: tile.name, source: tile.source, frames: tile.frames, largest, largestAt, since: now - tile.since };
      if (restart) Object.assign(tile, { frames: 0, largest: 0, largestAt: now, since: now });
      return result;
    });
  };

  /** What comes in over the direct connection, by the order of its three transceivers. */
  const direct = async () => {
    const found = [];
    for (const { connection } of made) {
      if (connection.connectionState === 'closed' || connection.connectionState === 'failed') continue;
      const transceivers = connection.getTransceivers();
      // A connection to a node sends or receives, never both.
      if (!transceivers.some((each) => each.currentDirection === 'sendrecv' || each.direction === 'sendrecv')) continue;
      for (const [index, source] of ['microphone', 'camera', 'screen'].entries()) {
        /** @type {any} */ let inbound;
        /** @type {Map<string, any>} */ const report = new Map();
        const receiver = transceivers[index]?.receiver;
        if (receiver === undefined) continue;
        (await receiver.getStats()).forEach((/** @type {any} */ entry) => report.set(entry.id, entry));
        for (const entry of report.values()) if (entry.type === 'inbound-rtp') inbound = entry;
        if (inbound === undefined) continue;
        found.push({
          source,
          codec: (report.get(inbound.codecId)?.mimeType ?? '').split('/')[1]?.toLowerCase() ?? '',
          framesDecoded: inbound.framesDecoded ?? 0,
          totalAudioEnergy: inbound.totalAudioEnergy ?? 0,
          packetsReceived: inbound.packetsReceived ?? 0,
        });
      }
    }
    return found;
  };

  page.witness = { connections, direct, presented, made };
}

/** Runs in the page: from now on, measures the silences of everything that plays. */
export async function listen() {
  /** @type {any} */ const page = window;
  if (page.witness.heard !== undefined) return;
  // The sum of what all audible elements play; a block is silent if its mean power is below -50 dB.
  const code = `registerProcessor('silence', class extends AudioWorkletProcessor {
    constructor() { super(); this.run = 0; this.largest = 0; this.heard = 0; this.blocks = 0;
      this.port.onmessage = () => { this.port.postMessage([this.largest, this.heard, this.blocks, this.run]); this.largest = 0; this.heard = 0; this.blocks = 0; }; }
    process(inputs) {
      let power = 0; let count = 0;
      for (const channel of inputs[0] ?? []) for (const sample of channel) { power += sample * sample; count += 1; }
      this.blocks += 1;
      if (count > 0 && power / count > 1e-5) { this.run = 0; this.heard += 1; } else { this.run += 1; this.largest = Math.max(this.largest, this.run); }
      return true;
    }
  });`;
  const context = new AudioContext();
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  const meter = new AudioWorkletNode(context, 'silence', { numberOfOutputs: 0 });
  /** @type {Map<MediaStreamTrack, MediaStreamAudioSourceNode>} */ const sources = new Map();
  const attach = () => {
    /** @type {Set<MediaStreamTrack>} */ const audible = new Set();
    for (const element of /** @type {NodeListOf<HTMLMediaElement>} */ (document.querySelectorAll('audio, video'))) {
      if (element.muted || element.paused || element.volume === 0 || !(element.srcObject instanceof MediaStream)) continue;
      for (const track of element.srcObject.getAudioTracks()) if (track.readyState === 'live' && track.enabled) audible.add(track);
    }
    for (const track of audible) {
      if (sources.has(track)) continue;
      const source = context.createMediaStreamSource(new MediaStream([track]));
      source.connect(meter);
      sources.set(track, source);
    }
    for (const [track, source] of sources) {
      if (audible.has(track)) continue;
      source.disconnect();
      sources.delete(track);
    }
  };
  setInterval(attach, 10);
  attach();
  const perBlock = (128 / context.sampleRate) * 1000;
  page.witness.heard = () =>
    new Promise((resolve) => {
      meter.port.onmessage = ({ data: [largest, heard, blocks, run] }) =>
        resolve({ largest: Math.max(largest, run) * perBlock, heard: heard * perBlock, blocks, sources: sources.size });
      meter.port.postMessage(null);
    });
}
