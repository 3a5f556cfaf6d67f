//! Body of the fuzz target for feedback nobody could honestly give.

use std::time::{Duration, Instant};

use rtp::SeqNo;
use rtp::rtcp::{RtcpPacket, packets};

use super::{Bitrate, Estimator};
use crate::twcc::{Acked, ArrivalTime, SendRegister};

const MIN: Bitrate = Bitrate::kbps(30);
const MAX: Bitrate = Bitrate::kbps(20_000);

/// Runs a register and an estimator through the operations that `data` spells, ten bytes each, from `now` on.
/// Whatever is acknowledged, the estimate stays in its range and plans stay possible.
pub fn twcc_bwe(now: Instant, data: &[u8]) {
    let mut now = now;
    let start = now;
    let mut register = SendRegister::new();
    let mut estimator = Estimator::new(Bitrate::kbps(600), MIN, MAX);
    let mut rest = data;
    while let Some((&[kind, a, b, c, d, e, f, g, h, i], tail)) = rest.split_first_chunk() {
        rest = tail;
        let small = u16::from_be_bytes([a, b]);
        let large = u64::from_be_bytes([b, c, d, e, f, g, h, i]);
        match kind % 8 {
            0 => {
                for _ in 0..a {
                    register.stamp(now, usize::from(small));
                }
            }
            1 => now += Duration::from_micros(u64::from(u32::from_be_bytes([a, b, c, d]))),
            2 => {
                let (feedback, tail) = rest.split_at(rest.len().min(usize::from(a)));
                rest = tail;
                for packet in packets(feedback) {
                    if let Ok(RtcpPacket::Twcc(feedback)) = packet {
                        let acked = register.on_feedback(now, &feedback);
                        estimator.on_acked(now, acked);
                    }
                }
            }
            3 | 4 => {
                let acked = Acked {
                    seq: SeqNo(large),
                    size: if kind & 8 == 0 {
                        usize::from(small)
                    } else {
                        large as usize
                    },
                    sent: if kind & 16 == 0 {
                        now
                    } else {
                        start + Duration::from_micros(u64::from(small))
                    },
                    received: (kind & 32 == 0).then_some(ArrivalTime(large as i64)),
                    late: kind & 64 != 0,
                };
                estimator.on_acked(now, &[acked; 3]);
            }
            5 => estimator.on_remb(now, Bitrate(large)),
            6 => estimator.on_report(now, f64::from_bits(large), Some(Duration::from_micros(large))),
            _ => estimator.set_desired(Bitrate(large)),
        }
        check(&mut estimator, now);
    }
}

fn check(estimator: &mut Estimator, now: Instant) {
    let estimate = estimator.estimate();
    assert!((MIN..=MAX).contains(&estimate), "{estimate}");
    assert!(estimator.rtt() <= Duration::from_secs(10));
    assert!(estimator.poll_timeout(now).is_none_or(|at| at >= now));
    if let Some(plan) = estimator.poll_probe(now) {
        assert!(plan.bitrate <= MAX && plan.bytes > 0 && plan.duration > Duration::ZERO);
    }
}
