//! Virtual time, hand-written checks.

mod consent;
mod nomination;

use std::net::SocketAddr;

use super::super::stun::{Writer, stun_username_local_ufrag};
use super::tuples::MAX_TUPLES;
use super::*;
use crate::tuple::Protocol;

const CONSENT: Duration = Duration::from_secs(30);

fn credentials(name: &str) -> IceCredentials {
    IceCredentials {
        ufrag: format!("{name}ufrag"),
        pwd: format!("{name}-password-of-some-length"),
    }
}

fn path(port: u16) -> FiveTuple {
    FiveTuple {
        protocol: Protocol::Udp,
        local: "192.0.2.1:4000".parse().expect("address"),
        remote: SocketAddr::new("198.51.100.1".parse().expect("address"), port),
    }
}

/// What a test wants a check to say; the default is an ordinary valid one.
#[derive(Clone)]
struct CheckOf {
    username: Option<String>,
    pwd: Option<String>,
    role: Option<Role>,
    use_candidate: bool,
    priority: u32,
    nomination: Option<u32>,
    unknown: Option<u16>,
}

impl CheckOf {
    fn with(credentials: &IceCredentials) -> Self {
        Self {
            username: Some(format!("{}:peer", credentials.ufrag)),
            pwd: Some(credentials.pwd.clone()),
            role: Some(Role::Controlling(1)),
            use_candidate: false,
            priority: 100,
            nomination: None,
            unknown: None,
        }
    }

    fn nominating(credentials: &IceCredentials) -> Self {
        Self {
            use_candidate: true,
            ..Self::with(credentials)
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, TransactionId(*b"transaction!"));
        self.username
            .iter()
            .for_each(|username| writer.username(username));
        writer.priority(self.priority);
        self.role.into_iter().for_each(|role| writer.role(role));
        self.nomination
            .into_iter()
            .for_each(|nomination| writer.nomination(nomination));
        if self.use_candidate {
            writer.use_candidate();
        }
        self.unknown
            .into_iter()
            .for_each(|kind| writer.attribute(kind, &[1, 2, 3]));
        writer.finish(self.pwd.as_deref().map(IntegrityKey::new).as_ref());
        bytes
    }
}

struct Bench {
    agent: LiteAgent,
    start: Instant,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            agent: LiteAgent::new(credentials("server"), CONSENT),
            start: now,
            now,
        }
    }

    fn send(&mut self, tuple: FiveTuple, check: &CheckOf) -> Result<Check, DropReason> {
        self.agent.handle(self.now, tuple, &check.bytes())
    }

    /// Moves the time as a caller does: from deadline to deadline.
    fn advance(&mut self, to: Duration) {
        let end = self.start + to;
        while let Some(deadline) = self.agent.poll_timeout().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.agent.handle_timeout(self.now);
        }
        self.now = end;
        self.agent.handle_timeout(end);
    }

    fn events(&mut self) -> Vec<IceEvent> {
        std::iter::from_fn(|| self.agent.poll_event()).collect()
    }

    fn answer(&mut self) -> Option<(FiveTuple, Vec<u8>)> {
        let mut buffer = b"stale".to_vec();
        let tuple = self.agent.poll_transmit(&mut buffer)?;
        Some((tuple, buffer))
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_check_is_answered_with_the_senders_address_under_our_password() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.send(path(1), &CheckOf::with(&credentials("server"))),
        Ok(Check::Valid)
    );
    let (tuple, bytes) = bench.answer().expect("an answer");
    assert_eq!(tuple, path(1));
    let message = Message::parse(&bytes).expect("valid");
    assert_eq!(message.class, Class::Success);
    assert_eq!(message.transaction, TransactionId(*b"transaction!"));
    assert_eq!(message.mapped_address, Some(path(1).remote));
    assert!(message.fingerprint);
    assert!(message.verify_integrity(&IntegrityKey::new(&credentials("server").pwd)));
    assert!(bench.answer().is_none());
    assert_eq!(bench.events(), [IceEvent::State(IceState::Connected)]);
    assert!(bench.agent.is_proven(path(1)) && !bench.agent.is_proven(path(2)));
    assert_eq!(bench.agent.selected(), None);
}

#[test]
fn refusals_table() {
    let good = CheckOf::nominating(&credentials("server"));
    let unauthenticated = (DropReason::StunIntegrity, 401, false);
    let table = [
        (
            "wrong password",
            CheckOf {
                pwd: Some("guess".into()),
                ..good.clone()
            },
            unauthenticated,
        ),
        (
            "wrong ufrag",
            CheckOf {
                username: Some("other:peer".into()),
                ..good.clone()
            },
            unauthenticated,
        ),
        (
            "ufrags swapped",
            CheckOf {
                username: Some("peer:serverufrag".into()),
                ..good.clone()
            },
            unauthenticated,
        ),
        (
            "no integrity",
            CheckOf {
                pwd: None,
                ..good.clone()
            },
            (DropReason::BadStun, 400, false),
        ),
        (
            "no username",
            CheckOf {
                username: None,
                ..good.clone()
            },
            (DropReason::BadStun, 400, false),
        ),
        (
            "no colon",
            CheckOf {
                username: Some("serverufrag".into()),
                ..good.clone()
            },
            (DropReason::BadStun, 400, false),
        ),
        (
            "unknown attribute",
            CheckOf {
                unknown: Some(0x7777),
                ..good.clone()
            },
            (DropReason::BadStun, 420, true),
        ),
        (
            "role conflict",
            CheckOf {
                role: Some(Role::Controlled(9)),
                ..good.clone()
            },
            (DropReason::StunRole, 487, true),
        ),
    ];
    for (name, check, (reason, code, signed)) in table {
        let mut bench = Bench::new();
        assert_eq!(bench.send(path(1), &check), Err(reason), "{name}");
        let (_, bytes) = bench.answer().expect("an answer");
        let message = Message::parse(&bytes).expect("valid");
        assert_eq!(
            (message.class, message.error),
            (Class::Error, Some(code)),
            "{name}"
        );
        assert_eq!(
            message.has_integrity(),
            signed,
            "{name}: only who knows the password gets a signed answer"
        );
        assert!(
            !bench.agent.is_proven(path(1)) && bench.agent.selected().is_none(),
            "{name}"
        );
        assert!(bench.events().is_empty(), "{name}");
        assert!(
            bytes.len() <= check.bytes().len() + 32,
            "{name}: no amplification"
        );
    }
}

#[test]
fn tolerated_deviations() {
    let good = CheckOf::nominating(&credentials("server"));
    let mut bench = Bench::new();
    assert_eq!(
        bench.send(
            path(1),
            &CheckOf {
                role: None,
                ..good.clone()
            }
        ),
        Ok(Check::Valid)
    );
    let optional = CheckOf {
        unknown: Some(0xC057),
        ..good
    };
    assert_eq!(bench.send(path(1), &optional), Ok(Check::Valid));
}

#[test]
fn what_is_no_request_has_no_effect() {
    let mut bench = Bench::new();
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Indication, TransactionId([0; 12])).finish(None);
    assert_eq!(bench.agent.handle(bench.now, path(1), &bytes), Ok(Check::Ignored));
    for class in [Class::Success, Class::Error] {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, class, TransactionId([0; 12])).finish(None);
        assert_eq!(
            bench.agent.handle(bench.now, path(1), &bytes),
            Err(DropReason::StunResponse)
        );
    }
    assert_eq!(
        bench.agent.handle(bench.now, path(1), &[0, 1, 2]),
        Err(DropReason::BadStun)
    );
    assert!(bench.answer().is_none() && bench.events().is_empty());
}

#[test]
fn the_table_of_paths_is_bounded_and_keeps_the_selected_one() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    for port in 2..200 {
        bench.advance(Duration::from_millis(u64::from(port)));
        bench.send(path(port), &CheckOf::with(&server)).expect("valid");
        bench.answer();
        bench.answer();
        assert!(bench.agent.tuples.len() <= MAX_TUPLES);
    }
    assert!(bench.agent.is_proven(path(1)));
    assert_eq!(bench.agent.selected(), Some(path(1)));
    assert!(
        bench.agent.is_proven(path(199)) && !bench.agent.is_proven(path(2)),
        "the oldest made room"
    );
}

#[test]
fn answers_are_bounded_until_sent() {
    let server = credentials("server");
    let mut bench = Bench::new();
    for _ in 0..MAX_PENDING {
        assert_eq!(bench.send(path(1), &CheckOf::with(&server)), Ok(Check::Valid));
    }
    assert_eq!(
        bench.send(path(1), &CheckOf::with(&server)),
        Err(DropReason::QueueFull)
    );
    assert!(bench.answer().is_some());
    assert_eq!(bench.send(path(1), &CheckOf::with(&server)), Ok(Check::Valid));
}

#[test]
fn the_worker_finds_the_link_by_the_fragment_a_check_names() {
    let bytes = CheckOf::with(&credentials("server")).bytes();
    assert_eq!(stun_username_local_ufrag(&bytes), Some("serverufrag"));
}
