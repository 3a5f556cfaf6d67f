//! What only one recipient may see: a token for the media node, and STUN and TURN servers.

use std::sync::Arc;

use call::{JoinView, Person, RoomInfo};
use signalling::client_gateway::{Credentials, IceServer, JoinDto, MediaServerConfig};
use signalling::{CallId, ParticipantId, Timestamp};

use crate::auth::Tokens;
use crate::ice_servers::IceServers;

/// Makes credentials for one recipient at a time.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) tokens: Arc<Tokens>,
    pub(super) ice: Arc<IceServers>,
    /// Base of the node's REST paths as browsers see it; empty for the gateway's own origin.
    pub(super) media_url: String,
}

/// A seat in a call: whom credentials are made for.
pub(super) struct Holder<'a> {
    pub(super) call: &'a CallId,
    pub(super) participant: &'a ParticipantId,
    pub(super) person: &'a Person,
}

impl Issuer {
    pub(super) fn ice(&self, now: Timestamp, person: &Person) -> (Vec<IceServer>, Timestamp) {
        self.ice.for_caller(now, &name(person))
    }

    pub(super) fn media_server(
        &self,
        now: Timestamp,
        holder: &Holder<'_>,
        room: RoomInfo,
    ) -> MediaServerConfig {
        let minted = self
            .tokens
            .media(now, holder.person, holder.call, holder.participant);
        MediaServerConfig {
            router_id: room.router_id,
            rtp_capabilities: room.rtp_capabilities,
            url: self.media_url.clone(),
            token: minted.token,
            token_expires_at: minted.expires_at,
            producers: room.producers,
        }
    }

    pub(super) fn join(&self, now: Timestamp, person: &Person, view: JoinView) -> JoinDto {
        let (ice_servers, expires_at) = self.ice(now, person);
        let config = view.room.map(|room| {
            let holder = Holder {
                call: &view.call_id,
                participant: &view.participant_id,
                person,
            };
            self.media_server(now, &holder, room)
        });
        JoinDto {
            participant_id: view.participant_id,
            call_id: view.call_id,
            conversation_id: view.conversation_id,
            call_type: view.call_type,
            mode: view.mode,
            status: view.status,
            participants: view.participants,
            joined_at: view.joined_at,
            started_at: view.started_at,
            ice_servers,
            expires_at,
            rtp_capabilities: config.as_ref().map(|config| config.rtp_capabilities.clone()),
            media_server_config: config,
            transition: view.transition,
        }
    }

    /// Fresh ones, with a token for the node if the call has a room.
    pub(super) fn refresh(&self, now: Timestamp, holder: &Holder<'_>, has_room: bool) -> Credentials {
        let (ice_servers, expires_at) = self.ice(now, holder.person);
        let minted = has_room.then(|| {
            self.tokens
                .media(now, holder.person, holder.call, holder.participant)
        });
        let (media_token, token_expires_at) = minted.map(|minted| (minted.token, minted.expires_at)).unzip();
        Credentials {
            ice_servers,
            expires_at,
            media_token,
            token_expires_at,
        }
    }
}

/// The name TURN's user names carry (contract §6.6).
fn name(person: &Person) -> String {
    match person {
        Person::User(id) => id.to_string(),
        Person::Guest(id) => id.to_string(),
    }
}
