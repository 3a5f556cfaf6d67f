//! `meeshy token`: a token for trying things out.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use media_node::api::auth::TokenSigner;
use signalling::token::{PARTICIPANT_LIFETIME, Subject};
use signalling::{CallId, ParticipantId};

use crate::say;

/// Whom a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    Participant,
    Service,
}

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server's secret
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: String,
    /// The call it is for; a service's token may be for all calls
    #[arg(long, value_name = "ID")]
    call_id: Option<CallId>,
    /// The participant it is for
    #[arg(long, value_name = "ID")]
    participant_id: Option<ParticipantId>,
    /// Whom it is for
    #[arg(long, value_enum, default_value = "participant")]
    role: Role,
    /// Seconds until it ends
    #[arg(long, default_value_t = PARTICIPANT_LIFETIME, value_name = "SECONDS")]
    ttl: u64,
}

/// Prints a token and nothing else.
pub(crate) fn print(arguments: &Arguments) -> Result<ExitCode> {
    let signer = TokenSigner::new(&arguments.jwt_secret);
    let lifetime = Duration::from_secs(arguments.ttl);
    let minted = match (arguments.role, &arguments.call_id, &arguments.participant_id) {
        (Role::Service, call, _) => signer.service_for(call.clone(), lifetime),
        (Role::Participant, Some(call), Some(participant)) => signer.participant(
            Subject("developer".to_owned()),
            call.clone(),
            participant.clone(),
            lifetime,
        ),
        (Role::Participant, ..) => bail!("a participant's token needs --call-id and --participant-id"),
    };
    say(&minted.token.0);
    Ok(ExitCode::SUCCESS)
}
