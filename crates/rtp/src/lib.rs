//! RTP and RTCP: bytes to fields and back.
//!
//! Everything in this crate is pure. It borrows the packet it is given, checks every length once and
//! hands out offsets or plain values; it knows no sockets, clocks, sessions or negotiation. Nothing here
//! allocates per packet, except that RTCP writers append to a `Vec` their caller reuses.
//!
//! | Module | Holds | Specification |
//! |---|---|---|
//! | [`seq`] | unwrapped sequence numbers and timestamps | RFC 3550 §A.1 |
//! | [`view`] | the RTP header, read and changed in place | RFC 3550 §5.1 |
//! | [`ext`] | header extensions, read and written | RFC 8285 |
//! | [`codec`] | what a payload says about its frame | RFC 7741, 6184, 9628, 7587, AV1 RTP |
//! | [`rtx`] | retransmission packets | RFC 4588 |
//! | [`rtcp`] | reports and feedback | RFC 3550 §6, 4585, 5104, 3611, transport-cc, REMB |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod codec;
pub mod ext;
#[doc(hidden)]
pub mod fuzz;
mod id;
pub mod patch;
pub mod rtcp;
pub mod rtx;
pub mod seq;
pub mod view;

pub use codec::{CodecKind, FrameInfo, FrameReader, PictureFields, PictureIds};
pub use ext::{AudioLevel, Elements, ExtBlock, ExtFull, ExtKind, ExtMap, ExtWriter, Form, HeaderExtensions};
pub use id::{Mid, PayloadType, Rid, Ssrc};
pub use seq::{RtpTime, SeqNo};
pub use view::{RtpError, RtpView, RtpViewMut, is_rtcp};
