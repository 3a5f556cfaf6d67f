//! A place for media: a room that stands by has none, and its node may have none left. So it is asked for before a
//! switch begins, and if its node refuses, the switch goes to a room on another one; nobody is told of anything before.

use crate::Call;
use crate::input::RoomInfo;
use crate::mode::Machine;
use crate::output::{NodeCommand, Output};
use crate::record::SfuIds;
use crate::room::RoomState;
use crate::timers::after;

/// Whether a node holds a place for the media of a direct call's room: one that stood by for long may be on a node
/// that takes no more by now, so it is asked before each switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nobody knows.
    Unasked,
    /// It said so, and the next switch may begin.
    Held,
}

impl Call {
    /// Whether media may flow in the room as soon as a switch begins.
    pub(crate) fn has_place(&self) -> bool {
        matches!(self.room, RoomState::Ready(_)) && self.place == Place::Held
    }

    /// Asks for a place for the room that stands by, once somebody waits for nothing else.
    pub(crate) fn seek_place(&mut self) -> bool {
        let RoomState::Ready(room) = &self.room else {
            return false;
        };
        let retrying = self.manual.is_none() && matches!(self.machine, Machine::P2p { retry: Some(_) });
        let waits = self.wants_room_now() && (!retrying || self.retry_may_begin());
        if self.place == Place::Held || !waits {
            return false;
        }
        let room = room.clone();
        let attempt = self.next_attempt();
        self.room = RoomState::Promoting {
            attempt,
            deadline: after(self.now, self.settings.switch_timeout),
            room,
        };
        self.out.push(Output::Node(NodeCommand::OpenRoom {
            attempt,
            avoid: None,
            standby: false,
        }));
        true
    }

    /// Who wanted a place has it, or is gone: the next one asks anew, for it may be somebody else's by then.
    pub(crate) fn forget_place(&mut self) {
        if !self.wants_room_now() {
            self.place = Place::Unasked;
        }
    }

    /// The node of the room, or another one, is ready for its media.
    pub(crate) fn room_promoted(&mut self, before: RoomInfo, room: RoomInfo) {
        self.place = Place::Held;
        if (&before.node, before.router_id) == (&room.node, room.router_id) {
            // What was heard of it meanwhile is newer than what it says of itself.
            self.room = RoomState::Ready(before);
            return;
        }
        if before.node != room.node {
            let node = before.node;
            self.out.push(Output::Node(NodeCommand::DestroyRoom { node }));
        }
        for who in self.roster.everybody_mut() {
            who.row.sfu = SfuIds::default();
        }
        self.room = RoomState::Ready(room);
        self.room_news = true;
    }

    /// Nobody said in time whether there is a place. What the node did by then cannot be known.
    pub(crate) fn promotion_timed_out(&mut self) {
        self.drop_room();
        self.refuse_all_who_wait();
    }
}
