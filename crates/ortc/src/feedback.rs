//! Which congestion feedback remains once the header extensions are settled.

use crate::supported::uri;
use crate::types::{RtcpFeedback, RtpCodecParameters, RtpHeaderExtensionParameters};

/// Who steers the sending rate of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Congestion {
    /// Arrival times of every packet of the transport are reported; the sender estimates.
    TransportCc,
    /// The receiver estimates from send times and reports a bitrate.
    Remb,
    /// Nobody.
    None,
}

impl Congestion {
    /// The best that the extensions in use allow.
    fn of(extensions: &[RtpHeaderExtensionParameters]) -> Self {
        let uses = |uri: &str| extensions.iter().any(|extension| extension.uri == uri);
        if uses(uri::TRANSPORT_CC) {
            Self::TransportCc
        } else if uses(uri::ABS_SEND_TIME) {
            Self::Remb
        } else {
            Self::None
        }
    }

    fn permits(self, feedback: &RtcpFeedback) -> bool {
        match feedback.kind.as_str() {
            "transport-cc" => self == Self::TransportCc,
            "goog-remb" => self == Self::Remb,
            _ => true,
        }
    }
}

/// Keeps one kind of congestion feedback: transport-wide if its extension is in use, else REMB if send times are,
/// else none.
pub(crate) fn reduce(codecs: &mut [RtpCodecParameters], extensions: &[RtpHeaderExtensionParameters]) {
    let congestion = Congestion::of(extensions);
    for codec in codecs {
        codec
            .rtcp_feedback
            .retain(|feedback| congestion.permits(feedback));
    }
}
