//! The rules of a call, row by row, in virtual time (contract §3).

mod checks;
mod failures;
mod modes;
mod participants;
mod promotion;
mod random;
mod relay;
mod restart;
mod ringing;
mod status;
mod switching;
mod world;
