//! Padding on the probator's stream, to learn whether a path carries more than is being sent.
//!
//! Clients of this family open a receiver for it with their first video consumer: MID `probator`, SSRC 1234, payload
//! type 127 (contract §1.8.10). Its packets count in transport-wide congestion control like any other.

use std::time::{Duration, Instant};

use link::SRTP_OVERHEAD;
use link::bwe::Bitrate;
use rtp::ext::{ExtKind, ExtMap, ExtWriter, Form};
use rtp::{PayloadType, SeqNo, Ssrc};

use super::{Clock, Transport};
use crate::transmit::{TransmitBatch, TransmitClass};

const SSRC: Ssrc = Ssrc(1234);
const PAYLOAD_TYPE: PayloadType = PayloadType(127);
const MID: &[u8] = b"probator";

/// RTP bytes of a probe packet: as large as video packets are, so that the path treats both alike.
const PACKET: usize = 1_100;

/// Packets of one probe are spread at this interval at least; shorter sleeps than a timer's precision make bursts.
const INTERVAL: Duration = Duration::from_millis(5);

/// A probe that is being sent.
#[derive(Clone, Copy, Debug)]
struct Running {
    bitrate: Bitrate,
    started: Instant,
    until: Instant,
    sent: u64,
    next: Instant,
}

/// The probe stream of one transport.
#[derive(Debug)]
pub(crate) struct Probe {
    ids: ExtMap,
    next: SeqNo,
    running: Option<Running>,
    /// Opened by the first video consumer; before it the client would not know the stream.
    open: bool,
}

impl Probe {
    /// A stream under the router's extension ids.
    pub(crate) fn new(ids: ExtMap) -> Self {
        Self {
            ids,
            next: SeqNo(0),
            running: None,
            open: false,
        }
    }

    /// The client has a receiver for the stream from now on.
    pub(crate) fn open(&mut self) {
        self.open = true;
    }

    /// Whether a probe could be sent and none is.
    pub(crate) fn is_ready(&self) -> bool {
        self.open && self.running.is_none() && self.ids.id(ExtKind::TransportSequence).is_some()
    }

    /// Starts sending at `bitrate` for `duration`.
    pub(crate) fn start(&mut self, now: Instant, bitrate: Bitrate, duration: Duration) {
        self.running = Some(Running {
            bitrate,
            started: now,
            until: now + duration,
            sent: 0,
            next: now,
        });
    }

    /// When to send on.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.running.map(|running| running.next)
    }

    /// How many packets are due now.
    fn due(&mut self, now: Instant) -> u64 {
        let Some(running) = &mut self.running else {
            return 0;
        };
        if now < running.next {
            return 0;
        }
        let end = now.min(running.until);
        let elapsed = end.saturating_duration_since(running.started) + INTERVAL;
        let target = (u128::from(running.bitrate.0) * elapsed.as_micros() / 8 / 1_000_000) as u64;
        let due = (target / PACKET as u64).saturating_sub(running.sent);
        running.sent += due;
        running.next = now + INTERVAL;
        if now >= running.until {
            self.running = None;
        }
        due
    }

    fn write(&mut self, out: &mut [u8], stamps: (u32, u16)) -> Option<usize> {
        let sequence = self.next;
        out[0] = 0x90;
        out[1] = PAYLOAD_TYPE.0;
        out[2..4].copy_from_slice(&sequence.wire().to_be_bytes());
        out[4..8].copy_from_slice(&(sequence.0 as u32).wrapping_mul(90).to_be_bytes());
        out[8..12].copy_from_slice(&SSRC.0.to_be_bytes());
        let mut extensions = ExtWriter::new(&mut out[12..], Form::OneByte);
        if let Some(id) = self.ids.id(ExtKind::AbsSendTime) {
            extensions.push(id, &stamps.0.to_be_bytes()[1..]).ok()?;
        }
        if let Some(id) = self.ids.id(ExtKind::TransportSequence) {
            extensions.push(id, &stamps.1.to_be_bytes()).ok()?;
        }
        if let Some(id) = self.ids.id(ExtKind::Mid) {
            extensions.push(id, MID).ok()?;
        }
        let header = 12 + extensions.finish();
        // The batch's memory holds what earlier packets left.
        out.get_mut(header..PACKET)?.fill(0);
        Some(PACKET)
    }
}

impl Transport {
    /// Sends the probe packets that are due; returns how many.
    pub(crate) fn send_probes(&mut self, now: Instant, clock: Clock, batch: &mut TransmitBatch) -> u64 {
        let due = self.probe.due(now);
        let Some(tuple) = self.link.route() else { return 0 };
        let at = clock.moment(now);
        let mut sent = 0;
        for _ in 0..due {
            let number = self.register.stamp(now, PACKET + SRTP_OVERHEAD);
            let stamps = (at.abs_send_time, number);
            let (probe, link) = (&mut self.probe, &mut self.link);
            let queued = batch.push_with(tuple, TransmitClass::Probe, PACKET + SRTP_OVERHEAD, |datagram| {
                let len = probe.write(datagram, stamps)?;
                link.protect_rtp(datagram, len, probe.next).ok()
            });
            self.probe.next = SeqNo(self.probe.next.0 + 1);
            sent += u64::from(queued.is_some());
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use rtp::RtpView;

    use super::*;

    fn ids() -> ExtMap {
        let mut ids = ExtMap::new();
        ids.set(ExtKind::Mid, 1);
        ids.set(ExtKind::AbsSendTime, 4);
        ids.set(ExtKind::TransportSequence, 5);
        ids
    }

    #[test]
    fn a_probe_packet_is_what_the_client_expects() {
        let mut probe = Probe::new(ids());
        let mut out = [0xff; PACKET + SRTP_OVERHEAD];
        let len = probe.write(&mut out, (0x0012_3456, 0x789a)).expect("it fits");
        let view = RtpView::parse(&out[..len]).expect("valid RTP");
        let read = ids().read(&view);
        assert_eq!((view.ssrc(), view.payload_type()), (Ssrc(1234), PayloadType(127)));
        assert_eq!(
            read.mid.map(|mid| mid.as_bytes().to_vec()),
            Some(b"probator".to_vec())
        );
        assert_eq!(
            (read.abs_send_time, read.transport_sequence),
            (Some(0x0012_3456), Some(0x789a))
        );
        assert!(
            view.payload().iter().all(|byte| *byte == 0),
            "nothing of the buffer's past leaks"
        );
    }

    #[test]
    fn a_probe_sends_its_rate_and_ends() {
        let start = Instant::now();
        let mut probe = Probe::new(ids());
        assert!(!probe.is_ready(), "the client has no receiver yet");
        probe.open();
        assert!(probe.is_ready());
        probe.start(start, Bitrate(8_800_000), Duration::from_millis(100));
        let mut sent = 0;
        let mut calls = 0;
        while let Some(at) = probe.poll_timeout() {
            sent += probe.due(at);
            calls += 1;
            assert!(calls < 100, "a probe must end");
        }
        // 8.8 Mbit/s are one packet of 1,100 bytes each millisecond.
        assert!((100..=110).contains(&sent), "{sent} packets");
        assert!(probe.is_ready());
    }
}
