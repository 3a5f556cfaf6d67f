//! Tells people what their call has to say, each with credentials of their own.

use call::{Notice, Person, Recipients, RoomInfo, Seat, SwitchOrder};
use signalling::client_gateway::{
    MediaServer, MediaServerConfig, ModeSwitch, PeerRole, ServerEvent, Started,
};
use signalling::{ParticipantId, Timestamp};

use super::task::CallTask;

impl CallTask {
    pub(super) async fn notify(&self, to: Recipients, notice: Notice) {
        if let Notice::Event(event) = notice {
            self.tell(to, &event).await;
            return;
        }
        let now = self.inner.now();
        for seat in self.seats_of(to) {
            let Some(person) = self.person(&seat.participant) else {
                continue;
            };
            if let Some(event) = self.completed(now, &seat.participant, &person, &notice) {
                self.inner.sockets.to_socket(seat.socket, &event);
            }
        }
    }

    async fn tell(&self, to: Recipients, event: &ServerEvent) {
        let sockets = &self.inner.sockets;
        match to {
            Recipients::Seats(seats) => {
                for seat in seats {
                    sockets.to_socket(seat.socket, event);
                }
            }
            Recipients::Users { users, except } => sockets.to_users(&users, except, event).await,
            Recipients::Conversation(conversation) => sockets.to_conversation(&conversation, event).await,
            Recipients::Socket(socket) => sockets.to_socket(socket, event),
        }
    }

    /// Only who holds a seat is told what carries credentials.
    fn seats_of(&self, to: Recipients) -> Vec<Seat> {
        match to {
            Recipients::Seats(seats) => seats,
            Recipients::Socket(socket) => {
                let participant = self.call.seat_of_socket(socket).cloned();
                participant
                    .map(|participant| Seat { participant, socket })
                    .into_iter()
                    .collect()
            }
            Recipients::Users { .. } | Recipients::Conversation(_) => Vec::new(),
        }
    }

    fn completed(
        &self,
        now: Timestamp,
        participant: &ParticipantId,
        person: &Person,
        notice: &Notice,
    ) -> Option<ServerEvent> {
        let issuer = &self.inner.issuer;
        let config = |room: RoomInfo| issuer.media_server(now, &self.holder(participant, person), room);
        let event = match notice {
            Notice::Event(event) => event.clone(),
            Notice::Joined { back } => {
                let view = self.call.join_view(now, participant)?;
                let joined = Box::new(issuer.join(now, person, view));
                if *back {
                    ServerEvent::Rejoined(joined)
                } else {
                    ServerEvent::Joined(joined)
                }
            }
            Notice::Started => {
                let view = self.call.started_view(now);
                ServerEvent::Started(Box::new(Started {
                    call_id: self.call.id().clone(),
                    mode: view.mode,
                    started_at: view.started_at,
                    participants: view.participants,
                    media_server_config: view.room.map(config),
                }))
            }
            Notice::MediaServer(room) => ServerEvent::MediaServer(Box::new(MediaServer {
                call_id: self.call.id().clone(),
                media_server_config: room.clone().map(config),
            })),
            Notice::ModeSwitch(order) => {
                let config = order.room.clone().map(config);
                ServerEvent::ModeSwitch(Box::new(self.switch(now, person, order, config)))
            }
        };
        Some(event)
    }

    fn switch(
        &self,
        now: Timestamp,
        person: &Person,
        order: &SwitchOrder,
        config: Option<MediaServerConfig>,
    ) -> ModeSwitch {
        let (role, peer) = order.peer.clone().unzip();
        ModeSwitch {
            call_id: self.call.id().clone(),
            old_mode: order.old_mode,
            new_mode: order.new_mode,
            mode: order.new_mode,
            reason: order.reason,
            rtp_capabilities: config.as_ref().map(|config| config.rtp_capabilities.clone()),
            media_server_config: config,
            initiator: role.map(|role| role == PeerRole::Initiator),
            role,
            peer_participant_id: peer,
            ice_servers: Some(self.inner.issuer.ice(now, person).0),
            switch_deadline: order.deadline,
            transition_id: order.transition,
        }
    }
}
