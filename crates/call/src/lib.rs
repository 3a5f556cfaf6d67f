//! One call, decided purely: who holds a seat, who rings, which way media takes (contract §3).
//!
//! No clock, no randomness, no IO: time and fresh ids are arguments, what is to be done comes back as a list of
//! [`Output`]s. The gateway's call task feeds it and carries the outputs out.
//!
//! * [`input`]: everything that can happen to a call.
//! * [`output`]: everything it can ask for.
//! * [`record`]: what is kept of it in storage, and what it is restored from.
//! * [`view`]: what it looks like from outside.

#![forbid(unsafe_code)]

mod admission;
mod call;
mod departure;
pub mod input;
mod manual;
mod media;
mod metrics;
mod mode;
pub mod output;
mod place;
pub mod record;
mod ring;
mod room;
mod roster;
mod timers;
pub mod view;

pub use call::Call;
pub use input::{
    Actor, Callee, Entropy, Identity, Input, MediaChange, Moment, NewCall, NodeEvent, NodeId, Person,
    RequestId, RoomInfo, Settings, SocketId,
};
pub use output::{
    AuditEvent, Measure, NodeCommand, Notice, Output, Persist, Recipients, Reply, RoomAttempt, Seat,
    SwitchOrder,
};
pub use record::{CallRecord, MetricsRecord, ParticipantRecord, StoredCall};
pub use view::{JoinView, StartedView};
