//! The gateway's REST face on loopback, with a store in memory.

mod admin;
mod audit;
mod calls;
mod directory;
mod face;
mod guard;
mod guests;
mod limits;
mod server;
mod tokens;
