//! Every wait of a call, and what happens at its end (contract §2.10). Nobody waits without one of these.

use std::time::Duration;

use signalling::Timestamp;
use signalling::client_gateway::{CallStatus, EndReason, ParticipantStatus};
use signalling::error::ErrorCode;

use crate::Call;
use crate::departure::Departure;
use crate::mode::Machine;
use crate::room::RoomState;

/// Figures change often and matter little; this much later they are written, in one go.
pub(crate) const METRICS_DELAY: Duration = Duration::from_secs(10);

/// That much later.
pub(crate) fn after(from: Timestamp, wait: Duration) -> Timestamp {
    let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_unix_millis(from.unix_millis().saturating_add(wait))
}

/// Seconds from one time to another; none if the clock went back.
pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    let millis = to.unix_millis().saturating_sub(from.unix_millis());
    Duration::from_millis(millis).as_secs_f64()
}

impl Call {
    /// When the call wants [`crate::Input::Wake`], if nothing else happens before. `None` once it is over.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.is_over() {
            return None;
        }
        let settings = &self.settings;
        let waits = [
            self.ring.is_live().then_some(self.ring.deadline),
            self.switch().map(|switch| switch.deadline),
            self.retry_wake(),
            self.room_wake(),
            self.manual.as_ref().map(|manual| manual.until),
            self.nobody_since
                .map(|since| after(since, settings.nobody_timeout)),
            self.alone_since.map(|since| after(since, settings.lone_timeout)),
            self.two_since.map(|since| after(since, settings.hysteresis)),
            self.outage.as_ref().and_then(|outage| outage.fails_at),
            self.metrics.due,
        ];
        let seats = self
            .roster
            .occupants()
            .filter_map(|each| self.seat_deadline(each));
        let queue = self.queue.iter().map(|join| join.until);
        waits.into_iter().flatten().chain(seats).chain(queue).min()
    }

    /// When a seat is given up unless something happens: for want of media, or of a device.
    fn seat_deadline(&self, who: &crate::roster::Participant) -> Option<Timestamp> {
        let grace = after(who.unbound_since, self.settings.reconnect_grace);
        let connecting = after(who.connecting_since, self.settings.connecting_timeout);
        // Who waits for a switch is not late: the switch and its repetitions are bounded themselves.
        let waits = who.is_newcomer() && !matches!(self.machine, Machine::P2p { retry: None });
        let is_connecting = who.row.status == ParticipantStatus::Connecting && !waits;
        match (who.socket, is_connecting) {
            (None, true) => Some(grace.min(connecting)),
            (None, false) => Some(grace),
            (Some(_), true) => Some(connecting),
            (Some(_), false) => None,
        }
    }

    fn room_wake(&self) -> Option<Timestamp> {
        match &self.room {
            RoomState::Opening { deadline, .. }
            | RoomState::Promoting { deadline, .. }
            | RoomState::Watching { deadline, .. } => Some(*deadline),
            RoomState::Absent { retry_at, .. } => self.wants_room().then_some(*retry_at),
            RoomState::Ready(_) => None,
        }
    }

    fn retry_wake(&self) -> Option<Timestamp> {
        match &self.machine {
            Machine::P2p { retry: Some(retry) } => (self.now < retry.at).then_some(retry.at),
            _ => None,
        }
    }

    /// Does what is due. What depends on how things stand as much as on the time is left to settling.
    pub(crate) fn expire(&mut self) {
        if self.switch().is_some_and(|switch| switch.deadline <= self.now) {
            self.switch_timed_out();
        }
        self.expire_room();
        // Who waited for just this is served, not late.
        while self.serve_queue() {}
        self.expire_requests();
        self.expire_seats();
        if !self.is_over() && self.ring.is_live() && self.ring.deadline <= self.now {
            self.ring_timed_out();
        }
        self.expire_call();
    }

    fn expire_room(&mut self) {
        match &self.room {
            RoomState::Opening {
                attempt, deadline, ..
            } if *deadline <= self.now => {
                let attempt = *attempt;
                self.room_failed(attempt);
            }
            RoomState::Promoting { deadline, .. } if *deadline <= self.now => self.promotion_timed_out(),
            RoomState::Watching { node, deadline, .. } if *deadline <= self.now => {
                let node = node.clone();
                self.room_lost(&node);
            }
            _ => {}
        }
    }

    fn expire_requests(&mut self) {
        let now = self.now;
        let (late, waiting) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|join| join.until <= now);
        self.queue = waiting;
        for join in late {
            self.refuse_limited(join.request);
        }
        if let Some(manual) = self.manual.take_if(|manual| manual.until <= now) {
            self.refuse_limited(manual.request);
        }
    }

    fn expire_seats(&mut self) {
        let late: Vec<_> = self
            .roster
            .occupants()
            .filter(|each| {
                self.seat_deadline(each)
                    .is_some_and(|deadline| deadline <= self.now)
            })
            .map(|each| each.row.id.clone())
            .collect();
        for id in late {
            if self.is_over() {
                return;
            }
            self.give_up_seat(&id);
        }
    }

    fn give_up_seat(&mut self, id: &signalling::ParticipantId) {
        let Some(who) = self.roster.occupant(id) else {
            return;
        };
        if who.socket.is_none() && who.row.status == ParticipantStatus::Disconnected {
            self.metrics.reconnected(false, self.now, &mut self.out);
        } else if self.row.mode == signalling::client_gateway::Mode::P2p {
            self.metrics.ice_failed(self.now);
        } else {
            self.metrics.transport_failed(self.now);
        }
        let late = signalling::error::ErrorBody::with_message(
            ErrorCode::Timeout,
            "No media connection could be set up in time",
        );
        self.tell_error(id, late);
        self.depart(id, Departure::Lost);
    }

    fn ring_timed_out(&mut self) {
        if self.row.status == CallStatus::Active {
            self.ring.stop();
        } else {
            self.end(EndReason::Missed, None);
        }
    }

    fn expire_call(&mut self) {
        let due = |since: Option<Timestamp>, wait| since.is_some_and(|since| after(since, wait) <= self.now);
        let nobody = due(self.nobody_since, self.settings.nobody_timeout);
        let alone = due(self.alone_since, self.settings.lone_timeout);
        let outage = self.outage.as_ref().and_then(|outage| outage.fails_at);
        let failed = outage.is_some_and(|fails_at| fails_at <= self.now);
        if self.is_over() {
        } else if failed {
            self.fail();
        } else if nobody && self.row.status != CallStatus::Active {
            self.end(EndReason::Cancelled, None);
        } else if nobody || alone {
            self.end(EndReason::Timeout, None);
        }
    }

    /// Starts and stops the clocks of a call that nobody, or only one person, is in.
    pub(crate) fn watch_presence(&mut self) {
        let nobody = !self
            .roster
            .occupants()
            .any(|each| each.row.status == ParticipantStatus::Connected);
        let active = self.row.status == CallStatus::Active;
        let alone = active && !self.is_direct() && self.roster.occupying() == 1;
        self.nobody_since = nobody.then(|| self.nobody_since.unwrap_or(self.now));
        self.alone_since = alone.then(|| self.alone_since.unwrap_or(self.now));
    }
}
