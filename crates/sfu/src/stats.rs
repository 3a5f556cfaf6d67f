//! Counts a worker keeps: always on, never logged per packet.

use link::bwe::Bitrate;
use link::{DropReason, Protocol};

use crate::spec::VideoQuality;

/// Totals of a worker since its start. Packets are counted once per direction and participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams handed in.
    pub datagrams_received: u64,
    /// RTP packets accepted from producers (retransmissions included).
    pub rtp_received: u64,
    /// Bytes of those packets, RTP header included, SRTP tag excluded.
    pub rtp_received_bytes: u64,
    /// RTP packets sent to consumers, retransmissions and probes excluded.
    pub rtp_sent: u64,
    /// Bytes of those packets.
    pub rtp_sent_bytes: u64,
    /// Packets of producers that never arrived, retransmissions considered.
    pub rtp_lost: u64,
    /// Generic NACK packets sent to producers.
    pub nack_sent: u64,
    /// Generic NACK packets received from consumers.
    pub nack_received: u64,
    /// PLI and FIR packets sent to producers.
    pub pli_sent: u64,
    /// PLI and FIR packets received from consumers.
    pub pli_received: u64,
    /// Retransmissions sent to consumers.
    pub rtx_sent: u64,
    /// Probe (padding) packets sent.
    pub probe_sent: u64,
    /// Packets handed on to other workers, once for each of them.
    pub piped_out: u64,
    /// Packets taken from other workers.
    pub piped_in: u64,
    /// Audio packets not handed on because the other worker did not keep up.
    pub pipe_dropped_audio: u64,
    /// Video packets not handed on because the other worker did not keep up.
    pub pipe_dropped_video: u64,
    /// RTP of an SSRC that no producer announced.
    pub unknown_ssrc: u64,
    /// RTP of a known stream with a payload type it did not negotiate, or that no parser accepts.
    pub malformed_rtp: u64,
    /// Malformed RTCP packets.
    pub malformed_rtcp: u64,
    /// RTP dropped because its producer exceeded the ingress cap (contract §1.9).
    pub over_bitrate: u64,
    /// Datagrams of unknown addresses that named no transport of this worker.
    pub unknown_address: u64,
    /// Datagrams refused by links, by reason.
    pub link_drops: [u64; DropReason::ALL.len()],
}

/// Counts and load of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerStats {
    /// Open routers.
    pub routers: usize,
    /// How good cameras' pictures may be.
    pub quality: VideoQuality,
    /// Open transports that receive.
    pub receive_transports: usize,
    /// Open transports that send.
    pub send_transports: usize,
    /// Open audio producers.
    pub audio_producers: usize,
    /// Open video producers.
    pub video_producers: usize,
    /// Open twins of other workers' producers; they are not counted among the producers.
    pub piped_producers: usize,
    /// Open audio consumers.
    pub audio_consumers: usize,
    /// Open video consumers.
    pub video_consumers: usize,
    /// Bytes that producers' packets are kept in for retransmission.
    pub stored_bytes: usize,
    /// Totals since the worker's start.
    pub counters: Counters,
}

/// Counts of one transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportStats {
    /// Protocol of the selected path, once there is one.
    pub protocol: Option<Protocol>,
    /// Estimate of what the path to the client carries.
    pub outgoing_estimate: Bitrate,
    /// RTP packets received on it.
    pub rtp_received: u64,
    /// RTP packets sent on it.
    pub rtp_sent: u64,
    /// Fraction lost of what it sends, as last reported by the client, 0 to 1 in 1/256.
    pub fraction_lost: u8,
    /// Smoothed round trip, microseconds, from receiver reports; 0 while unknown.
    pub round_trip_micros: u32,
}
