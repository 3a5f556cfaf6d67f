//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): when each packet came, so that a
//! server's bandwidth estimate learns that there is room for full pictures.

use crate::clock::Stamp;
use crate::rtcp;
use crate::rtp::Extended;

const FORMAT: u8 = 15;
const TRANSPORT_FEEDBACK: u8 = 205;
/// Unit of arrival times, microseconds.
const TICK: u64 = 250;
/// Ticks of the unit of the reference time, 64 ms.
const REFERENCE_TICKS: u64 = 256;
/// Numbers in one packet, so that it stays well below a datagram even with two bytes for each.
const MAX_NUMBERS: u64 = 400;

/// What came since the last feedback.
#[derive(Debug, Default)]
pub(crate) struct Feedback {
    extended: Option<Extended>,
    /// Numbers and their arrival in ticks, as they came.
    arrived: Vec<(u64, u64)>,
    /// The number after the last one reported.
    next: Option<u64>,
    count: u8,
}

impl Feedback {
    /// A packet with this transport-wide number came.
    pub(crate) fn note(&mut self, sequence: u16, arrival: Stamp) {
        let extended = self.extended.get_or_insert(Extended::new(sequence));
        let number = extended.guess(sequence);
        extended.note(number);
        self.arrived.push((number, arrival.micros() / TICK));
    }

    /// Appends one feedback packet about the first of what came; `false` once there is nothing left to say.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, sender: u32, media: u32) -> bool {
        // Nearly sorted; late ones that were reported as missing cannot be taken back.
        self.arrived.sort_by_key(|(number, _)| *number);
        self.arrived.dedup_by_key(|(number, _)| *number);
        if let Some(next) = self.next {
            self.arrived.retain(|(number, _)| *number >= next);
        }
        let Some(&(first, arrival)) = self.arrived.first() else {
            return false;
        };
        let base = self
            .next
            .unwrap_or(first)
            .max(first.saturating_sub(MAX_NUMBERS / 2));
        let reference = arrival / REFERENCE_TICKS;
        let (symbols, deltas, taken) = self.encode(base, reference * REFERENCE_TICKS);
        rtcp::packet(out, FORMAT, TRANSPORT_FEEDBACK, |out| {
            out.extend_from_slice(&sender.to_be_bytes());
            out.extend_from_slice(&media.to_be_bytes());
            out.extend_from_slice(&(base as u16).to_be_bytes());
            // At most MAX_NUMBERS.
            out.extend_from_slice(&(symbols.len() as u16).to_be_bytes());
            // 24 bits that roll over.
            let [_, reference @ ..] = (reference as u32 & 0x00FF_FFFF).to_be_bytes();
            out.extend_from_slice(&reference);
            out.push(self.count);
            write_chunks(out, &symbols);
            out.extend_from_slice(&deltas);
        });
        self.count = self.count.wrapping_add(1);
        self.next = Some(base + symbols.len() as u64);
        self.arrived.drain(..taken);
        true
    }

    /// Symbols from `base` on, the deltas, and how many arrivals they cover.
    fn encode(&self, base: u64, reference: u64) -> (Vec<u8>, Vec<u8>, usize) {
        let (mut symbols, mut deltas) = (Vec::new(), Vec::new());
        let mut last = reference;
        let mut taken = 0;
        for &(number, arrival) in &self.arrived {
            if number - base >= MAX_NUMBERS {
                break;
            }
            let delta = arrival.cast_signed() - last.cast_signed();
            let Ok(wide) = i16::try_from(delta) else {
                // More than eight seconds: the next packet has its own reference. The first always fits.
                break;
            };
            symbols.resize((number - base) as usize, 0);
            if let Ok(small) = u8::try_from(wide) {
                symbols.push(1);
                deltas.push(small);
            } else {
                symbols.push(2);
                deltas.extend_from_slice(&wide.to_be_bytes());
            }
            last = arrival;
            taken += 1;
        }
        (symbols, deltas, taken)
    }
}

/// Runs of a symbol where they are long, else vectors of seven.
fn write_chunks(out: &mut Vec<u8>, mut symbols: &[u8]) {
    /// The longest run of one chunk.
    const MAX_RUN: usize = 0x1FFF;
    /// Symbols of a vector of two-bit symbols.
    const VECTOR: usize = 7;
    while let Some(&first) = symbols.first() {
        let run = symbols
            .iter()
            .take(MAX_RUN)
            .take_while(|symbol| **symbol == first)
            .count();
        let (chunk, covered) = if run >= VECTOR || run == symbols.len() {
            (u16::from(first) << 13 | run as u16, run)
        } else {
            let covered = symbols.len().min(VECTOR);
            let vector = (0..VECTOR)
                .map(|at| u16::from(symbols.get(at).copied().unwrap_or(0)) << (12 - 2 * at))
                .fold(0xC000, |all, one| all | one);
            (vector, covered)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        symbols = &symbols[covered..];
    }
}

#[cfg(test)]
mod tests;
