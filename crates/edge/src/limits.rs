//! Rate limits (contract §1.6, §2.9): so many requests of a kind in so much time per key.
//!
//! A window starts with a key's first request and lasts its full length; that makes the three
//! `X-RateLimit-*` headers exact. Time comes in as an argument.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use signalling::ErrorCode;
use signalling::error::ErrorBody;

/// Windows are swept when this many are held, and again whenever their number has doubled.
const FIRST_SWEEP: usize = 1024;

/// Requests per window.
pub const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// Requests left in the window.
pub const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// When the window ends, seconds since 1970.
pub const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

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

    /// What a request that is one too many is answered.
    pub fn refusal(&self) -> ErrorBody {
        let seconds = u32::try_from(self.retry_after()).unwrap_or(u32::MAX);
        let message = format!("Too many requests: try again in {seconds} s");
        let mut error = ErrorBody::with_message(ErrorCode::RateLimitExceeded, message);
        error.retry_after = Some(seconds);
        error
    }

    /// Writes the three `X-RateLimit-*` headers.
    pub fn describe(&self, headers: &mut HeaderMap) {
        let ends = SystemTime::now() + self.resets_in;
        let reset = ends
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis()
            .div_ceil(1000);
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(u64::try_from(reset).unwrap_or(u64::MAX)));
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
        self.count_within(now, (scope, key), limit, self.window)
    }

    /// As [`Self::count`] in a window of another length. The length of a window is that with which it began.
    pub fn count_within(
        &self,
        now: Instant,
        (scope, key): (S, &str),
        limit: u32,
        length: Duration,
    ) -> Standing {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.sweep(now);
        let fresh = || Window {
            ends: now + length,
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

    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    enum Scope {
        Create,
        Consume,
        Other,
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_request_after_the_last_allowed_one_is_refused_until_the_window_ends() {
        let limiter = RateLimiter::new(MINUTE);
        let start = Instant::now();
        for used in 1..=10 {
            let standing = limiter.count(start, Scope::Create, "call", 10);
            let expected = Standing {
                admitted: true,
                limit: 10,
                remaining: 10 - used,
                resets_in: MINUTE,
            };
            assert_eq!(standing, expected);
        }
        let later = start + Duration::from_millis(59_400);
        let refused = limiter.count(later, Scope::Create, "call", 10);
        assert!(!refused.admitted);
        assert_eq!(refused.remaining, 0);
        assert_eq!(refused.retry_after(), 1);
        assert!(limiter.count(start + MINUTE, Scope::Create, "call", 10).admitted);
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

    #[test]
    fn windows_may_differ_in_length() {
        let limiter = RateLimiter::new(MINUTE);
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let count = |now| limiter.count_within(now, (Scope::Other, "a"), 1, second).admitted;
        assert!(count(start));
        assert!(!count(start + Duration::from_millis(999)));
        assert!(count(start + second));
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let standing = Standing {
            admitted: false,
            limit: 5,
            remaining: 0,
            resets_in: Duration::from_millis(41_001),
        };
        let error = standing.refusal();
        assert_eq!(
            (error.code, error.retry_after),
            (ErrorCode::RateLimitExceeded, Some(42))
        );
        let mut headers = HeaderMap::new();
        standing.describe(&mut headers);
        assert_eq!(
            (&headers[LIMIT], &headers[REMAINING]),
            (&HeaderValue::from(5), &HeaderValue::from(0))
        );
        let reset: u64 = headers[RESET].to_str().expect("text").parse().expect("a number");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        assert!((now + 40..=now + 43).contains(&reset), "{reset}");
    }
}
