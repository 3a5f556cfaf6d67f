//! A load tester for media nodes: simulated participants with real ICE, DTLS and SRTP, against any server that speaks the
//! contract's REST API.
//!
//! It shares no packet code with the server: STUN, SRTP, RTP, RTCP and VP8 are written here once more, and DTLS is
//! `dimpl`'s. Producers send Opus and VP8 with simulcast at a browser's pace and sizes; receivers count every packet,
//! decrypt a share of them, and feed back what a browser would. `docs/load-testing.md` says what the figures mean.

#![forbid(unsafe_code)]

mod clock;
mod dtls;
mod histogram;
mod ice;
mod joining;
mod liveness;
mod mark;
mod media;
mod offer;
mod pace;
mod plan;
mod random;
mod receiving;
mod report;
mod rest;
mod rtcp;
mod rtp;
mod run;
mod sending;
mod server;
mod srtp;
mod stun;
mod token;
mod transport;
mod twcc;
mod wire;
mod worker;

pub use histogram::Histogram;
pub use liveness::SILENCE;
pub use offer::NotOffered;
pub use plan::{Audio, OneIn, Plan, PlanError, Simulcast};
pub use report::{
    Asking, Authentication, Flow, Join, Latency, Loss, Percentiles, Report, Server, Streams, Tester, Traffic,
    Verdict,
};
pub use rest::RestError;
pub use run::{LoadError, Phase, Progress, run};
