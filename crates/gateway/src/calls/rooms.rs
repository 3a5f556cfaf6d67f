//! The task that asks media nodes what a call wants of them: one thing after the other, beside the call itself.

use std::sync::Arc;

use call::{Input, NodeCommand, RoomAttempt, RoomInfo};
use tokio::sync::mpsc;
use tracing::{Instrument, Span};

use super::Inner;
use super::mailbox::Mail;
use super::registry::Running;
use crate::nodes::Wish;

/// Starts the task for one call. It ends when the sender is gone and everything was done.
pub(super) fn spawn(inner: Arc<Inner>, running: &Running) -> mpsc::UnboundedSender<(NodeCommand, Span)> {
    let (sender, mut commands) = mpsc::unbounded_channel::<(NodeCommand, Span)>();
    let running = running.clone();
    tokio::spawn(async move {
        while let Some((command, span)) = commands.recv().await {
            let span = span.in_scope(|| edge::span!("room command", call = %running.call));
            let work = carry_out(&inner, &running, command).instrument(span);
            if let Some(input) = work.await {
                if let Input::RoomReady { room, .. } = &input {
                    tracing::info!(call = %running.call, node = %room.node.0, "the call has a room");
                }
                // A call that is over has no use for it.
                drop(running.mailbox.send(Mail::input(input, None)).await);
            }
        }
        inner.nodes.forget(&running.call).await;
    });
    sender
}

async fn carry_out(inner: &Inner, running: &Running, command: NodeCommand) -> Option<Input> {
    let nodes = &inner.nodes;
    match command {
        NodeCommand::OpenRoom {
            attempt,
            avoid,
            standby,
        } => {
            let wish = Wish {
                avoid: avoid.as_ref(),
                standby,
                region: running.region.or(&inner.region),
            };
            let room = nodes.open(&running.call, wish).await;
            Some(opened(attempt, room))
        }
        NodeCommand::WatchRoom { attempt, node } => Some(match nodes.watch(&running.call, &node).await {
            Some(room) => Input::RoomReady { attempt, room },
            None => Input::RoomLost { node },
        }),
        NodeCommand::RemoveParticipant { node, participant } => {
            nodes.remove_participant(&running.call, &node, &participant).await;
            None
        }
        NodeCommand::SetProducerPaused {
            node,
            producer,
            paused,
        } => {
            nodes
                .set_producer_paused(&running.call, &node, producer, paused)
                .await;
            None
        }
        NodeCommand::DestroyRoom { node } => {
            nodes.destroy(&running.call, &node).await;
            None
        }
    }
}

fn opened(attempt: RoomAttempt, room: Option<RoomInfo>) -> Input {
    match room {
        Some(room) => Input::RoomReady { attempt, room },
        None => Input::RoomFailed { attempt },
    }
}
