//! An engine for tests of the loop: it echoes, notes what it is told, and can be made to misbehave.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use link::FiveTuple;
use sfu::command::{Command, CommandError, Reply};
use sfu::event::Event;
use sfu::key::RouterKey;
use sfu::{PeerId, PipeBatch, Piped, Transmit, TransmitClass};

use super::Engine;

/// What the engine was told.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::worker) enum Note {
    Datagram(FiveTuple, Vec<u8>),
    Closed(FiveTuple),
    Command,
    Timeout,
    /// Datagrams that answer one beginning with `b'l'` are on their way, after the loop has asked so often for the next
    /// deadline.
    Sent {
        asked: usize,
    },
    /// The engine is gone.
    Dropped,
}

/// What it does when asked for deadlines.
#[derive(Clone, Copy)]
pub(in crate::worker) enum Deadlines {
    Never,
    /// Once, at this time.
    Once(Instant),
    /// Always at this time, even after it was served: a bug the loop must survive.
    Stuck(Instant),
}

/// A datagram `[b'c' | b'a' | b'v', count, ...]` is echoed `count` times as control, audio or video once the burst ends;
/// so is `b'l'`, as audio, and noted when it is sent. `b"boom"` panics; others are only noted. `CreateRouter` answers a key, `CloseRouter` answers done and emits an event, and
/// `Stats` takes 100 microseconds.
pub(in crate::worker) struct Fake {
    notes: Sender<Note>,
    deadlines: Deadlines,
    /// Answers to the burst under way.
    held: Vec<(FiveTuple, TransmitClass, Vec<u8>)>,
    out: Vec<(FiveTuple, TransmitClass, Vec<u8>)>,
    events: VecDeque<Event>,
    /// Calls of `poll_timeout` since the last datagram.
    asked: usize,
}

impl Fake {
    pub(in crate::worker) fn new(notes: Sender<Note>, deadlines: Deadlines) -> Self {
        Self {
            notes,
            deadlines,
            held: Vec::new(),
            out: Vec::new(),
            asked: 0,
            events: VecDeque::new(),
        }
    }

    fn note(&self, note: Note) {
        // A test that has seen enough may be gone.
        let _ = self.notes.send(note);
    }
}

impl Engine for Fake {
    fn for_each_pipe(&mut self, _show: &mut dyn FnMut(PeerId, &mut PipeBatch)) {}

    fn piped_bytes(&self) -> usize {
        0
    }

    fn handle_piped(&mut self, _now: Instant, _from: PeerId, _piped: Piped<'_>) {}

    fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        self.note(Note::Command);
        match command {
            Command::CreateRouter => Reply::Router(RouterKey::default()),
            Command::CloseRouter(router) => {
                self.events.push_back(Event::ActiveSpeaker {
                    router,
                    producer: None,
                    volume: -127,
                });
                Reply::Done
            }
            Command::Stats => {
                while now.elapsed() < Duration::from_micros(100) {}
                Reply::Done
            }
            _ => Reply::Failed(CommandError::UnknownRouter),
        }
    }

    fn handle_datagram(&mut self, _now: Instant, tuple: FiveTuple, datagram: &mut [u8]) {
        assert_ne!(datagram, b"boom", "the engine met its bug");
        self.note(Note::Datagram(tuple, datagram.to_vec()));
        let class = match datagram {
            [b'c', ..] => TransmitClass::Control,
            [b'a' | b'l', ..] => TransmitClass::Audio,
            [b'v', ..] => TransmitClass::Video,
            _ => return,
        };
        for _ in 0..datagram.get(1).copied().unwrap_or(0) {
            self.held.push((tuple, class, datagram.to_vec()));
        }
        self.asked = 0;
    }

    fn end_burst(&mut self) {
        self.out.append(&mut self.held);
    }

    fn handle_stream_closed(&mut self, _now: Instant, tuple: FiveTuple) {
        self.note(Note::Closed(tuple));
    }

    fn handle_timeout(&mut self, _now: Instant) {
        self.note(Note::Timeout);
        if matches!(self.deadlines, Deadlines::Once(_)) {
            self.deadlines = Deadlines::Never;
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.asked += 1;
        match self.deadlines {
            Deadlines::Never => None,
            Deadlines::Once(at) | Deadlines::Stuck(at) => Some(at),
        }
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn pending(&self) -> usize {
        self.out.len()
    }

    fn transmit(&self, index: usize) -> Option<Transmit<'_>> {
        let (tuple, class, bytes) = self.out.get(index)?;
        Some(Transmit {
            tuple: *tuple,
            class: *class,
            bytes,
        })
    }

    fn clear_transmits(&mut self) {
        if self.out.iter().any(|(.., datagram)| datagram.starts_with(b"l")) {
            self.note(Note::Sent { asked: self.asked });
        }
        self.out.clear();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.note(Note::Dropped);
    }
}
