//! What operators see and do.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use edge::Body;
use edge::answer::{DataAnswer, data};
use signalling::client_gateway::{AdminFlags, AdminFlagsChange, AdminOverview};
use signalling::error::ErrorBody;
use signalling::{Timestamp, version};

use super::gate::Known;
use super::read;
use crate::auth::Caller;
use crate::fault::fault;
use crate::flags;
use crate::gateway::Shared;

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
