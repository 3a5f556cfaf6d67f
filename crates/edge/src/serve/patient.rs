//! Whoever asks must also take the answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client may take nothing of what it is sent. A telephone that changes networks is back within that time;
/// who reads nothing keeps memory and a connection for nothing.
pub(super) const WRITE: Duration = Duration::from_secs(30);

/// A connection that fails when its other end takes nothing for [`WRITE`].
pub(super) struct Patient<I> {
    io: I,
    upgraded: Upgraded,
    /// Until when the present write is waited for; nothing if none is.
    waits: Option<Pin<Box<Sleep>>>,
}

/// Whether a connection is no longer HTTP: a WebSocket finds out by itself whether anybody is there. Clones are the
/// same.
#[derive(Clone, Debug, Default)]
pub(super) struct Upgraded(Arc<AtomicBool>);

impl Upgraded {
    /// From now on.
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<I> Patient<I> {
    pub(super) fn new(io: I, upgraded: Upgraded) -> Self {
        Self {
            io,
            upgraded,
            waits: None,
        }
    }

    /// What came of a write, unless it has been waited for too long.
    fn unless_late<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() || self.upgraded.0.load(Ordering::Relaxed) {
            self.waits = None;
            return outcome;
        }
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(WRITE)));
        waits
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Patient<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Patient<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(context, bytes);
        self.unless_late(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(context, slices);
        self.unless_late(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(context);
        self.unless_late(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_shutdown(context);
        self.unless_late(context, outcome)
    }
}
