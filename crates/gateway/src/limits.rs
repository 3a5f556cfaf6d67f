//! How often things may be done (contract §2.9).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use edge::limits::RateLimiter;
pub use edge::limits::Standing;
use signalling::ErrorCode;
use signalling::error::ErrorBody;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const QUARTER: Duration = Duration::from_secs(15 * 60);

/// How long an address is refused that guessed too often.
const BAN: Duration = QUARTER;
/// Sockets one user may have open.
const SOCKETS_PER_USER: u32 = 10;
/// Sockets one address may have open.
const SOCKETS_PER_ADDRESS: u32 = 100;

/// What is counted, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// REST under `/api/calls`, per user or guest, or per address without either.
    RestCalls,
    /// People, conversations, history and the rest of REST, likewise. Generous: pages ask when something changes.
    RestOther,
    /// `call:signal`, per person.
    Signal,
    /// Starting a call, REST and socket together, per user.
    StartCall,
    /// Joining and rejoining, per person.
    Join,
    /// Turning microphone, camera or screen on and off, per person.
    Toggle,
    /// Captions, per participant.
    Caption,
    /// Quality reports, per participant; outside the budget of REST.
    Quality,
    /// Everything else over a socket, per person.
    SocketOther,
    /// Tokens and sessions that open nothing, per address.
    FailedAuth,
    /// Looking up and redeeming links, per address.
    LinkLookup,
    /// Logging in by name alone, per address; development only.
    DevLogin,
    /// Bandwidth tests, per person: each may be 10 MB.
    BandwidthTest,
}

impl Scope {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::RestCalls,
        Self::RestOther,
        Self::Signal,
        Self::StartCall,
        Self::Join,
        Self::Toggle,
        Self::Caption,
        Self::Quality,
        Self::SocketOther,
        Self::FailedAuth,
        Self::LinkLookup,
        Self::DevLogin,
        Self::BandwidthTest,
    ];

    /// The value of the metric label `scope`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RestCalls => "rest-calls",
            Self::RestOther => "rest-other",
            Self::Signal => "signal",
            Self::StartCall => "start-call",
            Self::Join => "join",
            Self::Toggle => "toggle",
            Self::Caption => "caption",
            Self::Quality => "quality",
            Self::SocketOther => "socket-other",
            Self::FailedAuth => "failed-auth",
            Self::LinkLookup => "link-lookup",
            Self::DevLogin => "dev-login",
            Self::BandwidthTest => "bandwidth-test",
        }
    }

    /// How many, in how long.
    const fn quota(self) -> (u32, Duration) {
        match self {
            Self::RestCalls => (100, QUARTER),
            Self::RestOther | Self::SocketOther => (600, MINUTE),
            Self::Signal => (100, MINUTE),
            Self::StartCall => (5, MINUTE),
            Self::Join | Self::LinkLookup => (20, MINUTE),
            Self::Toggle => (120, MINUTE),
            Self::Caption => (10, SECOND),
            Self::Quality => (12, MINUTE),
            Self::FailedAuth | Self::BandwidthTest => (10, MINUTE),
            Self::DevLogin => (120, MINUTE),
        }
    }
}

/// Counts everything that is limited. Clones count together.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    limiter: RateLimiter<Scope>,
    /// Every limit times this; 1 but in load tests.
    factor: u32,
    bans: Mutex<HashMap<String, Instant>>,
    sockets: Mutex<HashMap<String, u32>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Limits {
    /// With every limit multiplied by `factor`.
    #[must_use]
    pub fn new(factor: u32) -> Self {
        Self(Arc::new(Inner {
            limiter: RateLimiter::new(MINUTE),
            factor: factor.max(1),
            bans: Mutex::default(),
            sockets: Mutex::default(),
        }))
    }

    /// Counts one more of `scope` for `key`.
    ///
    /// # Errors
    /// `RATE_LIMIT_EXCEEDED` with `retryAfter` if it is one too many.
    pub fn count(&self, scope: Scope, key: &str) -> Result<Standing, ErrorBody> {
        let standing = self.standing(Instant::now(), scope, key);
        if standing.admitted {
            Ok(standing)
        } else {
            Err(refusal(scope, standing))
        }
    }

    /// Counts one more and says how it stands, admitted or not.
    #[must_use]
    pub fn standing(&self, now: Instant, scope: Scope, key: &str) -> Standing {
        let (limit, window) = scope.quota();
        let limit = limit.saturating_mul(self.0.factor);
        self.0.limiter.count_within(now, (scope, key), limit, window)
    }

    /// Notes a token or session that opened nothing. The tenth within a minute refuses the address for a while.
    pub fn auth_failed(&self, now: Instant, address: &str) {
        let standing = self.standing(now, Scope::FailedAuth, address);
        if standing.remaining == 0 {
            let mut bans = self.bans();
            // Only when the room is used up, or each of many guessers would cost a walk over all of them.
            if bans.len() == bans.capacity() {
                bans.retain(|_, until| *until > now);
            }
            bans.insert(address.to_owned(), now + BAN);
        }
    }

    /// Whether an address may try at all.
    ///
    /// # Errors
    /// `RATE_LIMIT_EXCEEDED` while it is refused for having guessed too often.
    pub fn may_try(&self, now: Instant, address: &str) -> Result<(), ErrorBody> {
        let until = self.bans().get(address).copied().filter(|until| *until > now);
        let Some(until) = until else {
            return Ok(());
        };
        let (limit, _) = Scope::FailedAuth.quota();
        let standing = Standing {
            admitted: false,
            limit,
            remaining: 0,
            resets_in: until - now,
        };
        Err(standing.refusal())
    }

    /// Notes an open socket of a person at an address, until the returned guard is dropped.
    ///
    /// # Errors
    /// `RATE_LIMIT_EXCEEDED` if the person or the address has as many as they may.
    pub fn open_socket(&self, person: &str, address: &str) -> Result<OpenSocket, ErrorBody> {
        let keys = [format!("person {person}"), format!("address {address}")];
        let most = [SOCKETS_PER_USER, SOCKETS_PER_ADDRESS].map(|most| most.saturating_mul(self.0.factor));
        let mut sockets = self.sockets();
        let full = |(key, most): (&String, u32)| sockets.get(key).is_some_and(|open| *open >= most);
        if keys.iter().zip(most).any(full) {
            let message = "Too many connections are open";
            return Err(ErrorBody::with_message(ErrorCode::RateLimitExceeded, message));
        }
        for key in &keys {
            *sockets.entry(key.clone()).or_default() += 1;
        }
        drop(sockets);
        Ok(OpenSocket {
            limits: self.clone(),
            keys,
        })
    }

    fn bans(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.bans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sockets(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open socket that counts as long as this lives.
pub struct OpenSocket {
    limits: Limits,
    keys: [String; 2],
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        let mut sockets = self.limits.sockets();
        for key in &self.keys {
            if let Some(open) = sockets.get_mut(key) {
                *open -= 1;
                if *open == 0 {
                    sockets.remove(key);
                }
            }
        }
    }
}

/// What one too many is answered.
fn refusal(scope: Scope, standing: Standing) -> ErrorBody {
    let mut error = standing.refusal();
    if scope == Scope::StartCall {
        "Too many calls were started: wait one minute and try again".clone_into(&mut error.message);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_the_contracts_limit() {
        let table = [
            (Scope::RestCalls, 100, 900),
            (Scope::Signal, 100, 60),
            (Scope::StartCall, 5, 60),
            (Scope::Join, 20, 60),
            (Scope::Toggle, 120, 60),
            (Scope::Caption, 10, 1),
            (Scope::Quality, 12, 60),
            (Scope::FailedAuth, 10, 60),
            (Scope::LinkLookup, 20, 60),
        ];
        for (scope, most, seconds) in table {
            let limits = Limits::default();
            let now = Instant::now();
            for _ in 0..most {
                assert!(limits.standing(now, scope, "a").admitted, "{scope:?}");
            }
            let refused = limits.standing(now, scope, "a");
            assert!(!refused.admitted, "{scope:?}");
            assert_eq!(refused.retry_after(), seconds, "{scope:?}");
            assert!(limits.standing(now, scope, "b").admitted, "{scope:?}");
            let later = now + Duration::from_secs(seconds);
            assert!(limits.standing(later, scope, "a").admitted, "{scope:?}");
        }
    }

    #[test]
    fn names_of_scopes_differ() {
        let names: std::collections::BTreeSet<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        assert_eq!(names.len(), Scope::ALL.len());
    }

    #[test]
    fn starting_too_many_calls_says_how_long_to_wait() {
        let limits = Limits::default();
        for _ in 0..5 {
            assert!(limits.count(Scope::StartCall, "a").is_ok());
        }
        let error = limits.count(Scope::StartCall, "a").expect_err("one too many");
        assert_eq!(error.code, ErrorCode::RateLimitExceeded);
        assert!(error.message.contains("one minute"), "{}", error.message);
        assert!(
            error
                .retry_after
                .is_some_and(|seconds| (1..=60).contains(&seconds))
        );
    }

    #[test]
    fn who_guesses_ten_times_is_refused_for_a_quarter_of_an_hour() {
        let limits = Limits::default();
        let now = Instant::now();
        for _ in 0..9 {
            limits.auth_failed(now, "203.0.113.5");
        }
        assert!(limits.may_try(now, "203.0.113.5").is_ok());
        limits.auth_failed(now, "203.0.113.5");
        let error = limits.may_try(now, "203.0.113.5").expect_err("guessed too often");
        assert_eq!(
            (error.code, error.retry_after),
            (ErrorCode::RateLimitExceeded, Some(900))
        );
        assert!(limits.may_try(now, "203.0.113.6").is_ok());
        assert!(limits.may_try(now + BAN - SECOND, "203.0.113.5").is_err());
        assert!(limits.may_try(now + BAN, "203.0.113.5").is_ok());
    }

    #[test]
    fn open_sockets_are_counted_until_they_close() {
        let limits = Limits::default();
        let open: Vec<OpenSocket> = (0..10)
            .map(|_| limits.open_socket("anna", "203.0.113.5").expect("not too many"))
            .collect();
        let refused = limits.open_socket("anna", "203.0.113.6");
        assert_eq!(
            refused.map(drop).map_err(|error| error.code),
            Err(ErrorCode::RateLimitExceeded)
        );
        assert!(limits.open_socket("berta", "203.0.113.5").is_ok());
        drop(open);
        assert!(limits.open_socket("anna", "203.0.113.6").is_ok());
        assert!(limits.sockets().is_empty());
    }

    #[test]
    fn one_address_has_a_hundred_sockets() {
        let limits = Limits::default();
        let open: Vec<OpenSocket> = (0..100)
            .map(|person| {
                limits
                    .open_socket(&person.to_string(), "a")
                    .expect("not too many")
            })
            .collect();
        assert!(limits.open_socket("another", "a").is_err());
        drop(open);
    }

    #[test]
    fn a_factor_widens_every_limit() {
        let limits = Limits::new(3);
        let now = Instant::now();
        for _ in 0..15 {
            assert!(limits.standing(now, Scope::StartCall, "a").admitted);
        }
        assert!(!limits.standing(now, Scope::StartCall, "a").admitted);
    }
}
