//! A consumer's sequence numbers: continuous whatever is left out, and traceable back to what was sent.
//!
//! [`Renumbering`] maps rising numbers to rising numbers without gaps for what is dropped on purpose; what the network
//! lost stays a gap, so that the receiver asks for it. [`SequenceMap`] adds the way back, from a number a NACK names
//! to the packet that went out under it.

use std::collections::VecDeque;

use rtp::SeqNo;

/// Runs of dropped numbers remembered for late packets: some 4 s at 15 dropped frames per second.
const MAX_RUNS: usize = 64;

/// Outgoing packets that can be traced back; 4 s of video at 2.5 Mbit/s. A power of two.
const SENT: usize = 1024;

/// Bits of an input number kept per outgoing packet: 2^48 packets are 9,000 years of video.
const INPUT_BITS: u32 = 48;

/// Set in an entry's `stream` for a packet that went out with the marker bit.
const MARKER: u8 = 0x80;

/// A run of numbers dropped one after the other.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u64,
    /// One past the last.
    end: u64,
    /// Subtracted from numbers before the run.
    shift_before: u64,
}

/// Maps input numbers to output numbers, rising and without gaps for dropped ones.
///
/// Holds [`MAX_RUNS`] runs of drops and allocates at the first drop only.
#[derive(Clone, Debug)]
pub(crate) struct Renumbering {
    /// Oldest first.
    runs: VecDeque<Run>,
    /// Numbers below cannot be mapped: another stream's, or older than the oldest run remembered.
    floor: u64,
    /// Subtracted (wrapping) from inputs newer than the last run to give the output.
    shift: u64,
    newest_input: Option<u64>,
    newest_output: Option<u64>,
    first_output: u64,
}

impl Renumbering {
    /// Nothing mapped; the first output will be `first_output`.
    pub(crate) fn new(first_output: u64) -> Self {
        Self {
            runs: VecDeque::new(),
            floor: 0,
            shift: 0,
            newest_input: None,
            newest_output: None,
            first_output,
        }
    }

    /// Begins a stream, or resumes one: `first_input` follows the newest output directly, and nothing before it is
    /// mapped any more.
    pub(crate) fn sync(&mut self, first_input: u64) {
        let next = self.newest_output.map_or(self.first_output, |newest| newest + 1);
        self.shift = first_input.wrapping_sub(next);
        self.floor = first_input;
        self.newest_input = None;
        self.runs.clear();
    }

    /// Leaves out `input` and closes the gap. Without effect for a number that is not newer than all before: its
    /// place in the output is given already.
    pub(crate) fn drop(&mut self, input: u64) {
        // Before the first packet there is nothing to be continuous with.
        if (self.newest_input.is_none() && self.newest_output.is_none()) || input < self.floor {
            return;
        }
        if self.newest_input.is_some_and(|newest| input <= newest) {
            return;
        }
        match self.runs.back_mut() {
            Some(run) if run.end == input => run.end += 1,
            _ => {
                if self.runs.len() == MAX_RUNS
                    && let Some(oldest) = self.runs.pop_front()
                {
                    self.floor = oldest.end;
                }
                // One allocation, at the first drop of a consumer's life.
                self.runs.reserve_exact(MAX_RUNS - self.runs.len());
                self.runs.push_back(Run {
                    first: input,
                    end: input + 1,
                    shift_before: self.shift,
                });
            }
        }
        self.shift = self.shift.wrapping_add(1);
        self.newest_input = Some(input);
    }

    /// The output number of `input`; `None` if it was dropped or cannot be placed any more. The first call without a
    /// [`Self::sync`] before it begins the stream.
    pub(crate) fn map(&mut self, input: u64) -> Option<u64> {
        if self.newest_input.is_none() && self.newest_output.is_none() {
            self.sync(input);
        }
        let output = input.wrapping_sub(self.shift_of(input)?);
        self.newest_input = self.newest_input.max(Some(input));
        self.newest_output = self.newest_output.max(Some(output));
        Some(output)
    }

    /// The highest output so far.
    pub(crate) fn newest_output(&self) -> Option<u64> {
        self.newest_output
    }

    fn shift_of(&self, input: u64) -> Option<u64> {
        if input < self.floor {
            return None;
        }
        let mut shift = self.shift;
        for run in self.runs.iter().rev() {
            if input >= run.end {
                break;
            }
            if input >= run.first {
                return None;
            }
            shift = run.shift_before;
        }
        Some(shift)
    }
}

/// What went out under a number: enough to build the same packet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The producer's stream it came from, at most 126.
    pub(crate) stream: u8,
    /// Its number there.
    pub(crate) input: SeqNo,
    /// Outgoing less incoming timestamp, wrapping.
    pub(crate) timestamp_offset: u32,
    /// Outgoing VP8 picture id; 0 where there is none.
    pub(crate) picture_id: u16,
    /// Outgoing VP8 TL0PICIDX; 0 where there is none.
    pub(crate) tl0_pic_idx: u8,
    /// Outgoing marker bit.
    pub(crate) marker: bool,
}

/// A [`Sent`] in 16 bytes: there is one for each of a thousand packets of every consumer.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The output number's bits above the ring's index, 16 of them, then the input number.
    lap_and_input: u64,
    timestamp_offset: u32,
    picture_id: u16,
    tl0_pic_idx: u8,
    /// The stream plus one, and [`MARKER`]; 0 is an entry never written.
    stream: u8,
}

/// The sequence numbers of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct SequenceMap {
    numbers: Renumbering,
    /// By the output number's low bits; empty until the first [`Self::record`].
    sent: Vec<Entry>,
}

impl SequenceMap {
    /// Nothing sent; the first packet will carry `first_output`.
    pub(crate) fn new(first_output: SeqNo) -> Self {
        Self {
            numbers: Renumbering::new(first_output.0),
            sent: Vec::new(),
        }
    }

    /// Begins a stream, or resumes one: `first_input` follows the newest output directly, and nothing before it is
    /// mapped any more.
    pub(crate) fn sync(&mut self, first_input: SeqNo) {
        self.numbers.sync(first_input.0);
    }

    /// Leaves out `input` and closes the gap; without effect for a number that is not newer than all before.
    pub(crate) fn drop(&mut self, input: SeqNo) {
        self.numbers.drop(input.0);
    }

    /// The outgoing number of `input`; `None` if it was dropped or cannot be placed any more.
    pub(crate) fn map(&mut self, input: SeqNo) -> Option<SeqNo> {
        self.numbers.map(input.0).map(SeqNo)
    }

    /// The highest number sent so far.
    pub(crate) fn newest_output(&self) -> Option<SeqNo> {
        self.numbers.newest_output().map(SeqNo)
    }

    /// Remembers what goes out under `output`. The first call allocates 16 KiB, so consumers without NACK should not
    /// call it.
    pub(crate) fn record(&mut self, output: SeqNo, sent: Sent) {
        if self.sent.is_empty() {
            self.sent.resize(SENT, Entry::default());
        }
        let marker = if sent.marker { MARKER } else { 0 };
        self.sent[output.0 as usize % SENT] = Entry {
            lap_and_input: (lap(output) << INPUT_BITS) | (sent.input.0 & ((1 << INPUT_BITS) - 1)),
            timestamp_offset: sent.timestamp_offset,
            picture_id: sent.picture_id,
            tl0_pic_idx: sent.tl0_pic_idx,
            stream: (sent.stream + 1) | marker,
        };
    }

    /// What went out under a number that a NACK names; `None` if it is too old or was never sent.
    pub(crate) fn source(&self, output_wire: u16) -> Option<Sent> {
        let newest = self.newest_output()?;
        let output = SeqNo::expand(newest, output_wire);
        if output > newest || newest.distance(output) >= SENT as i64 {
            return None;
        }
        let entry = self.sent.get(output.0 as usize % SENT)?;
        if entry.stream == 0 || entry.lap_and_input >> INPUT_BITS != lap(output) {
            return None;
        }
        Some(Sent {
            stream: (entry.stream & !MARKER) - 1,
            input: SeqNo(entry.lap_and_input & ((1 << INPUT_BITS) - 1)),
            timestamp_offset: entry.timestamp_offset,
            picture_id: entry.picture_id,
            tl0_pic_idx: entry.tl0_pic_idx,
            marker: entry.stream & MARKER != 0,
        })
    }
}

/// Which time around the ring a number is, modulo 2^16.
fn lap(output: SeqNo) -> u64 {
    (output.0 / SENT as u64) & 0xffff
}

#[cfg(test)]
mod tests;
