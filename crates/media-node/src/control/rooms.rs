//! All rooms of the node: created, found, destroyed, counted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signalling::client_node::CreateRoomResponse;
use signalling::error::ErrorBody;
use signalling::gateway_node::RoomEnd;
use signalling::{CallId, ErrorCode, ParticipantId};
use tokio::sync::Notify;

use super::Context;
use super::admission::Admission;
use super::presence::Change;
use super::room::{Mailbox, Room, Work};

/// Rooms on standby per room that may carry media: they cost a router and some idle transports each, so the bound only
/// keeps a gateway that went wrong from filling the memory.
const STANDBY_PER_ROOM: usize = 20;

/// Whether a room takes one of the node's places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may carry media and is counted.
    Counted,
    /// It is being proven while its call is direct, and carries nothing.
    Standby,
    /// As [`Self::Standby`], but media flowed in it before and may go on: unlike a room that never carried any it is
    /// refused only where all places are taken.
    Resting,
}

struct Entry {
    mailbox: Mailbox,
    standing: Standing,
}

/// Which rooms there are, and how many people are in them.
#[derive(Default)]
pub(crate) struct Registry {
    rooms: Mutex<HashMap<CallId, Entry>>,
    participants: AtomicUsize,
    draining: AtomicBool,
    /// Told whenever a room is gone.
    room_gone: Notify,
}

impl Registry {
    /// Forgets a room that ended, with those who were still in it.
    pub(super) fn forget(&self, call: &CallId, mailbox: &Mailbox, participants: usize) {
        let mut rooms = self.rooms();
        if rooms
            .get(call)
            .is_some_and(|known| known.mailbox.same_room(mailbox))
        {
            rooms.remove(call);
        }
        drop(rooms);
        self.participants.fetch_sub(participants, Ordering::Relaxed);
        self.room_gone.notify_waiters();
    }

    /// Counts participants who came or went.
    pub(super) fn count_participants(&self, change: isize) {
        self.participants
            .fetch_add(change.cast_unsigned(), Ordering::Relaxed);
    }

    /// Number of rooms.
    pub(crate) fn len(&self) -> usize {
        self.rooms().len()
    }

    /// Number of rooms that take one of the node's places.
    pub(crate) fn counted(&self) -> usize {
        counted(&self.rooms())
    }

    /// Whether the room is there and takes a place.
    fn is_counted(&self, call: &CallId) -> bool {
        let rooms = self.rooms();
        rooms
            .get(call)
            .is_some_and(|entry| entry.standing == Standing::Counted)
    }

    /// Takes a room's place back, because it carries nothing any more.
    pub(super) fn stand_by(&self, call: &CallId) {
        let mut rooms = self.rooms();
        if let Some(entry) = rooms
            .get_mut(call)
            .filter(|entry| entry.standing == Standing::Counted)
        {
            entry.standing = Standing::Resting;
        }
    }

    /// Number of participants in all rooms.
    pub(crate) fn participants(&self) -> usize {
        self.participants.load(Ordering::Relaxed)
    }

    /// Refuses new rooms from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Takes rooms again.
    pub(crate) fn end_drain(&self) {
        self.draining.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Waits until the last room is gone.
    pub(crate) async fn empty(&self) {
        loop {
            let gone = self.room_gone.notified();
            tokio::pin!(gone);
            // Listens before it looks, so that no farewell falls in between.
            gone.as_mut().enable();
            if self.rooms().is_empty() {
                return;
            }
            gone.await;
        }
    }

    fn find(&self, call: &CallId) -> Option<Mailbox> {
        self.rooms().get(call).map(|entry| entry.mailbox.clone())
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<CallId, Entry>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counted(rooms: &HashMap<CallId, Entry>) -> usize {
    rooms
        .values()
        .filter(|entry| entry.standing == Standing::Counted)
        .count()
}

impl Context {
    /// Gives a room one of the node's places because media is about to flow in it; a room that has one keeps it.
    pub(super) fn claim_place(&self, call: &CallId) -> Result<(), ErrorBody> {
        let mut rooms = self.registry.rooms();
        let Some(standing) = rooms.get(call).map(|entry| entry.standing) else {
            return Err(ErrorBody::new(ErrorCode::RoomNotFound).about("callId", call));
        };
        match standing {
            Standing::Counted => return Ok(()),
            Standing::Standby => self.admit(&rooms, Standing::Counted)?,
            Standing::Resting => self.find_place(&rooms)?,
        }
        if let Some(entry) = rooms.get_mut(call) {
            entry.standing = Standing::Counted;
        }
        Ok(())
    }

    /// Whether one more room of this standing is taken now.
    fn admit(&self, rooms: &HashMap<CallId, Entry>, standing: Standing) -> Result<(), ErrorBody> {
        if self.registry.is_draining() {
            return refused("The server is about to stop and takes no more rooms");
        }
        match standing {
            Standing::Counted => self.find_place(rooms)?,
            Standing::Standby | Standing::Resting => {
                let most = self.capacity.rooms.saturating_mul(1 + STANDBY_PER_ROOM);
                if rooms.len() >= most {
                    return refused(FULL);
                }
            }
        }
        if self.admission.level() >= Admission::Closed {
            return refused("The server is overloaded and takes no more rooms");
        }
        Ok(())
    }

    fn find_place(&self, rooms: &HashMap<CallId, Entry>) -> Result<(), ErrorBody> {
        if counted(rooms) >= self.capacity.rooms {
            return refused(FULL);
        }
        Ok(())
    }
}

const FULL: &str = "The server has as many rooms as it may";

fn refused(message: &str) -> Result<(), ErrorBody> {
    Err(ErrorBody::with_message(ErrorCode::ServerAtCapacity, message))
}

/// The rooms of a node.
#[derive(Clone)]
pub(crate) struct Rooms(pub(crate) Arc<Context>);

impl Rooms {
    /// Creates a room. Once begun this is carried through, whether or not anybody still waits for it: a request whose
    /// connection goes away is dropped where it waits, and would leave a place taken by a room that never opened.
    pub(crate) async fn create(
        &self,
        call: CallId,
        standing: Standing,
    ) -> Result<CreateRoomResponse, ErrorBody> {
        let (mailbox, jobs) = Mailbox::new(call.clone());
        self.reserve(&call, &mailbox, standing)?;
        let context = Arc::clone(&self.0);
        let opening = tokio::spawn(async move {
            let opened = Room::open(
                call.clone(),
                Arc::clone(&context),
                (mailbox.clone(), jobs),
                standing,
            )
            .await;
            if opened.is_err() {
                context.registry.forget(&call, &mailbox, 0);
            }
            opened
        });
        opening
            .await
            .unwrap_or_else(|_| Err(ErrorBody::new(ErrorCode::InternalServerError)))
    }

    /// Takes the room's place, so that a second request for it at the same time is told that it exists. Asked for as one
    /// that is counted, a room that stands by is told so only if it has a place from then on.
    fn reserve(&self, call: &CallId, mailbox: &Mailbox, standing: Standing) -> Result<(), ErrorBody> {
        let context = &self.0;
        let mut rooms = context.registry.rooms();
        if let Some(present) = rooms.get(call).map(|entry| entry.standing) {
            if standing == Standing::Counted && present != Standing::Counted {
                context.admit(&rooms, standing)?;
                if let Some(entry) = rooms.get_mut(call) {
                    entry.standing = standing;
                }
            }
            return Err(ErrorBody::new(ErrorCode::RoomAlreadyExists).about("callId", call));
        }
        context.admit(&rooms, standing)?;
        let entry = Entry {
            mailbox: mailbox.clone(),
            standing,
        };
        rooms.insert(call.clone(), entry);
        Ok(())
    }

    /// Has work done by the owner of a room.
    pub(crate) async fn with<T, F>(&self, call: &CallId, job: F) -> Result<T, ErrorBody>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Room) -> Work<'a, T> + Send + 'static,
    {
        let missing = || ErrorBody::new(ErrorCode::RoomNotFound).about("callId", call);
        let room = self.0.registry.find(call).ok_or_else(missing)?;
        room.ask(job).await.map_err(|_| missing())
    }

    /// As [`Self::with`], for work that may fail itself.
    pub(crate) async fn try_with<T, F>(&self, call: &CallId, job: F) -> Result<T, ErrorBody>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Room) -> Work<'a, Result<T, ErrorBody>> + Send + 'static,
    {
        self.with(call, job).await?
    }

    /// Destroys a room.
    pub(crate) async fn destroy(&self, call: &CallId, end: RoomEnd) -> Result<(), ErrorBody> {
        self.with(call, move |room| Box::pin(async move { room.finish(end) }))
            .await
    }

    /// Destroys all rooms; used when a drain's grace is over.
    pub(crate) fn destroy_all(&self, end: RoomEnd) {
        for room in self.mailboxes() {
            // Gone already is as good.
            let _ = room.post(move |room| Box::pin(async move { room.finish(end) }));
        }
    }

    /// Destroys the rooms that take no place, because they carry nothing; used when a drain begins.
    pub(crate) fn destroy_waiting(&self, end: RoomEnd) {
        for mailbox in self.mailboxes() {
            let context = Arc::clone(&self.0);
            let call = mailbox.call().clone();
            // Looked at when the room's turn comes: what was asked of it before may have given it a place.
            let _ = mailbox.post(move |room| {
                Box::pin(async move {
                    if !context.registry.is_counted(&call) {
                        room.finish(end);
                    }
                })
            });
        }
    }

    fn mailboxes(&self) -> Vec<Mailbox> {
        let rooms = self.0.registry.rooms();
        rooms.values().map(|entry| entry.mailbox.clone()).collect()
    }

    /// Tells a room, if there is one, that a participant's presence changed.
    pub(crate) fn presence_changed(&self, call: &CallId, participant: &ParticipantId, change: Change) {
        let Some(room) = self.0.registry.find(call) else {
            return;
        };
        let participant = participant.clone();
        let _ = room.post(move |room| Box::pin(async move { room.presence_changed(&participant, change) }));
    }
}
