//! Reads what operators stored anew, so that every gateway over one database soon does the same (contract §8.9).

use std::time::Duration;

use store::{StoreError, StoredFlags};
use tokio::time::{Interval, MissedTickBehavior};

use super::{Flags, Stored};

/// Whether anything is different from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Something is.
    Yes,
    /// All is as it was.
    No,
}

/// Reads what is stored, once. Whoever reads at the same time waits: what was read last is what holds.
///
/// # Errors
/// If the store does not tell; the flags stay as they were.
pub async fn refresh<S: StoredFlags + ?Sized>(flags: &Flags, store: &S) -> Result<Changed, StoreError> {
    let _turn = flags.reading.lock().await;
    let rows = store.stored_flags().await?;
    let (stored, unreadable) = Stored::read(&rows);
    let changed = flags.outweigh(stored);
    if changed == Changed::Yes {
        for name in unreadable {
            tracing::warn!(name, "a stored flag cannot be read: its setting holds");
        }
    }
    Ok(changed)
}

/// Reads what is stored every so often. Without the store the flags stay as they are.
#[derive(Debug)]
pub struct Follower {
    ticks: Interval,
    /// Whether the last look failed: that is worth one line in the log, not one for each look.
    failing: bool,
}

impl Follower {
    /// Looks at once, and then every so often.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            failing: false,
        }
    }

    /// Waits until a look has found something different from before.
    pub async fn changed<S: StoredFlags + ?Sized>(&mut self, flags: &Flags, store: &S) {
        loop {
            self.ticks.tick().await;
            match refresh(flags, store).await {
                Ok(changed) => {
                    self.failing = false;
                    if changed == Changed::Yes {
                        tracing::info!("flags have changed");
                        return;
                    }
                }
                Err(error) if !self.failing => {
                    self.failing = true;
                    tracing::warn!(%error, "stored flags cannot be read: they stay as they are");
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use signalling::Timestamp;
    use store::{FlagChanges, MemoryStore};
    use tokio::sync::Notify;

    use super::*;
    use crate::flags::Flag;

    /// The longest a gateway may wait between two looks (`FLAGS_POLL_SECS`).
    const SLOWEST: Duration = Duration::from_secs(5);

    async fn store_sfu(store: &MemoryStore, value: Option<&str>) {
        let changes = FlagChanges::from([("sfu".to_owned(), value.map(str::to_owned))]);
        let changed = store.change_flags(&changes, Timestamp::from_unix_millis(0)).await;
        changed.expect("memory does not fail");
    }

    #[tokio::test(start_paused = true)]
    async fn two_gateways_over_one_store_do_the_same_within_five_seconds() {
        let store = MemoryStore::default();
        let flags = [Flags::default(), Flags::default()];
        let applied = [Cell::new(0), Cell::new(0)];
        let gateway = async |index: usize, every| {
            let mut follower = Follower::new(every);
            loop {
                follower.changed(&flags[index], &store).await;
                applied[index].set(applied[index].get() + 1);
            }
        };
        let operator = async {
            for (value, on, times) in [
                (Some("false"), false, 1),
                (Some("true"), true, 2),
                (None, true, 3),
            ] {
                store_sfu(&store, value).await;
                tokio::time::sleep(SLOWEST + Duration::from_millis(1)).await;
                for (flags, applied) in flags.iter().zip(&applied) {
                    assert_eq!((flags.is_on(Flag::Sfu), applied.get()), (on, times), "{value:?}");
                }
            }
        };
        tokio::select! {
            _ = gateway(0, Duration::from_secs(2)) => unreachable!("it goes on for ever"),
            _ = gateway(1, SLOWEST) => unreachable!("it goes on for ever"),
            () = operator => {}
        }
    }

    /// A store whose first answer is long on its way.
    #[derive(Default)]
    struct Slow {
        store: MemoryStore,
        asked: AtomicBool,
        read: Notify,
        arrives: Notify,
    }

    #[async_trait]
    impl StoredFlags for Slow {
        async fn stored_flags(&self) -> Result<BTreeMap<String, String>, StoreError> {
            let rows = self.store.stored_flags().await;
            if !self.asked.swap(true, Ordering::Relaxed) {
                self.read.notify_one();
                self.arrives.notified().await;
            }
            rows
        }

        async fn change_flags(&self, changes: &FlagChanges, now: Timestamp) -> Result<(), StoreError> {
            self.store.change_flags(changes, now).await
        }
    }

    #[tokio::test]
    async fn a_look_from_before_a_change_does_not_undo_it() {
        let (slow, flags) = (Slow::default(), Flags::default());
        let look = async || refresh(&flags, &slow).await.expect("memory does not fail");
        let operator = async {
            slow.read.notified().await;
            store_sfu(&slow.store, Some("false")).await;
            // The change is looked at while the earlier look is not over yet.
            tokio::join!(look(), async { slow.arrives.notify_one() })
        };
        let (earlier, (own, ())) = tokio::join!(look(), operator);
        assert_eq!((earlier, own), (Changed::No, Changed::Yes));
        assert!(!flags.is_on(Flag::Sfu));
    }

    #[tokio::test]
    async fn one_look_tells_whether_anything_is_different() {
        let (store, flags) = (MemoryStore::default(), Flags::default());
        let look = async || refresh(&flags, &store).await.expect("memory does not fail");
        assert_eq!(look().await, Changed::No);
        store_sfu(&store, Some("false")).await;
        assert_eq!(look().await, Changed::Yes);
        assert_eq!(look().await, Changed::No);
        store_sfu(&store, Some("neither")).await;
        assert_eq!(look().await, Changed::Yes, "it is on again, as set");
        assert!(flags.is_on(Flag::Sfu));
    }
}
