//! Rate limits of contract §1.6: so many requests of a kind in 60 seconds per key.
//!
//! A window starts with a key's first request and lasts its full length; that makes the three
//! `X-RateLimit-*` headers exact. Time comes in as an argument.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Windows are swept when this many are held, and again whenever their number has doubled.
const FIRST_SWEEP: usize = 1024;

/// What kind of request is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `POST …/create`, per call.
    CreateRoom,
    /// `POST …/transports`, per participant.
    CreateTransport,
    /// `POST …/connect`, per participant.
    ConnectTransport,
    /// `POST …/consume`, per participant.
    Consume,
    /// Everything else, per participant or, without a valid token, per client address.
    Other,
}

impl Scope {
    /// The value of the metric label `scope`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateRoom => "create-room",
            Self::CreateTransport => "create-transport",
            Self::ConnectTransport => "connect-transport",
            Self::Consume => "consume",
            Self::Other => "other",
        }
    }

    /// Requests per window (contract §1.6).
    pub(crate) fn quota(self) -> u32 {
        match self {
            Self::CreateRoom => 10,
            Self::CreateTransport | Self::ConnectTransport => 50,
            Self::Consume => 100,
            Self::Other => 200,
        }
    }
}

/// How one request stands against its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the request may go on.
    pub admitted: bool,
    /// Requests per window.
    pub limit: u32,
    /// Requests left in this window.
    pub remaining: u32,
    /// Time until the window ends.
    pub resets_in: Duration,
}

impl Standing {
    /// Whole seconds until the window ends, at least one: a client that comes back then is admitted.
    pub fn retry_after(&self) -> u64 {
        self.resets_in
            .as_millis()
            .div_ceil(1000)
            .max(1)
            .try_into()
            .unwrap_or(u64::MAX)
    }
}

struct Window {
    ends: Instant,
    used: u32,
}

/// Counts requests per kind and key.
pub struct RateLimiter<S> {
    window: Duration,
    windows: Mutex<Windows<S>>,
}

struct Windows<S> {
    by_key: HashMap<(S, String), Window>,
    next_sweep: usize,
}

impl<S: Copy + Eq + std::hash::Hash> RateLimiter<S> {
    /// A limiter whose windows last `window`.
    pub fn new(window: Duration) -> Self {
        Self {
            window,
            windows: Mutex::new(Windows {
                by_key: HashMap::new(),
                next_sweep: FIRST_SWEEP,
            }),
        }
    }

    /// Counts a request of `key` at `now` against `limit` requests per window.
    pub fn count(&self, now: Instant, scope: S, key: &str, limit: u32) -> Standing {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.sweep(now);
        let fresh = || Window {
            ends: now + self.window,
            used: 0,
        };
        let window = windows
            .by_key
            .entry((scope, key.to_owned()))
            .or_insert_with(fresh);
        if window.ends <= now {
            *window = fresh();
        }
        let admitted = window.used < limit;
        if admitted {
            window.used += 1;
        }
        Standing {
            admitted,
            limit,
            remaining: limit - window.used.min(limit),
            resets_in: window.ends - now,
        }
    }
}

impl<S> Windows<S> {
    /// Forgets windows that are over, often enough to bound memory and seldom enough to cost nothing.
    fn sweep(&mut self, now: Instant) {
        if self.by_key.len() < self.next_sweep {
            return;
        }
        self.by_key.retain(|_, window| window.ends > now);
        self.next_sweep = (self.by_key.len() * 2).max(FIRST_SWEEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_request_after_the_last_allowed_one_is_refused_until_the_window_ends() {
        let limiter = RateLimiter::new(MINUTE);
        let start = Instant::now();
        for used in 1..=10 {
            let standing = limiter.count(start, Scope::CreateRoom, "call", 10);
            let expected = Standing {
                admitted: true,
                limit: 10,
                remaining: 10 - used,
                resets_in: MINUTE,
            };
            assert_eq!(standing, expected);
        }
        let later = start + Duration::from_millis(59_400);
        let refused = limiter.count(later, Scope::CreateRoom, "call", 10);
        assert!(!refused.admitted);
        assert_eq!(refused.remaining, 0);
        assert_eq!(refused.retry_after(), 1);
        assert!(
            limiter
                .count(start + MINUTE, Scope::CreateRoom, "call", 10)
                .admitted
        );
    }

    #[test]
    fn keys_and_scopes_do_not_share_a_window() {
        let limiter = RateLimiter::new(MINUTE);
        let now = Instant::now();
        assert!(limiter.count(now, Scope::Consume, "a", 1).admitted);
        assert!(!limiter.count(now, Scope::Consume, "a", 1).admitted);
        assert!(limiter.count(now, Scope::Consume, "b", 1).admitted);
        assert!(limiter.count(now, Scope::Other, "a", 1).admitted);
    }

    #[test]
    fn a_flood_of_keys_is_forgotten_once_their_windows_are_over() {
        let limiter = RateLimiter::new(MINUTE);
        let start = Instant::now();
        for key in 0..FIRST_SWEEP {
            limiter.count(start, Scope::Other, &key.to_string(), 200);
        }
        limiter.count(start + MINUTE, Scope::Other, "late", 200);
        assert_eq!(limiter.windows.lock().expect("not poisoned").by_key.len(), 1);
    }
}
