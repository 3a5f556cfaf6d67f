//! The simulations once more, with every viewer on a second worker that the producers' packets reach through pipes: loss
//! and its repair, key frames, layers, pauses, reports, congestion and all the rest must not depend on where somebody is
//! served. What only pipes have is tested in `simulation/pipes.rs`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    unreachable_pub,
    missing_docs
)]

#[path = "../simulation/world/mod.rs"]
mod world;

#[path = "../simulation/address_change.rs"]
mod address_change;
#[path = "../simulation/bursts.rs"]
mod bursts;
#[path = "../simulation/closing.rs"]
mod closing;
#[path = "../simulation/consent.rs"]
mod consent;
#[path = "../simulation/dtls_role.rs"]
mod dtls_role;
#[path = "../simulation/faults.rs"]
mod faults;
#[path = "../simulation/feedback.rs"]
mod feedback;
#[path = "../simulation/forwarding.rs"]
mod forwarding;
#[path = "../simulation/hostile.rs"]
mod hostile;
#[path = "../simulation/ice_restart.rs"]
mod ice_restart;
#[path = "../simulation/key_frames.rs"]
mod key_frames;
#[path = "../simulation/loss.rs"]
mod loss;
#[path = "../simulation/lost_layers.rs"]
mod lost_layers;
#[path = "../simulation/overload.rs"]
mod overload;
#[path = "../simulation/padding.rs"]
mod padding;
#[path = "../simulation/pause.rs"]
mod pause;
#[path = "../simulation/pipes.rs"]
mod pipes;
#[path = "../simulation/reports.rs"]
mod reports;
#[path = "../simulation/score.rs"]
mod score;
#[path = "../simulation/simulcast.rs"]
mod simulcast;
#[path = "../simulation/speaker.rs"]
mod speaker;
#[path = "../simulation/srtp_index.rs"]
mod srtp_index;
#[path = "../simulation/standstill.rs"]
mod standstill;
#[path = "../simulation/starvation.rs"]
mod starvation;
#[path = "../simulation/temporal.rs"]
mod temporal;
