//! The way into a worker's thread: an ordered queue and a wake-up.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use mio::Waker;
use sfu::PeerId;
use sfu::command::{Command, Reply};
use sfu::spec::WorkerAddresses;

use super::latency::ForwardLatency;
use super::load::{Board, IoCounters, WorkerLoad};
use super::pipes::{self, PipeEnd};

/// Called on the worker's thread with the answer to a command.
pub(super) type ReplyTo = Box<dyn FnOnce(Reply) + Send>;

/// The worker's thread has ended, by [`WorkerHandle::stop`] or by a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the media worker is gone")]
pub struct WorkerGone;

/// What can be put into a mailbox.
pub(super) enum Message {
    Call {
        command: Command,
        reply: ReplyTo,
    },
    /// There are lanes to another worker from now on.
    Link(Box<PipeEnd>),
    /// Another worker is gone.
    Unlink(PeerId),
    Stop,
    Panic,
}

/// What a look into the mailbox finds.
pub(super) enum Next {
    Message(Message),
    Empty,
    /// Every handle is gone, so nobody can want anything any more.
    Abandoned,
}

/// The thread's end of the mailbox.
pub(super) struct Mailbox {
    messages: Receiver<Message>,
    notified: Arc<AtomicBool>,
    /// Kept open by both ends: a wake-up is lost when its eventfd closes before the thread has seen it.
    _waker: Arc<Waker>,
}

impl Mailbox {
    /// A mailbox and the end that fills it.
    pub(super) fn new(waker: Waker) -> (Self, Postbox) {
        let (sender, messages) = crossbeam_channel::unbounded();
        let notified = Arc::new(AtomicBool::new(false));
        let waker = Arc::new(waker);
        let bell = Bell {
            waker: Arc::clone(&waker),
            notified: Arc::clone(&notified),
        };
        let postbox = Postbox { sender, bell };
        (
            Self {
                messages,
                notified,
                _waker: waker,
            },
            postbox,
        )
    }

    /// To be called before messages are taken: whatever is posted from now on wakes the thread again.
    pub(super) fn rearm(&self) {
        self.notified.store(false, Ordering::SeqCst);
    }

    pub(super) fn next(&self) -> Next {
        match self.messages.try_recv() {
            Ok(message) => Next::Message(message),
            Err(TryRecvError::Empty) => Next::Empty,
            Err(TryRecvError::Disconnected) => Next::Abandoned,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// Wakes a worker's thread.
#[derive(Clone)]
pub(super) struct Bell {
    waker: Arc<Waker>,
    notified: Arc<AtomicBool>,
}

impl Bell {
    /// To be called after something was put where the thread looks. One wake-up per look is enough; it costs a system
    /// call.
    pub(super) fn ring(&self) {
        if !self.notified.swap(true, Ordering::SeqCst) {
            // Cannot fail while the eventfd is open, and this end holds it open.
            let _ = self.waker.wake();
        }
    }
}

/// The other end of a mailbox.
pub(super) struct Postbox {
    sender: Sender<Message>,
    bell: Bell,
}

impl Postbox {
    pub(super) fn post(&self, message: Message) -> Result<(), WorkerGone> {
        self.sender.send(message).map_err(|_| WorkerGone)?;
        self.bell.ring();
        Ok(())
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

/// A worker's thread as the control plane sees it. Clones speak to the same thread; when the last one is dropped the
/// thread ends.
#[derive(Clone)]
pub struct WorkerHandle {
    shared: Arc<Shared>,
}

struct Shared {
    postbox: Postbox,
    board: Arc<Board>,
    addresses: WorkerAddresses,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl WorkerHandle {
    pub(super) fn new(
        postbox: Postbox,
        board: Arc<Board>,
        addresses: WorkerAddresses,
        thread: JoinHandle<()>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                postbox,
                board,
                addresses,
                thread: Mutex::new(Some(thread)),
            }),
        }
    }

    /// Hands a command to the worker; commands are carried out in the order they were handed over. `reply` is called
    /// once, on the worker's thread, so it must not block; if the worker goes before the command's turn, `reply` is
    /// dropped uncalled.
    ///
    /// # Errors
    /// When the thread has ended.
    pub fn call(&self, command: Command, reply: Box<dyn FnOnce(Reply) + Send>) -> Result<(), WorkerGone> {
        self.shared.postbox.post(Message::Call { command, reply })
    }

    /// Hands a command to the worker and waits for the answer. For tools and tests; async code uses [`Self::call`].
    ///
    /// # Errors
    /// When the thread has ended, or ends before the command's turn.
    pub fn call_and_wait(&self, command: Command) -> Result<Reply, WorkerGone> {
        let (answer, answered) = crossbeam_channel::bounded(1);
        let reply = Box::new(move |reply| {
            // The receiver waits below for exactly this.
            let _ = answer.send(reply);
        });
        self.call(command, reply)?;
        answered.recv().map_err(|_| WorkerGone)
    }

    /// Opens lanes between this worker, to be known as `own`, and another one. Commands handed over to either from now
    /// on may open pipes between them.
    ///
    /// # Errors
    /// When one of the threads has ended; the other then has no lanes.
    pub fn link(&self, own: PeerId, (other, name): (&Self, PeerId)) -> Result<(), WorkerGone> {
        let bell = |handle: &Self| handle.shared.postbox.bell();
        let (near, far) = pipes::ends((own, bell(self)), (name, bell(other)));
        self.shared.postbox.post(Message::Link(Box::new(near)))?;
        let linked = other.shared.postbox.post(Message::Link(Box::new(far)));
        linked.inspect_err(|WorkerGone| self.unlink(name))
    }

    /// Tells the worker that another one is gone: it forgets all that came from there and went there.
    pub fn unlink(&self, peer: PeerId) {
        // Who is gone too has forgotten everything.
        let _ = self.shared.postbox.post(Message::Unlink(peer));
    }

    /// How busy the worker was since the last reading at least a second ago.
    pub fn load(&self) -> WorkerLoad {
        self.shared
            .board
            .load(Instant::now(), self.shared.postbox.sender.len())
    }

    /// What the worker's sockets have counted.
    pub fn io_counters(&self) -> IoCounters {
        self.shared.board.counters()
    }

    /// How long packets stayed in the worker since its start.
    pub fn forward_latency(&self) -> ForwardLatency {
        self.shared.board.latency()
    }

    /// Where the worker's sockets are bound.
    pub fn addresses(&self) -> WorkerAddresses {
        self.shared.addresses
    }

    /// Ends the thread and waits until it has dropped everything it held. Commands handed over before are carried
    /// out first. On the worker's own thread (in a callback) it only asks for the end.
    pub fn stop(&self) {
        // Gone already is as good.
        let _ = self.shared.postbox.post(Message::Stop);
        let mut thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread
            .as_ref()
            .is_some_and(|thread| thread.thread().id() == std::thread::current().id())
        {
            return;
        }
        if let Some(thread) = thread.take() {
            // Panics are confined and reported inside the thread.
            let _ = thread.join();
        }
    }

    /// Makes the worker's thread panic as a bug in it would.
    #[doc(hidden)]
    pub fn panic_for_test(&self) -> Result<(), WorkerGone> {
        self.shared.postbox.post(Message::Panic)
    }
}

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WorkerHandle").finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is left to ask for anything. Not joined: the last handle may be dropped by a callback.
        let _ = self.postbox.post(Message::Stop);
    }
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll, Token};

    use super::*;

    fn post(postbox: &Postbox, command: Command) {
        postbox
            .post(Message::Call {
                command,
                reply: Box::new(|_| {}),
            })
            .expect("open");
    }

    fn wakes(poll: &mut Poll) -> usize {
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(std::time::Duration::ZERO))
            .expect("polls");
        events.iter().count()
    }

    #[test]
    fn messages_keep_their_order_and_share_a_wake_up() {
        let mut poll = Poll::new().expect("polls");
        let (mailbox, postbox) = Mailbox::new(Waker::new(poll.registry(), Token(0)).expect("wakes"));
        post(&postbox, Command::CreateRouter);
        post(&postbox, Command::Stats);
        postbox.post(Message::Stop).expect("open");
        assert_eq!(wakes(&mut poll), 1);
        assert_eq!(wakes(&mut poll), 0, "not woken again before a look");
        mailbox.rearm();
        assert!(matches!(
            mailbox.next(),
            Next::Message(Message::Call {
                command: Command::CreateRouter,
                ..
            })
        ));
        post(&postbox, Command::Stats);
        assert_eq!(wakes(&mut poll), 1, "posted after the look began");
        assert!(matches!(
            mailbox.next(),
            Next::Message(Message::Call {
                command: Command::Stats,
                ..
            })
        ));
        assert!(matches!(mailbox.next(), Next::Message(Message::Stop)));
        assert!(matches!(mailbox.next(), Next::Message(Message::Call { .. })));
        assert!(mailbox.is_empty() && matches!(mailbox.next(), Next::Empty));
        drop(postbox);
        assert!(matches!(mailbox.next(), Next::Abandoned));
    }

    #[test]
    fn a_mailbox_that_goes_away_drops_what_it_held() {
        let poll = Poll::new().expect("polls");
        let (mailbox, postbox) = Mailbox::new(Waker::new(poll.registry(), Token(0)).expect("wakes"));
        let (held, dropped) = crossbeam_channel::bounded::<()>(0);
        let reply = Box::new(move |_| drop(held));
        postbox
            .post(Message::Call {
                command: Command::Stats,
                reply,
            })
            .expect("open");
        drop(mailbox);
        assert!(
            dropped.try_recv().is_err_and(|error| error.is_disconnected()),
            "the caller sees it at once"
        );
        assert_eq!(postbox.post(Message::Stop), Err(WorkerGone));
    }
}
