//! A microphone: Opus at 50 packets a second, without discontinuous transmission.

use aws_lc_rs::error::Unspecified;

use super::stream::{ExtensionIds, Sender, Stream, fill};
use crate::clock::Stamp;
use crate::mark::{MARK, Mark};
use crate::random::Random;
use crate::rtcp::SenderInfo;

/// Media time of a packet at 48 kHz.
const SAMPLES: u32 = 960;
/// Full-band CELT, stereo, one frame of 20 ms (RFC 6716 §3.1).
const TABLE_OF_CONTENTS: u8 = 31 << 3 | 1 << 2;

/// Whether a microphone hears somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Somebody speaks: about 32 kbit/s.
    Talks,
    /// A quiet room: smaller packets at the same pace.
    Listens,
}

impl Voice {
    /// Bytes of a packet's payload.
    fn size(self, random: &mut Random) -> usize {
        let (low, high) = match self {
            Self::Talks => (60.0, 120.0),
            Self::Listens => (60.0, 72.0),
        };
        random.between(low, high) as usize
    }

    /// Activity and loudness (RFC 6464 §3): 0 is the loudest, 127 silence.
    fn level(self, random: &mut Random) -> u8 {
        match self {
            Self::Talks => 0x80 | random.between(18.0, 40.0) as u8,
            Self::Listens => random.between(75.0, 95.0) as u8,
        }
    }
}

/// A microphone's track.
pub(crate) struct AudioTrack {
    number: u32,
    mid: String,
    ids: ExtensionIds,
    voice: Voice,
    stream: Stream,
    random: Random,
}

impl AudioTrack {
    pub(crate) fn new(number: u32, mid: &str, voice: Voice, mut random: Random) -> Self {
        Self {
            number,
            mid: mid.to_owned(),
            ids: ExtensionIds::default(),
            voice,
            stream: Stream::new(0, &mut random),
            random,
        }
    }

    /// Takes over what was agreed with the server.
    pub(crate) fn agree(mut self, payload_type: u8, ids: ExtensionIds) -> Self {
        self.stream = self.stream.with_payload_type(payload_type);
        self.ids = ids;
        self
    }

    pub(crate) const fn ssrc(&self) -> u32 {
        self.stream.ssrc
    }

    pub(crate) fn known(&mut self, ssrc: u32) {
        self.stream.known(ssrc);
    }

    pub(crate) fn report(&self, now: Stamp) -> Option<SenderInfo> {
        self.stream.report(now)
    }

    /// Appends packet `beat`.
    ///
    /// # Errors
    /// If it cannot be encrypted.
    pub(crate) fn packet(&mut self, sender: &mut Sender<'_>, beat: u32) -> Result<(), Unspecified> {
        let level = [self.voice.level(&mut self.random)];
        let size = self.voice.size(&mut self.random);
        let number = sender.number();
        let mid = self.ids.mid.filter(|_| !self.stream.is_known());
        let extensions = [
            (self.ids.transport_number, &number[..]),
            (self.ids.audio_level, &level[..]),
            (mid, self.mid.as_bytes()),
        ];
        let mark = Mark {
            track: self.number,
            layer: 0,
            sent: sender.now,
        };
        let timestamp = self.stream.at(beat.wrapping_mul(SAMPLES));
        // The marker begins a talkspurt; without discontinuous transmission there is one.
        let first = (timestamp, beat == 0);
        self.stream.packet(sender, first, &extensions, |out| {
            out.push(TABLE_OF_CONTENTS);
            fill(out, size - 1 - MARK);
            out.extend_from_slice(&mark.to_bytes());
        })
    }
}
