//! A consumer's sequence numbers: continuous whatever is left out on purpose. What the network lost stays a gap, so
//! that the receiver asks for it.

use std::collections::VecDeque;

use rtp::SeqNo;

/// Runs of dropped numbers remembered for late packets: some 4 s at 15 dropped frames per second.
const MAX_RUNS: usize = 64;

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

/// The sequence numbers of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct SequenceMap {
    numbers: Renumbering,
}

impl SequenceMap {
    /// Nothing sent; the first packet will carry `first_output`.
    pub(crate) fn new(first_output: SeqNo) -> Self {
        Self {
            numbers: Renumbering::new(first_output.0),
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
}

#[cfg(test)]
mod tests;
