//! Certificates that change while the server runs.
//!
//! The files are looked at every few seconds, by content, because the tools that renew certificates replace files or
//! links in many ways; SIGHUP makes it at once.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use super::{Contents, Files, Identity, Standing, Tls, TlsError};

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(5);

/// Why the files are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It is time again.
    Interval,
    /// Somebody says that there is something new.
    Asked,
}

/// What was seen in the files.
#[derive(Debug)]
pub enum Seen {
    /// What is used already, or what is known to be wrong.
    Nothing,
    /// Something that cannot be used, but may be half of a change: the next look will tell.
    Half,
    /// A new identity.
    New(Identity),
    /// Something that cannot be used.
    Broken(TlsError),
}

/// Looks at the files and remembers what it saw.
pub struct Watch {
    files: Files,
    /// What was there when last looked at; `None` if something could not be read.
    last: Option<Contents>,
    judged: Judged,
}

/// What was made of what was last there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// It is used, or was complained about.
    Done,
    /// It could not be used, which may be because a change was under way.
    Waiting,
}

impl Watch {
    /// Over these files; what they hold now is what the server uses.
    #[must_use]
    pub fn new(files: Files) -> Self {
        let last = Contents::read(&files).ok();
        Self {
            files,
            last,
            judged: Judged::Done,
        }
    }

    /// Looks once.
    pub fn look(&mut self, occasion: Occasion) -> Seen {
        let read = Contents::read(&self.files);
        let contents = read.as_ref().ok();
        let is_same = contents == self.last.as_ref();
        if is_same && self.judged == Judged::Done && occasion == Occasion::Interval {
            return Seen::Nothing;
        }
        self.last = contents.cloned();
        match read.and_then(|contents| Identity::from_pem(&contents, &self.files)) {
            Ok(_) if is_same && self.judged == Judged::Done => Seen::Nothing,
            Ok(identity) => {
                self.judged = Judged::Done;
                Seen::New(identity)
            }
            // Two files cannot be replaced at once: only what is still so at the next look is wrong.
            Err(_) if !is_same && occasion == Occasion::Interval => {
                self.judged = Judged::Waiting;
                Seen::Half
            }
            Err(error) => {
                self.judged = Judged::Done;
                Seen::Broken(error)
            }
        }
    }
}

/// Keeps a server's identity that of the files, for ever. `asked` says that they changed.
pub async fn keep_fresh(tls: Tls, files: Files, asked: Arc<Notify>) {
    let mut watch = Watch::new(files);
    loop {
        let occasion = tokio::select! {
            () = tokio::time::sleep(INTERVAL) => Occasion::Interval,
            () = asked.notified() => Occasion::Asked,
        };
        // Files may be on a network.
        let looked = tokio::task::spawn_blocking(move || {
            let seen = watch.look(occasion);
            (watch, seen)
        });
        let Ok((same, seen)) = looked.await else { return };
        watch = same;
        act(&tls, seen);
    }
}

fn act(tls: &Tls, seen: Seen) {
    match seen {
        Seen::Nothing | Seen::Half => {}
        Seen::New(identity) => {
            tracing::info!("the TLS certificate was replaced; new connections get the new one");
            warn_of(&identity, SystemTime::now());
            tls.replace(identity);
        }
        Seen::Broken(error) => {
            tracing::error!(%error, "the new TLS certificate cannot be used; the former one stays");
        }
    }
}

/// Says if an identity is not good now or not for long.
pub fn warn_of(identity: &Identity, now: SystemTime) {
    let days = |time: Duration| time.as_secs() / 86_400;
    match identity.validity().at(now) {
        Standing::Good(_) => {}
        Standing::EndsSoon(left) => {
            tracing::warn!(days = days(left), "the TLS certificate ends soon");
        }
        Standing::Ended(past) => {
            tracing::warn!(
                days = days(past),
                "the TLS certificate has ended; browsers will refuse it"
            );
        }
        Standing::NotYet(until) => {
            tracing::warn!(
                days = days(until),
                "the TLS certificate is not good yet; browsers will refuse it"
            );
        }
    }
}
