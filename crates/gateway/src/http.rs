//! The gateway's REST face (contract §2.4).
//!
//! * `gate` – who may pass: address, token or session, limit
//! * `calls`, `past` – calls
//! * `people`, `conversations`, `guests` – the directory
//! * `account` – a person's rights over what is kept
//! * `admin` – what operators see and do
//! * `server` – STUN and TURN servers, bandwidth test, what the server is like
//! * `operations` – for probes and scrapers
//! * `proxied` – around requests that are passed on to media nodes
//! * `surround` – what is around every request

mod account;
mod admin;
mod calls;
mod conversations;
mod gate;
mod guests;
mod operations;
mod past;
mod people;
mod proxied;
mod read;
mod server;
mod surround;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use edge::answer::method_not_allowed;
use signalling::client_gateway::GatewayEndpoint as Endpoint;

use crate::gateway::Shared;
use crate::limits::Scope;
use gate::{Entry, Gate, pass};

pub(crate) use proxied::proxied;
pub(crate) use surround::{measured, protected};

/// All routes but Socket.IO's and those of media nodes' rooms.
pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    let mut routes = Router::new();
    for endpoint in Endpoint::ALL {
        routes = routes.route(endpoint.path(), method(*endpoint, shared));
    }
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::clone(shared))
}

type Method = MethodRouter<Arc<Shared>>;

/// The handler of an endpoint; the match is complete, so none can be forgotten.
fn method(endpoint: Endpoint, shared: &Arc<Shared>) -> Method {
    let known = |method: Method, scope| gated((endpoint, method), Entry::Known, scope, shared);
    let anybody = |method: Method, scope| gated((endpoint, method), Entry::Anybody, scope, shared);
    match endpoint {
        Endpoint::StartCall => known(post(calls::start), Scope::RestCalls),
        Endpoint::Calls => known(get(past::calls), Scope::RestCalls),
        Endpoint::FetchCall => known(get(calls::fetch), Scope::RestCalls),
        Endpoint::EndCall => known(delete(calls::end), Scope::RestCalls),
        Endpoint::JoinCall => known(post(calls::join), Scope::RestCalls),
        Endpoint::RemoveParticipant => known(delete(calls::remove), Scope::RestCalls),
        Endpoint::LeaveCall => known(post(calls::leave), Scope::RestCalls),
        Endpoint::SetMode => known(put(calls::set_mode), Scope::RestCalls),
        Endpoint::AddTranscription => known(post(calls::add_transcription), Scope::RestCalls),
        Endpoint::ReportQuality => known(post(calls::report_quality), Scope::Quality),
        Endpoint::ConversationCalls => known(get(past::conversation_calls), Scope::RestOther),
        Endpoint::ActiveCall => known(get(past::active_call), Scope::RestOther),
        Endpoint::TrackedLink => anybody(get(guests::tracked_link), Scope::LinkLookup),
        Endpoint::JoinAnonymous => anybody(post(guests::join_anonymous), Scope::LinkLookup),
        Endpoint::IceServers => known(get(server::ice_servers), Scope::RestOther),
        Endpoint::BandwidthTest => known(get(server::bandwidth_test), Scope::BandwidthTest),
        Endpoint::Config => get(server::config),
        Endpoint::ExportCallData => known(get(account::export), Scope::RestOther),
        Endpoint::EraseCallData => known(delete(account::erase), Scope::RestOther),
        Endpoint::DevLogin => anybody(post(people::dev_login), Scope::DevLogin),
        Endpoint::Me => known(get(people::me), Scope::RestOther),
        Endpoint::Users => known(get(people::search), Scope::RestOther),
        Endpoint::Conversations => known(get(conversations::list), Scope::RestOther),
        Endpoint::CreateConversation => known(post(conversations::create), Scope::RestOther),
        Endpoint::CreateLink => known(post(guests::create_link), Scope::RestOther),
        Endpoint::AdminOverview => known(get(admin::overview), Scope::RestOther),
        Endpoint::AdminFlags => known(get(admin::flags), Scope::RestOther),
        Endpoint::SetAdminFlags => known(put(admin::set_flags), Scope::RestOther),
        Endpoint::DrainNode => known(post(admin::drain_node), Scope::RestOther),
        Endpoint::EndDrainNode => known(delete(admin::end_drain_node), Scope::RestOther),
        Endpoint::RegisterNode => {
            let method = post(admin::register_node);
            gated((endpoint, method), Entry::Node, Scope::RestOther, shared)
        }
        Endpoint::Health => get(operations::health),
        Endpoint::Ready => get(operations::ready),
        Endpoint::Metrics => get(operations::metrics),
    }
}

fn gated((endpoint, method): (Endpoint, Method), entry: Entry, scope: Scope, shared: &Arc<Shared>) -> Method {
    let gate = Gate {
        shared: Arc::clone(shared),
        endpoint,
        entry,
        scope,
    };
    method.route_layer(from_fn_with_state(gate, pass))
}
