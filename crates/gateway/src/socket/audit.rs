//! What a device was refused, for the audit log (contract §4.6, §6.11): attempts at what is not allowed, and more than
//! is allowed. A device that goes on trying fills no log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::hmac;
use serde_json::json;
use signalling::{CallId, ErrorCode, Timestamp};
use store::{AuditEntry, AuditType};

use crate::auth::Caller;
use crate::config::IpHashKey;

/// Time between two lines of one kind about one device.
const PAUSE: Duration = Duration::from_secs(10);

/// What is noted about one device.
pub(super) struct Refusals {
    /// Keyed hash of its address.
    address: String,
    /// When something not allowed, and when too much, was last noted.
    noted: Mutex<[Option<Instant>; 2]>,
}

impl Refusals {
    pub(super) fn new(key: &IpHashKey, address: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.0.as_bytes());
        Self {
            address: edge::random::hex(hmac::sign(&key, address.as_bytes()).as_ref()),
            noted: Mutex::default(),
        }
    }

    /// The line to be written about an event that failed with this code, if one is.
    pub(super) fn entry(
        &self,
        (event, code): (&'static str, ErrorCode),
        caller: &Caller,
        call: Option<CallId>,
    ) -> Option<AuditEntry> {
        let (kind, place) = match code {
            ErrorCode::PermissionDenied => (AuditType::UnauthorizedAccessAttempt, 0),
            ErrorCode::RateLimitExceeded => (AuditType::RateLimitExceeded, 1),
            _ => return None,
        };
        let now = Instant::now();
        {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let last = noted.get_mut(place)?;
            if last.is_some_and(|last| now < last + PAUSE) {
                return None;
            }
            *last = Some(now);
        }
        Some(AuditEntry {
            event: kind,
            user: caller.user(),
            call,
            metadata: json!({ "event": event }),
            ip_hash: Some(self.address.clone()),
            user_agent: None,
            timestamp: Timestamp::from(SystemTime::now()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_noted_once_in_a_while_and_without_the_address() {
        let refusals = Refusals::new(&IpHashKey("key".to_owned()), "203.0.113.5");
        let note = |code| refusals.entry(("call:join", code), &Caller::Service, None);
        assert_eq!(note(ErrorCode::InvalidInput), None);
        let entry = note(ErrorCode::PermissionDenied).expect("the first is noted");
        assert_eq!(entry.event, AuditType::UnauthorizedAccessAttempt);
        let hash = entry.ip_hash.expect("the address is hashed");
        assert_eq!(hash.len(), 64);
        assert!(!format!("{hash}{}", entry.metadata).contains("203.0.113.5"));
        assert_eq!(note(ErrorCode::PermissionDenied), None);
        let entry = note(ErrorCode::RateLimitExceeded).expect("another kind is noted");
        assert_eq!(entry.event, AuditType::RateLimitExceeded);
        let other = Refusals::new(&IpHashKey("other key".to_owned()), "203.0.113.5");
        let other = other.entry(("x", ErrorCode::PermissionDenied), &Caller::Service, None);
        assert_ne!(other.and_then(|entry| entry.ip_hash), Some(hash));
    }
}
