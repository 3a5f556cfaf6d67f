//! Body of the fuzz target, kept here so that it compiles and runs with the tests.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client_node as node;
use crate::error::{Answer, Done, Failure};
use crate::{client_gateway as gateway, gateway_node, token};

/// Reads the bytes as every message a peer may send; what is understood must survive writing and reading again.
///
/// # Panics
/// If a message is written as something other than it was read.
pub fn signalling_json(bytes: &[u8]) {
    check::<node::CreateTransportRequest>(bytes);
    check::<node::ConnectTransportRequest>(bytes);
    check::<node::PreferredLayersRequest>(bytes);
    check::<node::JoinRoom>(bytes);
    check::<node::LeaveRoom>(bytes);
    check::<node::Ack>(bytes);
    check::<node::NewProducer>(bytes);
    check::<node::ProducerClosed>(bytes);
    check::<node::ConsumerPaused>(bytes);
    check::<node::ActiveSpeaker>(bytes);
    check::<node::ConsumeResponse>(bytes);
    check::<node::CreateTransportResponse>(bytes);
    check::<node::RoomResponse>(bytes);
    check::<gateway_node::TransportState>(bytes);
    check::<gateway_node::WorkerDied>(bytes);
    check::<gateway::Authenticate>(bytes);
    check::<gateway::Initiate>(bytes);
    check::<gateway::Join>(bytes);
    check::<gateway::SignalRequest>(bytes);
    check::<gateway::MediaStateChange>(bytes);
    check::<gateway::ModeSwitchAck>(bytes);
    check::<gateway::DevLoginRequest>(bytes);
    check::<gateway::CreateConversationRequest>(bytes);
    check::<gateway::CreateLinkRequest>(bytes);
    check::<gateway::JoinAnonymousRequest>(bytes);
    check::<token::Claims>(bytes);
    check::<Failure>(bytes);
    check::<Done>(bytes);
    check::<Answer<node::ProduceResponse>>(bytes);
    if let Ok(request) = serde_json::from_slice::<node::ProduceRequest>(bytes)
        && request.kind.0.is_ok()
        && request.rtp_parameters.0.is_ok()
    {
        written_is_read(&request);
    }
    if let Ok(request) = serde_json::from_slice::<node::ConsumeRequest>(bytes)
        && request.rtp_capabilities.0.is_ok()
    {
        written_is_read(&request);
    }
}

fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<T>(bytes) {
        written_is_read(&message);
    }
}

fn written_is_read<T: DeserializeOwned + Serialize + PartialEq + Debug>(message: &T) {
    let json = serde_json::to_vec(message).expect("messages can be written");
    let again: T = serde_json::from_slice(&json).expect("what is written can be read");
    assert_eq!(&again, message);
}
