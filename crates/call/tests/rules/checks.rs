//! What must always hold, checked after every step.

use std::collections::BTreeSet;

use call::{Call, Entropy, Measure, Moment, Output, Persist, Recipients, Settings};
use signalling::client_gateway::{Mode, ParticipantStatus, TransitionState};

use signalling::error::ErrorCode;

use crate::world::World;

impl World {
    pub(crate) fn check(&mut self, out: Vec<Output>) {
        let mut committed = None;
        self.released.clear();
        for (index, output) in out.iter().enumerate() {
            let late = matches!(output, Output::Reply { result: Err(error), .. } if error.code == ErrorCode::CallEnded);
            assert!(!self.finished || late, "nothing comes after the end: {output:?}");
            match output {
                Output::Reply { request, result } => {
                    let asked = self.waiting.remove(request);
                    assert!(
                        asked.is_some(),
                        "{request:?} is answered though nobody waits: {result:?}"
                    );
                    let result = result.clone().map_err(|error| error.code);
                    self.answers.insert(*request, result);
                }
                Output::Notify { to, .. } => self.check_recipients(to),
                Output::Measure(Measure::Transition {
                    to, success: true, ..
                }) => committed = Some(*to),
                Output::Persist(persist) => self.write(persist, index),
                Output::Release { socket } => {
                    assert!(self.released.insert(*socket), "{socket:?} was let go already");
                }
                Output::Finished => {
                    assert_eq!(index + 1, out.len(), "the end comes last");
                    self.finished = true;
                }
                Output::Node(_) | Output::Measure(_) => {}
            }
        }
        self.out = out;
        self.check_devices();
        self.check_mode(committed);
        self.check_waits();
        self.check_end();
        self.check_stored();
    }

    /// A device is bound until it is closed or let go, and nobody hears of a call that let them go.
    fn check_devices(&mut self) {
        let seats: BTreeSet<_> = self.call.seats().into_iter().map(|seat| seat.socket).collect();
        assert!(seats.is_subset(&self.open), "a device is bound that is gone");
        for socket in self.bound.difference(&seats) {
            assert!(self.released.contains(socket), "{socket:?} was not let go");
        }
        for socket in &self.released {
            assert!(
                !seats.contains(socket),
                "{socket:?} was let go, but is still bound"
            );
        }
        self.bound = seats;
    }

    fn check_recipients(&self, to: &Recipients) {
        if let Recipients::Seats(seats) = to {
            assert!(!seats.is_empty(), "nobody is told");
            for seat in seats {
                let there = self.open.contains(&seat.socket) && !self.released.contains(&seat.socket);
                assert!(there, "{seat:?} is told but not there");
            }
        }
    }

    fn write(&mut self, persist: &Persist, index: usize) {
        match persist {
            Persist::State { call, participants } => {
                assert_eq!(index, 0, "written down before anybody is told");
                self.call_row = Some((**call).clone());
                for row in participants {
                    match self.rows.iter_mut().find(|each| each.id == row.id) {
                        Some(old) => *old = row.clone(),
                        None => self.rows.push(row.clone()),
                    }
                }
            }
            Persist::Metrics(metrics) => self.metrics = Some((**metrics).clone()),
            Persist::Caption { .. } | Persist::Audit { .. } => {}
        }
    }

    fn check_mode(&mut self, committed: Option<Mode>) {
        let mode = self.mode();
        if mode != self.last_mode && !self.finished {
            let nobody = self.call.seats().is_empty();
            assert!(
                committed == Some(mode) || nobody,
                "the mode changed without a commit"
            );
        }
        self.last_mode = mode;
        let suits = match self.transition() {
            TransitionState::P2p | TransitionState::SwitchingToSfu => Mode::P2p,
            TransitionState::Sfu | TransitionState::SwitchingToP2p => Mode::Sfu,
        };
        assert_eq!(mode, suits, "one authoritative mode");
        if self.finished {
            return;
        }
        let dto = self.dto();
        let connected = dto
            .participants
            .iter()
            .filter(|each| each.status == ParticipantStatus::Connected && each.left_at.is_none());
        let views: Vec<_> = connected
            .filter_map(|each| self.call.join_view(self.now(), &each.participant_id))
            .collect();
        match mode {
            Mode::P2p => {
                let direct = views.iter().filter(|view| view.mode == Mode::P2p).count();
                assert!(direct <= 2, "more than two are connected directly");
                let waits = views
                    .iter()
                    .any(|view| view.mode == Mode::Sfu && view.transition.is_none());
                assert!(!waits, "a newcomer counts as connected without a way");
            }
            Mode::Sfu => {
                let found = self.call.room().is_some() || self.call.next_wake().is_some();
                assert!(found, "no room, and nobody looks for one");
            }
        }
    }

    fn check_waits(&self) {
        let bound = u64::try_from(self.settings.switch_timeout.as_millis()).expect("short");
        for (request, asked) in &self.waiting {
            assert!(!self.finished, "{request:?} was forgotten at the end");
            assert!(
                self.millis <= asked + bound,
                "{request:?} waits for longer than it may"
            );
        }
        let unsettled = self.dto().participants.iter().any(|each| {
            let waiting = matches!(
                each.status,
                ParticipantStatus::Connecting | ParticipantStatus::Disconnected
            );
            waiting && each.left_at.is_none()
        });
        let somebody_waits = !self.waiting.is_empty() || unsettled;
        assert!(
            !somebody_waits || self.call.next_wake().is_some(),
            "a wait without an end"
        );
    }

    fn check_end(&self) {
        assert_eq!(self.finished, self.call.is_over());
        if self.finished {
            assert!(self.call.seats().is_empty());
            assert!(self.bound.is_empty(), "devices are still bound: {:?}", self.bound);
            assert_eq!(self.call.next_wake(), None);
            assert_eq!(self.occupying(), 0, "a ghost");
        } else {
            assert!(self.occupying() > 0, "a call that nobody holds a seat in");
        }
    }

    /// What was written last, restored, is the same call.
    fn check_stored(&self) {
        let moment = Moment {
            now: self.now(),
            entropy: Entropy(u64::MAX),
        };
        // With the flag on: off, it rightly ends the tries of a switch that the restart called off.
        let settings = Settings {
            sfu_enabled: true,
            ..self.settings
        };
        let (restored, _) = Call::restore(moment, self.stored(), Vec::new(), settings);
        let same = |call: &Call| {
            let mut dto = call.dto(self.now());
            for each in &mut dto.participants {
                if each.left_at.is_none() {
                    each.status = ParticipantStatus::Connecting;
                }
            }
            dto
        };
        // A call that nobody has a right way to go on with may end while it is restored; not before.
        assert_eq!(same(&restored), same(&self.call), "storage tells another story");
        if self.mode() == Mode::Sfu && !self.finished {
            let router = |call: &Call| call.room().map(|room| room.router_id);
            assert_eq!(router(&restored), router(&self.call));
        }
        assert_eq!(restored.node(), self.call.node());
    }
}
