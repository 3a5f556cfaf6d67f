//! What is spoken between a person's client and the gateway.

use ts_rs::Config;

use super::{Declaration, declare};
use crate::client_gateway::{admin, call, directory, event, request, rest};

/// Types by the file they are declared in.
pub(super) fn modules(config: &Config) -> Vec<(&'static str, Vec<Declaration>)> {
    vec![
        ("call", call(config)),
        ("request", request(config)),
        ("event", event(config)),
        ("rest", rest(config)),
        ("directory", directory(config)),
        ("admin", admin(config)),
    ]
}

fn call(config: &Config) -> Vec<Declaration> {
    declare_all![config;
        call::CallType, call::Mode, call::TransitionState, call::CallStatus, call::EndReason, call::Outcome,
        call::ParticipantStatus, call::ParticipantRole, call::LeaveReason, call::SwitchReason, call::PeerRole,
        call::RejectReason, call::MediaType, call::CallSettings, call::MediaState, call::UserSummary,
        call::ParticipantDto, call::MediaServerConfig, call::CallDto, call::JoinDto, call::PendingTransition,
        call::IceServer,
    ]
}

fn request(config: &Config) -> Vec<Declaration> {
    declare_all![config;
        request::Authenticate, request::Initiate, request::Initiated, request::Join, request::Reject,
        request::Leave, request::LeaveAck, request::EndAck, request::CallRef, request::ParticipantRef,
        request::ConsumerRef, request::SignalRequest, request::Signal, request::SignalType, request::Toggle,
        request::MediaStateChange, request::ModeSwitchAck, request::SfuProof, request::SwitchGap,
        request::Caption, request::QualityReport, request::Diagnostics, request::Credentials,
        request::OfferAlias, request::AnswerAlias, request::CandidateAlias, request::MuteAlias,
        request::CallAck<ts_rs::Dummy>,
    ]
}

fn event(config: &Config) -> Vec<Declaration> {
    declare_all![config;
        event::Authenticated, event::AuthenticatedUser, event::CallInitiated, event::Incoming,
        event::ParticipantJoined, event::Started, event::Rejected, event::AnsweredElsewhere, event::SignalEvent,
        event::MediaToggled, event::ParticipantMediaState, event::MediaServer, event::ModeSwitch,
        event::ModeSwitched, event::ParticipantLeft, event::TranscriptionEvent, event::ActiveSpeakerEvent,
        event::Ongoing, event::Ended, event::CallError, event::DirectoryChanged, event::Presence,
    ]
}

fn rest(config: &Config) -> Vec<Declaration> {
    declare_all![config;
        rest::StartCallResponse, rest::JoinCallRequest, rest::LeftResponse, rest::EndedResponse,
        rest::CallHistory, rest::CallSummary, rest::ActiveCall, rest::SetModeRequest, rest::SetModeResponse,
        rest::TranscriptionRequest, rest::TranscriptionResponse, rest::IceServersResponse, rest::TrackedLink,
        rest::GuestPermissions, rest::JoinAnonymousRequest, rest::JoinAnonymousResponse, rest::GatewayConfig,
    ]
}

fn directory(config: &Config) -> Vec<Declaration> {
    declare_all![config;
        directory::ConversationType, directory::MemberRole, directory::DevLoginRequest,
        directory::LoginResponse, directory::Account, directory::Person, directory::ConversationDto,
        directory::CreateConversationRequest, directory::CreateLinkRequest, directory::ShareLinkDto,
    ]
}

fn admin(config: &Config) -> Vec<Declaration> {
    declare_all![config;
        admin::AdminOverview, admin::AdminCall, admin::AdminSwitches, admin::AdminSwitch, admin::AdminNode,
        admin::NodeOrigin, admin::NodeState, admin::AdminTurn, admin::TurnState, admin::AdminFlags,
        admin::AdminFlag, admin::FlagSource, admin::AdminFlagsChange, admin::AdminDrain,
    ]
}
