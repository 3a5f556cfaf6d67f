//! A cluster of one.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use call::NodeId;
use signalling::CallId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Cluster, Held, Lease, Lock, Message};

/// Serves one gateway, in its own memory.
#[derive(Debug, Default)]
pub struct InProcess {
    state: Mutex<State>,
    released: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Who holds what, and until when.
    leases: HashMap<Lock, (u64, Instant)>,
    fencing: u64,
    places: HashMap<CallId, NodeId>,
}

impl InProcess {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock if it is free, else tells when it will be at the latest.
    fn attempt(&self, lock: Lock, lifetime: Duration) -> Result<Lease, Instant> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some((_, until)) = state.leases.get(&lock)
            && *until > now
        {
            return Err(*until);
        }
        state.fencing += 1;
        let fencing = state.fencing;
        state.leases.insert(lock, (fencing, now + lifetime));
        Ok(Lease { lock, fencing })
    }
}

#[async_trait]
impl Cluster for InProcess {
    async fn lease(&self, lock: Lock, lifetime: Duration, patience: Duration) -> Result<Lease, Held> {
        let deadline = Instant::now() + patience;
        loop {
            // Registered before the attempt: a release right after it is not missed.
            let released = self.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            let free_at = match self.attempt(lock, lifetime) {
                Ok(lease) => return Ok(lease),
                Err(free_at) => free_at.min(deadline),
            };
            tokio::select! {
                () = released => {}
                () = tokio::time::sleep_until(free_at) => {
                    if free_at >= deadline {
                        return self.attempt(lock, lifetime).map_err(|_| Held);
                    }
                }
            }
        }
    }

    async fn release(&self, lease: Lease) {
        let mut state = self.state();
        let current = state.leases.get(&lease.lock);
        if current.is_some_and(|(fencing, _)| *fencing == lease.fencing) {
            state.leases.remove(&lease.lock);
            self.released.notify_waiters();
        }
    }

    async fn place(&self, call: &CallId, node: &NodeId) {
        self.state().places.insert(call.clone(), node.clone());
    }

    async fn node_of(&self, call: &CallId) -> Option<NodeId> {
        self.state().places.get(call).cloned()
    }

    async fn displace(&self, call: &CallId) {
        self.state().places.remove(call);
    }

    async fn publish(&self, _: Message) {}

    async fn receive(&self) -> Message {
        pending().await
    }
}

#[cfg(test)]
mod tests {
    use signalling::Timestamp;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(5);

    fn lock(number: u64) -> Lock {
        Lock::Conversation(signalling::ConversationId::mint(
            Timestamp::from_unix_millis(0),
            number,
        ))
    }

    #[tokio::test(start_paused = true)]
    async fn one_holds_a_lock_and_the_next_waits_for_its_release() {
        let cluster = InProcess::default();
        let first = cluster
            .lease(lock(1), LIFETIME, Duration::ZERO)
            .await
            .expect("it is free");
        assert_eq!(cluster.lease(lock(1), LIFETIME, Duration::ZERO).await, Err(Held));
        cluster
            .lease(lock(2), LIFETIME, Duration::ZERO)
            .await
            .expect("another lock is free");
        let second = cluster.lease(lock(1), LIFETIME, Duration::from_secs(2));
        let release = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cluster.release(first.clone()).await;
        };
        let (second, ()) = tokio::join!(second, release);
        assert!(second.expect("it was released").fencing > first.fencing);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_over_is_taken_by_the_next_and_cannot_release_it() {
        let cluster = InProcess::default();
        let first = cluster
            .lease(lock(1), LIFETIME, Duration::ZERO)
            .await
            .expect("it is free");
        let second = cluster
            .lease(lock(1), LIFETIME, LIFETIME * 2)
            .await
            .expect("the first is over by then");
        cluster.release(first).await;
        assert_eq!(cluster.lease(lock(1), LIFETIME, Duration::ZERO).await, Err(Held));
        cluster.release(second).await;
        assert!(cluster.lease(lock(1), LIFETIME, Duration::ZERO).await.is_ok());
    }

    #[tokio::test]
    async fn a_call_is_where_it_was_placed_last() {
        let cluster = InProcess::default();
        let call: CallId = "call".parse().expect("an id");
        assert_eq!(cluster.node_of(&call).await, None);
        for node in ["one", "two"] {
            let node = NodeId(node.to_owned());
            cluster.place(&call, &node).await;
            assert_eq!(cluster.node_of(&call).await, Some(node));
        }
        cluster.displace(&call).await;
        assert_eq!(cluster.node_of(&call).await, None);
    }
}
