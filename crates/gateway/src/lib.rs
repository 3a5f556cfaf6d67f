//! Calls between people: signalling, permissions, ringing and the choice of the way media takes (contract §2, §3).

#![forbid(unsafe_code)]
