//! Ending well: no new rooms, the present ones in peace until they end or the grace period does (contract §1.9).
//!
//! An operator may also have a node only hold: no new rooms, and nothing ends, until it is resumed or stopped.

use std::time::Duration;

use signalling::gateway_node::RoomEnd;
use tokio_util::sync::CancellationToken;

use crate::control::rooms::Rooms;

/// A node's way out. Clones are the same drain.
#[derive(Clone)]
pub struct Drain {
    rooms: Rooms,
    grace: Duration,
    begun: CancellationToken,
    done: CancellationToken,
}

/// The node is about to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is about to stop")]
pub struct Ending;

impl Drain {
    pub(crate) fn new(rooms: Rooms, grace: Duration) -> Self {
        Self {
            rooms,
            grace,
            begun: CancellationToken::new(),
            done: CancellationToken::new(),
        }
    }

    /// Refuses new rooms from now on, ends those that only stand by and, after the grace period, those that are left. Must
    /// be called within a tokio runtime; a second call changes nothing.
    pub fn begin(&self) {
        if self.begun.is_cancelled() {
            return;
        }
        self.begun.cancel();
        self.rooms.0.registry.drain();
        tracing::info!(rooms = self.rooms.0.registry.len(), grace = ?self.grace, "draining");
        // Their calls are direct and do not notice; a gateway opens others for them elsewhere.
        self.rooms.destroy_waiting(RoomEnd::Shutdown);
        let drain = self.clone();
        tokio::spawn(async move {
            let empty = drain.rooms.0.registry.empty();
            if tokio::time::timeout(drain.grace, empty).await.is_err() {
                tracing::warn!(rooms = drain.rooms.0.registry.len(), "grace period is over");
                drain.force();
                drain.rooms.0.registry.empty().await;
            }
            tracing::info!("drained");
            drain.done.cancel();
        });
    }

    /// Refuses new rooms until [`Self::resume`]; the node goes on running, and so do its rooms.
    pub fn hold(&self) {
        if !self.rooms.0.registry.is_draining() {
            tracing::info!(rooms = self.rooms.0.registry.len(), "takes no more rooms");
        }
        self.rooms.0.registry.drain();
    }

    /// Takes rooms again.
    ///
    /// # Errors
    /// If the node is about to end.
    pub fn resume(&self) -> Result<(), Ending> {
        let registry = &self.rooms.0.registry;
        registry.end_drain();
        // Looked at last: an end that begins at the same time is not undone.
        if self.begun.is_cancelled() {
            registry.drain();
            return Err(Ending);
        }
        tracing::info!("takes rooms again");
        Ok(())
    }

    /// Rooms that take one of the node's places.
    pub fn rooms_taken(&self) -> usize {
        self.rooms.0.registry.counted()
    }

    /// Ends all rooms now.
    pub fn force(&self) {
        self.rooms.destroy_all(RoomEnd::Shutdown);
    }

    /// Waits until a drain has begun.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Waits until a drain that was begun is over.
    pub async fn finished(&self) {
        self.done.cancelled().await;
    }

    /// Rooms that are still there.
    pub fn rooms_left(&self) -> usize {
        self.rooms.0.registry.len()
    }
}
