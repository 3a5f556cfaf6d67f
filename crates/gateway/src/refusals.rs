//! What people were refused, for the audit log (contract §4.6, §6.11): attempts at what is not allowed, and more than is
//! allowed. Who goes on trying fills no log.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::hmac;
use edge::limits::RateLimiter;
use serde_json::Value;
use signalling::{CallId, Timestamp};
use store::{AuditEntry, AuditType};

use crate::auth::Caller;
use crate::config::IpHashKey;
use crate::footprint::Footprint;
use crate::metrics::Metrics;

/// Time between two lines of one kind about one person at one address.
const PAUSE: Duration = Duration::from_secs(10);

/// Time in which at most [`MOST`] lines of one kind are written, whoever they are about.
const INTERVAL: Duration = Duration::from_secs(60);

/// Lines of one kind in an [`INTERVAL`]. Honest people are refused a few times a minute; of a flood from many addresses
/// two lines a second are enough to see what it is. They stay below 50 MB a day, and far below what may wait for the
/// database.
const MOST: u32 = 120;

/// Most characters of what a client calls itself that are kept: browsers need half of it.
const MAX_USER_AGENT: usize = 300;

/// Turns refusals into lines of the audit log.
pub(crate) struct Refusals {
    /// Of the hashes of addresses.
    key: hmac::Key,
    noted: RateLimiter<AuditType>,
    /// What is left for everybody together.
    budget: RateLimiter<AuditType>,
    /// Which count the lines that are not written.
    metrics: Arc<Metrics>,
}

/// What was refused, and to whom.
pub(crate) struct Refusal<'a> {
    /// The HTTP status of the refusal, also where it went over a socket.
    pub(crate) status: u16,
    /// Who asked, if that is known.
    pub(crate) caller: Option<&'a Caller>,
    /// Where from.
    pub(crate) address: &'a str,
    /// In which call.
    pub(crate) call: Option<CallId>,
    /// What the client calls itself.
    pub(crate) user_agent: Option<&'a str>,
}

impl Refusals {
    pub(crate) fn new(key: &IpHashKey, metrics: Arc<Metrics>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.0.as_bytes()),
            noted: RateLimiter::new(PAUSE),
            budget: RateLimiter::new(INTERVAL),
            metrics,
        }
    }

    /// What is kept of where a request came from.
    pub(crate) fn footprint(
        &self,
        caller: Option<&Caller>,
        address: &str,
        user_agent: Option<&str>,
    ) -> Footprint {
        let hash = hmac::sign(&self.key, address.as_bytes());
        Footprint {
            person: caller.and_then(Caller::person),
            ip_hash: edge::random::hex(hash.as_ref()),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
        }
    }

    /// The line to be written about a refusal at `now`, if one is; `what` was asked is an object without names.
    pub(crate) fn entry(&self, now: Instant, refusal: Refusal<'_>, what: Value) -> Option<AuditEntry> {
        let event = match refusal.status {
            401 | 403 => AuditType::UnauthorizedAccessAttempt,
            429 => AuditType::RateLimitExceeded,
            _ => return None,
        };
        let caller = refusal.caller.map_or_else(|| "nobody".to_owned(), Caller::key);
        let who = format!("{caller} {}", refusal.address);
        if !self.noted.count(now, event, &who, 1).admitted {
            return None;
        }
        if !self.budget.count(now, event, "", MOST).admitted {
            self.metrics.refusal_unrecorded();
            return None;
        }
        let from = self.footprint(None, refusal.address, refusal.user_agent);
        Some(AuditEntry {
            event,
            user: refusal.caller.and_then(Caller::user),
            call: refusal.call,
            metadata: what,
            ip_hash: Some(from.ip_hash),
            user_agent: from.user_agent,
            timestamp: Timestamp::from(SystemTime::now()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ADDRESS: &str = "203.0.113.5";

    fn refusals(key: &str) -> Refusals {
        Refusals::new(&IpHashKey(key.to_owned()), Arc::default())
    }

    fn refused(status: u16, address: &str) -> Refusal<'_> {
        Refusal {
            status,
            caller: Some(&Caller::Service),
            address,
            call: None,
            user_agent: None,
        }
    }

    fn note(refusals: &Refusals, now: Instant, refusal: Refusal<'_>) -> Option<AuditEntry> {
        refusals.entry(now, refusal, json!({"event": "call:join"}))
    }

    #[test]
    fn what_was_not_allowed_or_too_much_is_noted_and_nothing_else() {
        let table = [
            (200, None),
            (400, None),
            (401, Some(AuditType::UnauthorizedAccessAttempt)),
            (403, Some(AuditType::UnauthorizedAccessAttempt)),
            (404, None),
            (429, Some(AuditType::RateLimitExceeded)),
            (500, None),
        ];
        for (status, event) in table {
            let entry = note(&refusals("key"), Instant::now(), refused(status, ADDRESS));
            assert_eq!(entry.map(|entry| entry.event), event, "{status}");
        }
    }

    #[test]
    fn each_kind_is_noted_once_in_a_while_for_each_person_and_address() {
        let refusals = refusals("key");
        let now = Instant::now();
        let noted = |now, refusal| note(&refusals, now, refusal).is_some();
        assert!(noted(now, refused(403, ADDRESS)));
        assert!(!noted(now, refused(403, ADDRESS)));
        assert!(!noted(now, refused(401, ADDRESS)), "of the same kind");
        assert!(noted(now, refused(429, ADDRESS)), "another kind");
        assert!(noted(now, refused(403, "203.0.113.6")), "another address");
        let nobody = Refusal {
            caller: None,
            ..refused(403, ADDRESS)
        };
        assert!(noted(now, nobody), "another person");
        let later = now + PAUSE;
        assert!(!noted(later - Duration::from_millis(1), refused(403, ADDRESS)));
        assert!(noted(later, refused(403, ADDRESS)));
    }

    #[test]
    fn many_addresses_do_not_fill_the_log_and_hide_nothing_of_another_kind() {
        let refusals = refusals("key");
        let now = Instant::now();
        let flood = |now, status| {
            let address = |number: u32| format!("2001:db8::{number:x}");
            let noted = |number: &u32| note(&refusals, now, refused(status, &address(*number))).is_some();
            (0..MOST + 5).filter(noted).count()
        };
        let unrecorded = || {
            let text = refusals.metrics.render("");
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("meeshy_refusals_unrecorded_total "));
            line.and_then(|value| value.parse().ok())
        };
        assert_eq!(unrecorded(), Some(0));
        assert_eq!(flood(now, 429), MOST as usize);
        assert_eq!(unrecorded(), Some(5));
        assert!(note(&refusals, now, refused(403, ADDRESS)).is_some());
        assert_eq!(flood(now + INTERVAL - Duration::from_millis(1), 429), 0);
        assert_eq!(flood(now + INTERVAL, 429), 0, "each address has its own pause");
        assert_eq!(flood(now + INTERVAL + PAUSE, 429), MOST as usize);
    }

    #[test]
    fn addresses_are_hashed_with_the_key_and_long_names_cut() {
        let long = "x".repeat(MAX_USER_AGENT + 1);
        let entry = |key| {
            let refusal = Refusal {
                user_agent: Some(&long),
                ..refused(403, ADDRESS)
            };
            note(&refusals(key), Instant::now(), refusal).expect("the first is noted")
        };
        let (one, other) = (entry("key"), entry("other key"));
        let hash = one.ip_hash.clone().expect("the address is hashed");
        assert_eq!(hash.len(), 64);
        assert!(!format!("{one:?}").contains(ADDRESS));
        assert_ne!(other.ip_hash, Some(hash));
        assert_eq!(one.user_agent.map(|name| name.len()), Some(MAX_USER_AGENT));
    }
}
