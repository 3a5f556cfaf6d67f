//! What operators see and do, and media nodes that say that they are there.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{RawPathParams, State};
use call::NodeId;
use edge::Body;
use edge::answer::{DataAnswer, data};
use signalling::client_gateway::{AdminDrain, AdminFlags, AdminFlagsChange, AdminOverview};
use signalling::error::ErrorBody;
use signalling::gateway_node::{RegisterNode, Registered};
use signalling::{Timestamp, version};

use super::gate::Known;
use super::read;
use crate::auth::Caller;
use crate::fault::fault;
use crate::flags;
use crate::gateway::Shared;
use crate::nodes::Drain;

/// Refuses everybody but administrators of the installation and services.
fn operator(caller: &Caller) -> Result<(), ErrorBody> {
    if caller.rules_everything() {
        Ok(())
    } else {
        Err(read::denied())
    }
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

pub(super) async fn overview(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
) -> DataAnswer<AdminOverview> {
    operator(&caller)?;
    let calls = shared.calls.shown();
    data(AdminOverview {
        at: now(),
        version: version::SOFTWARE.to_owned(),
        started_at: shared.started_at,
        draining: shared.is_draining(),
        participants: calls.iter().map(|call| call.participants).sum(),
        sockets: shared.metrics.sockets(),
        calls,
        switches: shared.calls.switches(),
        nodes: shared.nodes.shown(),
        turn: shared.ice.turn(),
        flags: shared.flags.shown(),
    })
}

pub(super) async fn flags(State(shared): State<Arc<Shared>>, Known(caller): Known) -> DataAnswer<AdminFlags> {
    operator(&caller)?;
    data(shared.flags.shown())
}

/// Stores a change and does as it says at once; other gateways follow when they look the next time.
pub(super) async fn set_flags(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    body: Result<Body<AdminFlagsChange>, edge::ApiError>,
) -> DataAnswer<AdminFlags> {
    // Who may not do it learns nothing about how it is done.
    operator(&caller)?;
    let Body(change) = body?;
    let rows = flags::changes(&change).map_err(|wrong| read::invalid(wrong.to_string()))?;
    let changed = shared.store.change_flags(&rows, now()).await;
    changed.map_err(|error| fault(&error))?;
    tracing::info!(names = ?rows.keys().collect::<Vec<_>>(), "an operator changed flags");
    shared.refresh_flags().await.map_err(|error| fault(&error))?;
    data(shared.flags.shown())
}

pub(super) async fn drain_node(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<AdminDrain> {
    drain(&shared, &caller, &params, Drain::Begin).await
}

pub(super) async fn end_drain_node(
    State(shared): State<Arc<Shared>>,
    Known(caller): Known,
    params: RawPathParams,
) -> DataAnswer<AdminDrain> {
    drain(&shared, &caller, &params, Drain::End).await
}

async fn drain(
    shared: &Shared,
    caller: &Caller,
    params: &RawPathParams,
    drain: Drain,
) -> DataAnswer<AdminDrain> {
    operator(caller)?;
    let node = NodeId(read::text(params, "nodeId").to_owned());
    data(shared.nodes.drain(&node, drain).await?)
}

/// A media node says that it is there; the gate has checked that it is one.
pub(super) async fn register_node(
    State(shared): State<Arc<Shared>>,
    Body(request): Body<RegisterNode>,
) -> DataAnswer<Registered> {
    data(shared.nodes.register(&request)?)
}
