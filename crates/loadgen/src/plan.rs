//! What a run is to do, and who sees and hears whom.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Participants of each call who talk; the others' microphones hear a quiet room.
pub(crate) const TALKERS: usize = 3;
/// How many in one run: their number is 24 bits of a packet's mark, two tracks each.
const MOST_PARTICIPANTS: usize = 1 << 23;

/// Whether participants speak and listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audio {
    /// All send Opus, and hear it.
    On,
    /// There are only pictures.
    Off,
}

/// How cameras send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulcast {
    /// Three streams: 180p, 360p and 720p at about 100, 500 and 1,500 kbit/s.
    On,
    /// The largest of them alone.
    Off,
}

/// How often a received packet is decrypted and its authentication checked: one in this many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneIn(
    /// At least 1, which checks every packet.
    pub u32,
);

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the media node's REST API is, such as `http://127.0.0.1:3001`.
    pub url: String,
    /// The secret that signs tokens for it.
    pub secret: String,
    /// Calls at once.
    pub calls: usize,
    /// Participants of each call.
    pub participants: usize,
    /// Participants of each call who send video, the first ones.
    pub video_senders: usize,
    /// Videos that each participant receives at most.
    pub visible: usize,
    /// Audio streams that each participant receives at most, those of talkers first.
    pub audible: usize,
    /// Whether there is audio.
    pub audio: Audio,
    /// How cameras send.
    pub simulcast: Simulcast,
    /// The largest simulcast layer that receivers ask for; the server's choice if absent.
    pub layer: Option<u8>,
    /// Length of the measurement.
    pub duration: Duration,
    /// Participants who join per second, over all calls.
    pub ramp: f64,
    /// Time between the last stream's start and the measurement, in which the server's bandwidth estimates settle.
    pub settle: Duration,
    /// The server's process, whose CPU time and memory are measured.
    pub server_pid: Option<u32>,
    /// Threads that send and receive.
    pub threads: usize,
    /// How many packets are checked.
    pub verify: OneIn,
    /// How long joining may take altogether after the last participant began.
    pub patience: Duration,
}

/// A plan that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {range}")]
pub struct PlanError {
    what: &'static str,
    range: String,
}

fn within<T: PartialOrd + std::fmt::Display>(
    what: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), PlanError> {
    if range.contains(&value) {
        return Ok(());
    }
    let range = format!("{} to {}", range.start(), range.end());
    Err(PlanError { what, range })
}

impl Plan {
    /// Says whether the numbers make sense.
    ///
    /// # Errors
    /// The first number that does not.
    pub fn check(&self) -> Result<(), PlanError> {
        within("the number of calls", self.calls, 1..=10_000)?;
        within("the number of participants", self.participants, 1..=10_000)?;
        within("participants altogether", self.everybody(), 1..=MOST_PARTICIPANTS)?;
        within(
            "the number of video senders",
            self.video_senders,
            0..=self.participants,
        )?;
        within("the ramp in joins per second", self.ramp, 0.1..=10_000.0)?;
        within("the number of threads", self.threads, 1..=1_024)?;
        within(
            "the share of packets to verify: one in N",
            self.verify.0,
            1..=1_000_000,
        )?;
        within("the duration in seconds", self.duration.as_secs(), 1..=86_400)?;
        within("the layer", self.layer.unwrap_or(0), 0..=2)
    }

    /// Participants of all calls.
    #[must_use]
    pub const fn everybody(&self) -> usize {
        self.calls * self.participants
    }

    /// Whether this participant of a call has a camera.
    pub(crate) const fn sends_video(&self, participant: usize) -> bool {
        participant < self.video_senders
    }

    /// Whose video a participant receives: the next ones with a camera, so that every camera has its share of viewers.
    pub(crate) fn sees(&self, participant: usize) -> Vec<usize> {
        let next = (1..self.participants).map(|step| (participant + step) % self.participants);
        next.filter(|other| self.sends_video(*other))
            .take(self.visible)
            .collect()
    }

    /// Whose audio a participant receives: talkers come first.
    pub(crate) fn hears(&self, participant: usize) -> Vec<usize> {
        if self.audio == Audio::Off {
            return Vec::new();
        }
        (0..self.participants)
            .filter(|other| *other != participant)
            .take(self.audible)
            .collect()
    }

    /// Streams that all participants ask for, audio and video.
    #[must_use]
    pub fn streams(&self) -> (usize, usize) {
        let each = 0..self.participants;
        let audio: usize = each
            .clone()
            .map(|participant| self.hears(participant).len())
            .sum();
        let video: usize = each.map(|participant| self.sees(participant).len()).sum();
        (self.calls * audio, self.calls * video)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn plan(participants: usize, video_senders: usize, visible: usize) -> Plan {
        Plan {
            url: "http://127.0.0.1:3001".to_owned(),
            secret: "x".repeat(32),
            calls: 1,
            participants,
            video_senders,
            visible,
            audible: usize::MAX,
            audio: Audio::On,
            simulcast: Simulcast::On,
            layer: None,
            duration: Duration::from_secs(10),
            ramp: 10.0,
            settle: Duration::from_secs(1),
            server_pid: None,
            threads: 1,
            verify: OneIn(1),
            patience: Duration::from_secs(30),
        }
    }

    #[test]
    fn streams_are_counted() {
        assert_eq!(plan(3, 3, 9).streams(), (6, 6));
        assert_eq!(plan(10, 10, 9).streams(), (90, 90));
        // Nine cameras: their owners see the other eight, everybody else all nine.
        assert_eq!(plan(50, 9, 9).streams(), (50 * 49, 41 * 9 + 9 * 8));
        let mut few = plan(50, 9, 9);
        few.audible = 3;
        few.calls = 2;
        assert_eq!(few.streams().0, 2 * 50 * 3);
        few.audio = Audio::Off;
        assert_eq!(few.streams().0, 0);
    }

    #[test]
    fn talkers_are_heard_first() {
        let mut plan = plan(10, 0, 0);
        plan.audible = 3;
        assert_eq!(plan.hears(7), [0, 1, 2]);
        assert_eq!(plan.hears(1), [0, 2, 3]);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(plan(3, 3, 9).check(), Ok(()));
        assert!(plan(0, 0, 0).check().is_err());
        let refusal = plan(3, 4, 0).check().expect_err("more cameras than people");
        assert_eq!(refusal.to_string(), "the number of video senders must be 0 to 3");
        for change in [
            |plan: &mut Plan| plan.ramp = f64::NAN,
            |plan: &mut Plan| plan.verify = OneIn(0),
            |plan: &mut Plan| plan.layer = Some(3),
            |plan: &mut Plan| plan.duration = Duration::ZERO,
            |plan: &mut Plan| plan.calls = 10_001,
        ] {
            let mut plan = plan(3, 3, 9);
            change(&mut plan);
            assert!(plan.check().is_err(), "{plan:?}");
        }
    }

    proptest! {
        #[test]
        fn everybody_sees_others_once_and_cameras_share_viewers(
            participants in 1usize..40, cameras in 0usize..40, visible in 0usize..40,
        ) {
            let plan = plan(participants, cameras.min(participants), visible);
            let mut viewers = vec![0usize; participants];
            for participant in 0..participants {
                let mut seen = plan.sees(participant);
                prop_assert!(!seen.contains(&participant));
                let others = plan.video_senders - usize::from(plan.sends_video(participant));
                prop_assert_eq!(seen.len(), visible.min(others));
                seen.iter().for_each(|other| viewers[*other] += 1);
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen.len(), visible.min(others));
            }
            prop_assert!(viewers[plan.video_senders..].iter().all(|count| *count == 0));
            if plan.video_senders == participants {
                let (least, most) = (viewers.iter().min(), viewers.iter().max());
                prop_assert_eq!(least, most);
            }
        }
    }
}
