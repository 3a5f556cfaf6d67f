//! What outlives a process: people, conversations, calls and what was measured of them (contract §4).

#![forbid(unsafe_code)]
