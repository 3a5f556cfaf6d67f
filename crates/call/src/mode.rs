//! The mode machine: which way media takes, and how it changes (contract §3.3 to §3.7).
//!
//! Make before break: the old way flows until everybody has acknowledged the new one. The mode changes only on
//! commit, at most one switch is under way, and every one of them ends: committed, or called off at its deadline.

use std::collections::BTreeSet;
use std::time::Duration;

use signalling::client_gateway::{
    CallStatus, Mode, ModeSwitched, ParticipantStatus, PeerRole, ServerEvent, SwitchReason,
};
use signalling::error::{ErrorBody, ErrorCode};
use signalling::{ParticipantId, Timestamp, TransitionId};

use crate::Call;
use crate::departure::Departure;
use crate::input::RequestId;
use crate::output::{AuditEvent, Measure, Notice, Output, Reply, SwitchOrder};
use crate::place::Place;
use crate::record::{ModeTransition, TransitionReason};
use crate::room::RoomState;
use crate::roster::{Participant, Standing};
use crate::timers::{after, seconds_between};

/// How long to wait before a failed switch is tried again: the first, second and third time (contract §3.7).
pub(crate) const RETRY_AFTER: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Where the call stands between the modes.
#[derive(Clone, Debug)]
pub(crate) enum Machine {
    /// Direct.
    P2p {
        /// A switch failed and a newcomer waits for the next try.
        retry: Option<Retry>,
    },
    /// Direct still; the way through the node is being built.
    SwitchingToSfu(Switch),
    /// Through a node.
    Sfu,
    /// Through a node, but the room is a new one: the old one was lost.
    FailingOver(Switch),
    /// Through a node still; the direct way is being built.
    SwitchingToP2p(Switch),
}

impl Machine {
    /// Where it leads, or is.
    pub(crate) const fn target(&self) -> Mode {
        match self {
            Self::P2p { .. } | Self::SwitchingToP2p(_) => Mode::P2p,
            Self::Sfu | Self::FailingOver(_) | Self::SwitchingToSfu(_) => Mode::Sfu,
        }
    }
}

/// One switch under way.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    /// Which; acknowledgements name it.
    pub(crate) id: TransitionId,
    /// Why.
    pub(crate) reason: SwitchReason,
    /// When it began.
    pub(crate) began: Timestamp,
    /// When it is given up.
    pub(crate) deadline: Timestamp,
    /// At whom the new way works.
    pub(crate) acked: BTreeSet<ParticipantId>,
    /// How many tries failed before this one.
    pub(crate) failures: usize,
}

/// A failed switch that will be tried again.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    /// How many tries failed.
    pub(crate) failures: usize,
    /// When the next is due.
    pub(crate) at: Timestamp,
    /// The last one that failed.
    pub(crate) last: TransitionId,
}

/// What keeps a call in mode `sfu` though exactly two are there. Ends when somebody comes or leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing.
    Free,
    /// Somebody who may set the mode by hand.
    ByHand,
    /// The direct way could not be built.
    Failed,
}

impl Call {
    /// The switch under way.
    pub(crate) fn switch(&self) -> Option<&Switch> {
        match &self.machine {
            Machine::SwitchingToSfu(switch)
            | Machine::FailingOver(switch)
            | Machine::SwitchingToP2p(switch) => Some(switch),
            Machine::P2p { .. } | Machine::Sfu => None,
        }
    }

    fn switch_mut(&mut self) -> Option<&mut Switch> {
        match &mut self.machine {
            Machine::SwitchingToSfu(switch)
            | Machine::FailingOver(switch)
            | Machine::SwitchingToP2p(switch) => Some(switch),
            Machine::P2p { .. } | Machine::Sfu => None,
        }
    }

    /// Begins a switch and tells everybody with a device but `joiner`, who learns of it by the answer to the join.
    pub(crate) fn begin_switch(
        &mut self,
        target: Mode,
        reason: SwitchReason,
        failures: usize,
        joiner: Option<&ParticipantId>,
    ) {
        let switch = Switch {
            id: self.fresh_transition(),
            reason,
            began: self.outage.as_ref().map_or(self.now, |outage| outage.since),
            deadline: after(self.now, self.settings.switch_timeout),
            acked: BTreeSet::new(),
            failures,
        };
        self.two_since = None;
        let order = SwitchOrder {
            old_mode: self.row.mode,
            new_mode: target,
            reason,
            room: self.room().filter(|_| target == Mode::Sfu).cloned(),
            peer: None,
            deadline: switch.deadline,
            transition: switch.id,
        };
        // What flows now holds the place, and what comes back from it has given it back.
        self.place = Place::Unasked;
        self.machine = match (self.row.mode, target) {
            (Mode::P2p, _) => Machine::SwitchingToSfu(switch),
            (Mode::Sfu, Mode::Sfu) => Machine::FailingOver(switch),
            (Mode::Sfu, Mode::P2p) => Machine::SwitchingToP2p(switch),
        };
        if target == Mode::P2p {
            return self.order_direct(&order);
        }
        self.room_news = false;
        let mut seats = self.roster.seats();
        seats.retain(|seat| Some(&seat.participant) != joiner);
        self.tell(seats, Notice::ModeSwitch(Box::new(order)));
    }

    /// Tells each of the two whom to connect to; who joined earlier offers.
    fn order_direct(&mut self, order: &SwitchOrder) {
        let mut two: Vec<_> = self
            .roster
            .occupants()
            .map(|each| (each.row.joined_at, each.row.id.clone(), each.seat()))
            .collect();
        two.sort_by_key(|(joined_at, ..)| *joined_at);
        let ids: Vec<_> = two.iter().map(|(_, id, _)| id.clone()).collect();
        let [first, second] = ids.as_slice() else {
            return;
        };
        let roles = [
            (PeerRole::Initiator, second.clone()),
            (PeerRole::Receiver, first.clone()),
        ];
        for ((_, _, seat), peer) in two.into_iter().zip(roles) {
            let order = SwitchOrder {
                peer: Some(peer),
                ..order.clone()
            };
            self.tell(seat.into_iter().collect(), Notice::ModeSwitch(Box::new(order)));
        }
    }

    /// Somebody says whether the new way works for them. Another switch's id is ignored; twice is once.
    pub(crate) fn switch_ack(
        &mut self,
        request: RequestId,
        id: &ParticipantId,
        transition: Option<TransitionId>,
        success: bool,
    ) {
        self.reply(request, Reply::Done);
        let named = |switch: &&mut Switch| transition.is_none_or(|named| named == switch.id);
        let Some(switch) = self.switch_mut().filter(named) else {
            return;
        };
        if !success {
            // The client tries again by itself, by TCP; the deadline decides.
            switch.acked.remove(id);
            return;
        }
        switch.acked.insert(id.clone());
        self.mark_connected(id);
    }

    /// Media is up somewhere: others see it.
    pub(crate) fn mark_connected(&mut self, id: &ParticipantId) {
        let Some(who) = self.roster.occupant_mut(id) else {
            return;
        };
        if who.row.status != ParticipantStatus::Connecting || who.socket.is_none() {
            return;
        }
        who.row.status = ParticipantStatus::Connected;
        if !std::mem::replace(&mut who.had_media, true) {
            let seconds = seconds_between(who.connecting_since, self.now);
            self.out.push(Output::Measure(Measure::Connected { seconds }));
        }
        self.tell_presence(id, ParticipantStatus::Connected);
    }

    /// Keeps newcomers and retries in step: who waits for a switch has one coming, and nobody waits alone.
    pub(crate) fn settle_newcomers(&mut self) -> bool {
        let Machine::P2p { retry } = &self.machine else {
            return false;
        };
        let retry = retry.clone();
        let newcomers = self.roster.has_newcomer();
        let members = self.roster.occupants().any(|each| !each.is_newcomer());
        if newcomers && !members {
            // Everybody who was there is gone: the first who waits is now the one others connect to.
            if let Some(first) = self.roster.occupants_mut().next() {
                first.standing = Standing::Member;
            }
            return true;
        }
        match retry {
            None if newcomers => {
                let last = self.fresh_transition();
                let at = self.now;
                self.machine = Machine::P2p {
                    retry: Some(Retry {
                        failures: 0,
                        at,
                        last,
                    }),
                };
                true
            }
            Some(retry) if !newcomers => {
                self.machine = Machine::P2p { retry: None };
                self.tell_switched(false, retry.last, Some("participant-left"), None);
                true
            }
            _ => self.settle_lone(),
        }
    }

    /// Who is alone in a direct call has nobody to connect to, and so is as connected as can be.
    fn settle_lone(&mut self) -> bool {
        if self.roster.occupying() != 1 || self.row.status != CallStatus::Active {
            return false;
        }
        let connecting =
            |each: &&Participant| each.row.status == ParticipantStatus::Connecting && each.socket.is_some();
        let Some(id) = self
            .roster
            .occupants()
            .find(connecting)
            .map(|each| each.row.id.clone())
        else {
            return false;
        };
        self.mark_connected(&id);
        true
    }

    /// Commits a switch when everybody has acknowledged it, calls it off when it has lost its sense.
    pub(crate) fn settle_switch(&mut self) -> bool {
        let Some(switch) = self.switch() else {
            return false;
        };
        let occupying = self.roster.occupying();
        let acked = |each: &Participant| switch.acked.contains(&each.row.id);
        let all = self.roster.occupants().all(acked);
        match &self.machine {
            Machine::SwitchingToSfu(_) if occupying < 2 => self.call_off("participant-left", None),
            Machine::SwitchingToP2p(_) if occupying != 2 => self.call_off("participant-left", None),
            Machine::SwitchingToP2p(_) if self.roster.present() != 2 => {
                self.call_off("participant-lost", None)
            }
            Machine::FailingOver(_)
                if self
                    .roster
                    .occupants()
                    .all(|each| acked(each) || each.socket.is_none()) =>
            {
                // Nobody can be waited for whose device is gone; but at least one must have found the new room.
                if !self.roster.occupants().any(acked) {
                    return false;
                }
                self.commit();
            }
            _ if all => self.commit(),
            _ => return false,
        }
        true
    }

    /// The new way is the way.
    pub(crate) fn commit(&mut self) {
        let (old, machine) = match self.machine.target() {
            Mode::P2p => (self.row.mode, Machine::P2p { retry: None }),
            Mode::Sfu => (self.row.mode, Machine::Sfu),
        };
        let target = machine.target();
        let Some(switch) = self.take_switch(machine) else {
            return;
        };
        self.row.mode = target;
        // A room found during an outage that ended by going direct is the standby now.
        self.room_news = self.outage.take().is_some() && target == Mode::P2p;
        if old != target {
            self.row.last_mode_change = Some(self.now);
            self.row.mode_change_count += 1;
        }
        for who in self.roster.occupants_mut() {
            who.standing = Standing::Member;
            let acked = switch.acked.contains(&who.row.id);
            if !acked && target == Mode::Sfu {
                // Has no way to the room yet: must show media again, or is given up.
                who.had_media = false;
                who.connecting_since = self.now;
                if who.row.status == ParticipantStatus::Connected {
                    who.row.status = ParticipantStatus::Connecting;
                }
            }
        }
        self.record_transition(&switch, old, target, true);
        self.tell_switched(true, switch.id, None, None);
        self.audit(AuditEvent::ModeSwitched { to: target }, None);
        if target == Mode::P2p && !self.settings.sfu_enabled {
            self.drop_room();
        }
    }

    /// Back to what it was. With a time, it will be tried again.
    pub(crate) fn call_off(&mut self, error: &str, retry: Option<(usize, Timestamp)>) {
        let Some(last) = self.switch().map(|switch| switch.id) else {
            return;
        };
        let target = self.machine.target();
        let back = match self.row.mode {
            Mode::P2p => Machine::P2p {
                retry: retry.map(|(failures, at)| Retry { failures, at, last }),
            },
            Mode::Sfu => Machine::Sfu,
        };
        let Some(switch) = self.take_switch(back) else {
            return;
        };
        for who in self.roster.occupants_mut().filter(|each| each.is_newcomer()) {
            // Its way was the one that is now torn down.
            who.had_media = false;
            who.connecting_since = self.now;
            if who.row.status == ParticipantStatus::Connected {
                who.row.status = ParticipantStatus::Connecting;
            }
        }
        self.record_transition(&switch, self.row.mode, target, false);
        self.tell_switched(false, switch.id, Some(error), retry.map(|(_, at)| at));
    }

    fn take_switch(&mut self, next: Machine) -> Option<Switch> {
        match std::mem::replace(&mut self.machine, next) {
            Machine::SwitchingToSfu(switch)
            | Machine::FailingOver(switch)
            | Machine::SwitchingToP2p(switch) => Some(switch),
            Machine::P2p { .. } | Machine::Sfu => None,
        }
    }

    pub(crate) fn tell_switched(
        &mut self,
        success: bool,
        transition_id: TransitionId,
        error: Option<&str>,
        retry_at: Option<Timestamp>,
    ) {
        let event = self.switched_event(success, transition_id, error, retry_at);
        self.tell_all(event);
    }

    pub(crate) fn switched_event(
        &self,
        success: bool,
        transition_id: TransitionId,
        error: Option<&str>,
        retry_at: Option<Timestamp>,
    ) -> ServerEvent {
        ServerEvent::ModeSwitched(ModeSwitched {
            call_id: self.row.id.clone(),
            success,
            mode: self.row.mode,
            transition_id,
            error: error.map(str::to_owned),
            retry_at,
        })
    }

    fn record_transition(&mut self, switch: &Switch, from: Mode, to: Mode, success: bool) {
        let duration = seconds_between(switch.began, self.now);
        let reason = match (switch.reason, to) {
            (SwitchReason::ParticipantCountChanged, Mode::Sfu) => TransitionReason::ParticipantJoined,
            (SwitchReason::ParticipantCountChanged, Mode::P2p) => TransitionReason::ParticipantLeft,
            (SwitchReason::Manual | SwitchReason::QualityFallback, _) => TransitionReason::Manual,
            (SwitchReason::MediaServerFailover, _) => TransitionReason::Failover,
        };
        let transition = ModeTransition {
            id: switch.id,
            from,
            to,
            timestamp: switch.began,
            duration,
            reason,
            success,
            gaps: Vec::new(),
        };
        self.metrics.switched(transition, self.now);
        self.out.push(Output::Measure(Measure::Transition {
            from,
            to,
            reason: switch.reason,
            success,
            seconds: duration,
        }));
    }

    /// The deadline of the switch under way has come (contract §3.7).
    pub(crate) fn switch_timed_out(&mut self) {
        match &self.machine {
            Machine::SwitchingToSfu(_) => self.group_timed_out(),
            Machine::FailingOver(_) => self.commit(),
            Machine::SwitchingToP2p(_) => {
                self.hold = Hold::Failed;
                self.call_off(ErrorCode::Timeout.as_str(), None);
            }
            Machine::P2p { .. } | Machine::Sfu => {}
        }
    }

    fn group_timed_out(&mut self) {
        let Some(switch) = self.switch() else {
            return;
        };
        let failures = switch.failures + 1;
        let missing = |each: &&Participant| !switch.acked.contains(&each.row.id);
        let members = || {
            self.roster
                .occupants()
                .filter(missing)
                .filter(|each| !each.is_newcomer())
        };
        let late: Vec<_> = self
            .roster
            .occupants()
            .filter(missing)
            .filter(|each| each.is_newcomer())
            .map(|each| each.row.id.clone())
            .collect();
        let acked = self.roster.occupants().count() - members().count() - late.len();
        if late.is_empty() && members().all(|each| each.socket.is_none()) && acked >= 2 {
            // Who has no device just now finds the new way on coming back.
            return self.commit();
        }
        if members().next().is_none() {
            self.call_off(ErrorCode::ModeSwitchFailed.as_str(), None);
            // The others' media flows there at this moment: who waited for the end of this switch has the next at once.
            self.place = Place::Held;
            return self.remove_newcomers(&late);
        }
        self.switch_failed(failures, ErrorCode::ModeSwitchFailed);
    }

    /// A switch to a node failed: the next try, or the end of them.
    pub(crate) fn switch_failed(&mut self, failures: usize, error: ErrorCode) {
        let newcomers: Vec<_> = self
            .roster
            .occupants()
            .filter(|each| each.is_newcomer())
            .map(|each| each.row.id.clone())
            .collect();
        let wait = RETRY_AFTER.get(failures.saturating_sub(1)).copied();
        let again = wait
            .filter(|_| !newcomers.is_empty())
            .map(|wait| after(self.now, wait));
        if self.switch().is_some() {
            self.call_off(error.as_str(), again.map(|at| (failures, at)));
        } else if let Machine::P2p { retry: Some(retry) } = &mut self.machine {
            let last = retry.last;
            retry.failures = failures;
            retry.at = again.unwrap_or(self.now);
            self.tell_switched(false, last, Some(error.as_str()), again);
        }
        if again.is_none() {
            if let Machine::P2p { retry } = &mut self.machine {
                *retry = None;
            }
            self.remove_newcomers(&newcomers);
        }
    }

    fn remove_newcomers(&mut self, newcomers: &[ParticipantId]) {
        for id in newcomers {
            self.tell_error(id, ErrorBody::new(ErrorCode::ModeSwitchFailed));
            self.depart(id, Departure::SwitchFailed);
        }
    }

    /// Tries a failed switch again when its time has come, there is a room, and somebody to switch with; or gives it up
    /// when the flag is off.
    pub(crate) fn serve_retry(&mut self) -> bool {
        let Machine::P2p { retry: Some(retry) } = &self.machine else {
            return false;
        };
        let (failures, at) = (retry.failures, retry.at);
        if !self.settings.sfu_enabled {
            // Turned off meanwhile (contract §8.9): nobody waits for a try that is not made.
            self.switch_failed(RETRY_AFTER.len() + 1, ErrorCode::SfuDisabled);
            self.set_sfu_flag(false);
            return true;
        }
        if at > self.now || !self.has_place() || !self.retry_may_begin() {
            return false;
        }
        self.begin_switch(Mode::Sfu, SwitchReason::ParticipantCountChanged, failures, None);
        true
    }

    /// Whether everybody a retry is for is there.
    pub(crate) fn retry_may_begin(&self) -> bool {
        let bound = |each: &Participant| each.socket.is_some();
        let newcomers = self
            .roster
            .occupants()
            .filter(|each| each.is_newcomer())
            .all(bound);
        let members = self
            .roster
            .occupants()
            .any(|each| !each.is_newcomer() && bound(each));
        newcomers && members
    }

    /// The call is over, and whatever was under way with it.
    pub(crate) fn machine_stops(&mut self) {
        self.machine = match self.row.mode {
            Mode::P2p => Machine::P2p { retry: None },
            Mode::Sfu => Machine::Sfu,
        };
    }

    /// Goes back to direct once two have been alone for long enough (contract §3.6).
    pub(crate) fn go_back(&mut self) -> bool {
        let two = matches!(self.machine, Machine::Sfu) && self.can_be_direct() && self.hold == Hold::Free;
        if !two || !matches!(self.room, RoomState::Ready(_)) {
            self.two_since = None;
            return false;
        }
        let since = *self.two_since.get_or_insert(self.now);
        if self.now < after(since, self.settings.hysteresis) {
            return false;
        }
        self.begin_switch(Mode::P2p, SwitchReason::ParticipantCountChanged, 0, None);
        true
    }
}
