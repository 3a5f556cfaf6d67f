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
fn the_peer_nominates_and_renominates() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    bench.send(path(2), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(
        bench.events(),
        [
            IceEvent::State(IceState::Connected),
            IceEvent::Selected(path(2)),
            IceEvent::State(IceState::Completed)
        ]
    );
    // Checks of another path keep it proven and do not move the selection.
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    // A phone leaves Wi-Fi: it comes from a new address and nominates that.
    bench.send(path(3), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(bench.events(), [IceEvent::Selected(path(3))]);
    assert!(
        bench.agent.is_proven(path(2)),
        "what is still under way there is accepted"
    );
    // The nomination is repeated: nothing new.
    bench.send(path(3), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(bench.events(), []);
}

#[test]
fn a_peer_that_nominates_every_path_gets_the_best_and_no_alternation() {
    let server = credentials("server");
    let low = CheckOf {
        priority: 10,
        ..CheckOf::nominating(&server)
    };
    let high = CheckOf {
        priority: 20,
        ..CheckOf::nominating(&server)
    };
    // Whichever nomination arrives first, the better path is selected, and repetitions do not move it.
    for first in [(path(1), &low), (path(2), &high)] {
        let mut bench = Bench::new();
        bench.send(first.0, first.1).expect("valid");
        for second in (0..60).step_by(3) {
            bench.advance(seconds(second));
            bench.send(path(1), &low).expect("valid");
            bench.send(path(2), &high).expect("valid");
            bench.answer();
            bench.answer();
            assert_eq!(bench.agent.selected(), Some(path(2)), "second {second}");
            if second > 0 {
                assert_eq!(bench.events(), [], "second {second}");
            }
            bench.events();
        }
    }
}

#[test]
fn a_path_given_up_is_left_even_for_a_worse_one() {
    let server = credentials("server");
    let wifi = CheckOf {
        priority: 20,
        ..CheckOf::nominating(&server)
    };
    let cellular = CheckOf {
        priority: 10,
        ..CheckOf::nominating(&server)
    };
    let mut bench = Bench::new();
    bench.send(path(1), &wifi).expect("valid");
    bench
        .send(
            path(2),
            &CheckOf {
                use_candidate: false,
                ..cellular.clone()
            },
        )
        .expect("valid");
    bench.send(path(2), &cellular).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)), "the nomination is news");
    // A delayed check of the path just left brings it back, but not for long.
    bench.send(path(1), &wifi).expect("valid");
    bench.send(path(2), &cellular).expect("valid");
    bench.send(path(2), &cellular).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    // The peer returns: it checks the old path, then nominates it again.
    bench
        .send(
            path(1),
            &CheckOf {
                use_candidate: false,
                ..wifi.clone()
            },
        )
        .expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    bench.send(path(1), &wifi).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(1)));
}

#[test]
fn numbered_nominations_ignore_late_checks() {
    let server = credentials("server");
    let numbered = |number| CheckOf {
        nomination: Some(number),
        ..CheckOf::nominating(&server)
    };
    let mut bench = Bench::new();
    bench.send(path(1), &numbered(1)).expect("valid");
    bench.send(path(2), &numbered(2)).expect("valid");
    bench.send(path(1), &numbered(1)).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    bench.send(path(1), &numbered(3)).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(1)));
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
fn silence_disconnects_and_then_fails() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    bench.events();
    bench.advance(Duration::from_millis(7999));
    assert_eq!(bench.events(), []);
    bench.advance(seconds(8));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Disconnected)]);
    assert_eq!(bench.agent.selected(), Some(path(1)), "media still flows");
    bench.advance(Duration::from_millis(29_999));
    assert_eq!(bench.events(), []);
    bench.advance(seconds(30));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Failed)]);
    assert_eq!(bench.agent.selected(), None);
    assert!(!bench.agent.is_proven(path(1)));
    assert_eq!(bench.agent.poll_timeout(), None);
}

#[test]
fn checks_keep_the_session_alive_and_revive_it() {
    let server = credentials("server");
    let mut bench = Bench::new();
    for second in (0..120).step_by(5) {
        bench.advance(seconds(second));
        bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
        bench.answer();
    }
    assert_eq!(
        bench.events(),
        [IceEvent::Selected(path(1)), IceEvent::State(IceState::Completed)]
    );
    bench.advance(seconds(125));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Disconnected)]);
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    assert_eq!(bench.events(), [IceEvent::State(IceState::Completed)]);
    bench.advance(seconds(200));
    assert_eq!(
        bench.events(),
        [
            IceEvent::State(IceState::Disconnected),
            IceEvent::State(IceState::Failed)
        ]
    );
    bench.send(path(9), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(
        bench.events(),
        [IceEvent::Selected(path(9)), IceEvent::State(IceState::Completed)]
    );
}

#[test]
fn forged_checks_are_no_consent() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    for second in 1..31 {
        bench.advance(seconds(second));
        let forged = CheckOf {
            pwd: Some("guess".into()),
            ..CheckOf::with(&server)
        };
        bench.send(path(1), &forged).expect_err("forged");
        bench.answer();
    }
    assert_eq!(bench.agent.state(), IceState::Failed);
}

#[test]
fn a_peer_that_never_comes_fails_only_once_it_is_expected() {
    let mut bench = Bench::new();
    assert_eq!(bench.agent.poll_timeout(), None, "nobody waits before connect");
    bench.advance(seconds(100));
    assert_eq!(bench.agent.state(), IceState::New);
    bench.agent.expect_checks(bench.now);
    bench.advance(seconds(129));
    assert_eq!(bench.agent.state(), IceState::New);
    bench.advance(seconds(130));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Failed)]);
}

#[test]
fn a_path_unused_for_the_consent_time_is_forgotten_and_another_takes_its_place() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    for second in 1..31 {
        bench.advance(seconds(second));
        bench.send(path(2), &CheckOf::with(&server)).expect("valid");
        bench.answer();
    }
    bench.advance(seconds(31));
    assert!(!bench.agent.is_proven(path(1)));
    assert_eq!(bench.agent.selected(), Some(path(2)));
    assert_eq!(bench.agent.state(), IceState::Completed);
}

#[test]
fn a_closed_connection_is_forgotten_at_once() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    bench.send(path(2), &CheckOf::nominating(&server)).expect("valid");
    bench.events();
    bench.agent.forget(path(2));
    assert_eq!(bench.events(), [IceEvent::Selected(path(1))]);
    assert_eq!(
        bench.answer().map(|(tuple, _)| tuple),
        Some(path(1)),
        "its answer is not sent any more"
    );
    assert!(bench.answer().is_none());
    bench.agent.forget(path(1));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Disconnected)]);
    assert_eq!(bench.agent.selected(), None);
    bench.advance(seconds(30));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Failed)]);
}

#[test]
fn after_a_restart_both_credentials_work_until_the_new_ones_nominate() {
    let (old, new) = (credentials("server"), credentials("fresh"));
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&old)).expect("valid");
    bench.agent.restart(new.clone());
    assert!(bench.agent.owns_ufrag(&old.ufrag) && bench.agent.owns_ufrag(&new.ufrag));
    bench.answer();

    assert_eq!(bench.send(path(1), &CheckOf::nominating(&old)), Ok(Check::Valid));
    let (_, bytes) = bench.answer().expect("an answer");
    let answer = Message::parse(&bytes).expect("valid");
    assert!(
        answer.verify_integrity(&IntegrityKey::new(&old.pwd)),
        "answered under the password used"
    );

    assert_eq!(bench.send(path(2), &CheckOf::with(&new)), Ok(Check::Valid));
    assert_eq!(bench.agent.selected(), Some(path(1)));
    let mixed = CheckOf {
        pwd: Some(old.pwd.clone()),
        ..CheckOf::with(&new)
    };
    assert_eq!(bench.send(path(2), &mixed), Err(DropReason::StunIntegrity));

    assert_eq!(bench.send(path(2), &CheckOf::nominating(&new)), Ok(Check::Valid));
    assert_eq!(bench.agent.selected(), Some(path(2)));
    assert!(!bench.agent.owns_ufrag(&old.ufrag));
    assert!(!bench.agent.is_proven(path(1)), "a path of the old generation");
    assert_eq!(
        bench.send(path(1), &CheckOf::nominating(&old)),
        Err(DropReason::StunIntegrity)
    );
}

#[test]
fn a_second_restart_keeps_the_credentials_in_use() {
    let (used, skipped, new) = (
        credentials("server"),
        credentials("skipped"),
        credentials("fresh"),
    );
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&used)).expect("valid");
    bench.agent.restart(skipped.clone());
    bench.agent.restart(new.clone());
    assert!(bench.agent.owns_ufrag(&used.ufrag) && bench.agent.owns_ufrag(&new.ufrag));
    assert!(!bench.agent.owns_ufrag(&skipped.ufrag));
    bench.send(path(1), &CheckOf::nominating(&new)).expect("valid");
    assert!(!bench.agent.owns_ufrag(&used.ufrag));
    assert_eq!(bench.agent.selected(), Some(path(1)));
}

#[test]
fn a_closed_agent_is_silent() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    bench.agent.close();
    assert!(bench.answer().is_none());
    assert_eq!(
        bench.send(path(1), &CheckOf::with(&server)),
        Err(DropReason::Closed)
    );
    bench.advance(seconds(100));
    assert_eq!(bench.agent.state(), IceState::Closed);
    assert_eq!(bench.agent.poll_timeout(), None);
}

#[test]
fn the_worker_finds_the_link_by_the_fragment_a_check_names() {
    let bytes = CheckOf::with(&credentials("server")).bytes();
    assert_eq!(stun_username_local_ufrag(&bytes), Some("serverufrag"));
}
