//! An engine for tests of the loop: it echoes, notes what it is told, and can be made to misbehave.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use link::FiveTuple;
use sfu::command::{Command, CommandError, Reply};
use sfu::event::Event;
use sfu::key::RouterKey;
use sfu::{Transmit, TransmitClass};

use super::Engine;

/// What the engine was told.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::worker) enum Note {
    Datagram(FiveTuple, Vec<u8>),
    Closed(FiveTuple),
    Command,
    Timeout,
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

/// A datagram `[b'c' | b'a' | b'v', count, ...]` is echoed `count` times as control, audio or video; `b"boom"`
/// panics; others are only noted. `CreateRouter` answers a key, `CloseRouter` answers done and emits an event, and
/// `Stats` takes 100 microseconds.
pub(in crate::worker) struct Fake {
    notes: Sender<Note>,
    deadlines: Deadlines,
    out: Vec<(FiveTuple, TransmitClass, Vec<u8>)>,
    events: VecDeque<Event>,
}

impl Fake {
    pub(in crate::worker) fn new(notes: Sender<Note>, deadlines: Deadlines) -> Self {
        Self {
            notes,
            deadlines,
            out: Vec::new(),
            events: VecDeque::new(),
        }
    }

    fn note(&self, note: Note) {
        // A test that has seen enough may be gone.
        let _ = self.notes.send(note);
    }
}

impl Engine for Fake {
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
            [b'a', ..] => TransmitClass::Audio,
            [b'v', ..] => TransmitClass::Video,
            _ => return,
        };
        for _ in 0..datagram.get(1).copied().unwrap_or(0) {
            self.out.push((tuple, class, datagram.to_vec()));
        }
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
        self.out.clear();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.note(Note::Dropped);
    }
}
