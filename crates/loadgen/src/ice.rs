//! A controlling ICE agent before a server that is ICE-lite (RFC 8445 §2.5): it checks the server's addresses, takes the
//! first that answers, and keeps the server's consent fresh (RFC 7675).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::stun::{Check, Password, Transaction, Verdict, read_answer};

/// Time to the first retransmission of a check, doubled from then on.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between checks of a path that never answered.
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// How often a working path is checked, as browsers do with a path that is writable.
const CONSENT_PAUSE: Duration = Duration::from_millis(2_500);
/// When a path that answers no more is given up (RFC 7675 §5.1).
const CONSENT_TIMEOUT: Duration = Duration::from_secs(30);
/// Checks whose answers are still waited for.
const OUTSTANDING: usize = 8;
/// A host candidate over UDP (RFC 8445 §5.1.2.1: type 126, local preference 65535, component 1).
const PRIORITY: u32 = 126 << 24 | 65_535 << 8 | 255;

/// Whether media may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// Nobody has answered yet.
    Checking,
    /// This address answered.
    Open(SocketAddr),
    /// It answers no more.
    Lost,
}

/// One transport's agent.
pub(crate) struct Agent {
    username: String,
    password: Password,
    tie_breaker: u64,
    servers: Vec<SocketAddr>,
    outstanding: Vec<(Transaction, SocketAddr)>,
    path: Path,
    pause: Duration,
    next: Instant,
    answered: Instant,
    random: Random,
}

/// Whom to check, and with which credentials.
pub(crate) struct Remote {
    pub(crate) username_fragment: String,
    pub(crate) password: String,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Agent {
    /// An agent that will check `remote` from `now` on.
    pub(crate) fn new(remote: &Remote, now: Instant, mut random: Random) -> Self {
        let own = format!("{:08x}", random.word() as u32);
        Self {
            username: format!("{}:{own}", remote.username_fragment),
            password: Password::new(&remote.password),
            tie_breaker: random.word(),
            servers: remote.addresses.clone(),
            outstanding: Vec::with_capacity(OUTSTANDING),
            path: Path::Checking,
            pause: FIRST_PAUSE,
            next: now,
            answered: now,
            random,
        }
    }

    pub(crate) const fn path(&self) -> Path {
        self.path
    }

    /// When to call [`Self::checks`] again.
    pub(crate) const fn due(&self) -> Instant {
        self.next
    }

    /// Hands the checks that are due to `send`.
    pub(crate) fn checks(&mut self, now: Instant, mut send: impl FnMut(SocketAddr, &[u8])) {
        if now < self.next {
            return;
        }
        match self.path {
            Path::Checking => {
                for server in self.servers.clone() {
                    send(server, &self.check(server));
                }
                self.next = now + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
            Path::Open(_) if now.duration_since(self.answered) > CONSENT_TIMEOUT => {
                self.path = Path::Lost;
                self.next = now + CONSENT_TIMEOUT;
            }
            Path::Open(server) => {
                send(server, &self.check(server));
                // RFC 7675 §5.1: not all at once.
                self.next = now + CONSENT_PAUSE.mul_f64(0.8 + 0.4 * self.random.share());
            }
            Path::Lost => self.next = now + CONSENT_TIMEOUT,
        }
    }

    fn check(&mut self, server: SocketAddr) -> Vec<u8> {
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&self.random.word().to_be_bytes());
        transaction[8..].copy_from_slice(&(self.random.word() as u32).to_be_bytes());
        if self.outstanding.len() == OUTSTANDING {
            self.outstanding.remove(0);
        }
        self.outstanding.push((transaction, server));
        let check = Check {
            transaction,
            username: &self.username,
            priority: PRIORITY,
            tie_breaker: self.tie_breaker,
        };
        check.write(&self.password)
    }

    /// Takes an answer; whether it opened the path.
    pub(crate) fn answer(&mut self, now: Instant, message: &[u8]) -> bool {
        let Some((transaction, verdict)) = read_answer(message, &self.password) else {
            return false;
        };
        let known = |(other, _): &(Transaction, SocketAddr)| *other == transaction;
        let Some(position) = self.outstanding.iter().position(known) else {
            return false;
        };
        let (_, server) = self.outstanding.remove(position);
        if verdict == Verdict::Refused {
            return false;
        }
        self.answered = now;
        if self.path != Path::Checking {
            return false;
        }
        self.path = Path::Open(server);
        self.next = now + CONSENT_PAUSE.mul_f64(self.random.share());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "the server's password";

    fn agent(now: Instant) -> Agent {
        let remote = Remote {
            username_fragment: "srv".to_owned(),
            password: PASSWORD.to_owned(),
            addresses: vec![server(1), server(2)],
        };
        Agent::new(&remote, now, Random::new(7))
    }

    fn server(number: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], number))
    }

    fn sent(agent: &mut Agent, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut sent = Vec::new();
        agent.checks(now, |to, bytes| sent.push((to, bytes.to_vec())));
        sent
    }

    /// The answer of a server that knows the password, made of the check itself: only its type differs.
    fn answer(check: &[u8]) -> Vec<u8> {
        let body = 20 + (check.len() - 20 - 32);
        let mut message = check[..body].to_vec();
        message[..2].copy_from_slice(&[1, 1]);
        crate::stun::seal(&mut message, &Password::new(PASSWORD));
        message
    }

    #[test]
    fn all_addresses_are_checked_until_one_answers() {
        let start = Instant::now();
        let mut agent = agent(start);
        let first = sent(&mut agent, start);
        assert_eq!(
            first.iter().map(|(to, _)| *to).collect::<Vec<_>>(),
            [server(1), server(2)]
        );
        assert!(sent(&mut agent, start).is_empty(), "not before its time");
        assert_eq!(agent.due(), start + FIRST_PAUSE);
        let later = start + FIRST_PAUSE;
        let second = sent(&mut agent, later);
        assert_eq!(second.len(), 2);
        assert_eq!(agent.due(), later + 2 * FIRST_PAUSE);
        assert!(!agent.answer(later, &second[1].1), "our own check is no answer");
        assert!(agent.answer(later, &answer(&second[1].1)));
        assert_eq!(agent.path(), Path::Open(server(2)));
        assert!(!agent.answer(later, &answer(&second[0].1)), "open already");
        assert_eq!(agent.path(), Path::Open(server(2)));
    }

    #[test]
    fn consent_is_kept_and_lost() {
        let start = Instant::now();
        let mut agent = agent(start);
        let checks = sent(&mut agent, start);
        agent.answer(start, &answer(&checks[0].1));
        let mut now = start;
        for _ in 0..10 {
            now = agent.due();
            let checks = sent(&mut agent, now);
            assert_eq!(checks.len(), 1, "only the open path");
            agent.answer(now, &answer(&checks[0].1));
        }
        let answered = now;
        while agent.path() != Path::Lost {
            now = agent.due();
            sent(&mut agent, now);
            assert!(
                now <= answered + CONSENT_TIMEOUT + 2 * CONSENT_PAUSE,
                "given up in time"
            );
        }
        assert!(now > answered + CONSENT_TIMEOUT);
    }
}
