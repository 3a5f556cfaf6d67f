/** How well media arrives, from the browser's own counters: levels for people, figures for the gateway, advice. */
import type { QualityReport } from "../signalling/generated";
import type { Advice, Quality } from "./state";

/** Totals of one person's received media at one moment. */
export interface Totals {
  packetsReceived: number;
  packetsLost: number;
  bytesReceived: number;
  framesDecoded: number;
  frameWidth: number;
  frameHeight: number;
  /** Milliseconds; the worst of the person's streams. */
  jitter: number;
  /** Milliseconds; null where the browser does not tell. */
  roundTrip: number | null;
  /** Bit/s the browser believes it can send; null where it does not tell. */
  outgoing: number | null;
  relayed: boolean;
}

/** What happened between two moments. */
export interface Window {
  received: number;
  lost: number;
  bytes: number;
  jitter: number;
  roundTrip: number | null;
  seconds: number;
}

type Entry = Record<string, unknown> & { type?: string; id?: string };

const NOTHING: Totals = {
  packetsReceived: 0,
  packetsLost: 0,
  bytesReceived: 0,
  framesDecoded: 0,
  frameWidth: 0,
  frameHeight: 0,
  jitter: 0,
  roundTrip: null,
  outgoing: null,
  relayed: false,
};

/** Reads what arrives at some receivers. */
export async function totalsOf(receivers: readonly RTCRtpReceiver[]): Promise<Totals> {
  const reports = await Promise.all(
    receivers.map((receiver) => receiver.getStats().catch((): RTCStatsReport | null => null)),
  );
  let totals = NOTHING;
  for (const report of reports) {
    const entries: Entry[] = [];
    report?.forEach((entry: Entry) => entries.push(entry));
    totals = withReport(totals, entries);
  }
  return totals;
}

function withReport(totals: Totals, entries: Entry[]): Totals {
  const inbound = entries.find((entry) => entry.type === "inbound-rtp");
  const transport = entries.find((entry) => entry.type === "transport");
  const pair = entries.find((entry) => entry.id === transport?.selectedCandidatePairId);
  const local = entries.find((entry) => entry.id === pair?.localCandidateId);
  const width = number(inbound?.frameWidth);
  const larger = width > totals.frameWidth;
  const roundTrip = pair?.currentRoundTripTime;
  const outgoing = pair?.availableOutgoingBitrate;
  return {
    packetsReceived: totals.packetsReceived + number(inbound?.packetsReceived),
    packetsLost: totals.packetsLost + Math.max(0, number(inbound?.packetsLost)),
    bytesReceived: totals.bytesReceived + number(inbound?.bytesReceived),
    framesDecoded: totals.framesDecoded + number(inbound?.framesDecoded),
    frameWidth: larger ? width : totals.frameWidth,
    frameHeight: larger ? number(inbound?.frameHeight) : totals.frameHeight,
    jitter: Math.max(totals.jitter, number(inbound?.jitter) * 1_000),
    roundTrip: typeof roundTrip === "number" ? roundTrip * 1_000 : totals.roundTrip,
    outgoing: typeof outgoing === "number" ? outgoing : totals.outgoing,
    relayed: totals.relayed || local?.candidateType === "relay",
  };
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** Null when the counters began anew: the media takes another way now. */
export function windowBetween(before: Totals, after: Totals, seconds: number): Window | null {
  const received = after.packetsReceived - before.packetsReceived;
  const bytes = after.bytesReceived - before.bytesReceived;
  if (received < 0 || bytes < 0 || seconds <= 0) return null;
  const lost = Math.max(0, after.packetsLost - before.packetsLost);
  return { received, lost, bytes, jitter: after.jitter, roundTrip: after.roundTrip, seconds };
}

export function merged(windows: readonly Window[]): Window {
  const trips = windows.flatMap(({ roundTrip }) => (roundTrip === null ? [] : [roundTrip]));
  return {
    received: sum(windows, "received"),
    lost: sum(windows, "lost"),
    bytes: sum(windows, "bytes"),
    seconds: sum(windows, "seconds"),
    jitter: Math.max(0, ...windows.map(({ jitter }) => jitter)),
    roundTrip: trips.length === 0 ? null : Math.max(...trips),
  };
}

function sum(windows: readonly Window[], key: "received" | "lost" | "bytes" | "seconds"): number {
  return windows.reduce((total, window) => total + window[key], 0);
}

export function lossOf({ received, lost }: Pick<Window, "received" | "lost">): number {
  return received + lost === 0 ? 0 : lost / (received + lost);
}

/** Fewer packets say nothing about a share of them. */
const ENOUGH = 20;

/** Contract §5.3. Null while nothing comes that could be judged. */
export function levelOf(window: Window): Quality | null {
  if (window.received + window.lost < ENOUGH) return null;
  const loss = lossOf(window);
  const trip = window.roundTrip ?? 0;
  if (window.jitter > 100) return "poor";
  if (loss < 0.01 && trip < 100) return "excellent";
  if (loss < 0.03 && trip < 200) return "good";
  if (loss < 0.05 && trip < 400) return "fair";
  return "poor";
}

/** Looks of two seconds each. */
const POOR_FOR = 5;
const WELL_FOR = 3;
/** Bit/s below which voices alone fit. */
const AUDIO_ONLY_BELOW = 256_000;
/** Bit/s below which pictures take the voices' place. */
const CRITICAL_BELOW = 100_000;

export interface Judged {
  advice: Advice | null;
  /** Pictures have to be given up now. */
  force: boolean;
}

/** Turns a row of measurements into advice, without changing its mind at every look. */
export class Adviser {
  #poor = 0;
  #narrow = 0;
  #critical = 0;
  #well = 0;
  #advice: Advice | null = null;

  judge(own: Quality | null, outgoing: number | null): Judged {
    const narrow = outgoing !== null && outgoing < AUDIO_ONLY_BELOW;
    const critical = outgoing !== null && outgoing < CRITICAL_BELOW;
    this.#poor = own === "poor" ? this.#poor + 1 : 0;
    this.#narrow = narrow ? this.#narrow + 1 : 0;
    this.#critical = critical ? this.#critical + 1 : 0;
    this.#well = own !== "poor" && !narrow ? this.#well + 1 : 0;
    if (this.#narrow >= POOR_FOR) this.#advice = "audio-only";
    else if (this.#poor >= POOR_FOR && this.#advice === null) this.#advice = "weak-network";
    else if (this.#well >= WELL_FOR) this.#advice = null;
    return { advice: this.#advice, force: this.#critical >= POOR_FOR };
  }

  reset(): void {
    this.#poor = 0;
    this.#narrow = 0;
    this.#critical = 0;
    this.#well = 0;
    this.#advice = null;
  }
}

/** The sample the gateway keeps (contract §2.6). */
export function reportOf(
  totals: readonly Totals[],
  window: Window,
  bytesSent: number,
): Omit<QualityReport, "callId"> {
  const largest = totals.reduce((best, each) => (each.frameWidth > best.frameWidth ? each : best), NOTHING);
  const total = (key: "packetsLost" | "packetsReceived" | "bytesReceived" | "framesDecoded") =>
    totals.reduce((all, each) => all + each[key], 0);
  return {
    packetLoss: lossOf(window),
    jitter: window.jitter,
    rtt: window.roundTrip ?? 0,
    bitrate: window.seconds === 0 ? 0 : Math.round((window.bytes * 8) / window.seconds / 1_000),
    packetsLost: total("packetsLost"),
    packetsReceived: total("packetsReceived"),
    bytesSent,
    bytesReceived: total("bytesReceived"),
    framesDecoded: total("framesDecoded"),
    frameWidth: largest.frameWidth,
    frameHeight: largest.frameHeight,
    usingRelay: totals.some(({ relayed }) => relayed),
  };
}
