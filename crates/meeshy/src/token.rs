//! `meeshy token`: a token for trying things out.

use std::process::ExitCode;
use std::time::Duration;

use ::gateway::auth::{LoginSubject, login_token};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use edge::token::TokenSigner;
use signalling::token::{PARTICIPANT_LIFETIME, Subject};
use signalling::{CallId, ParticipantId, UserId};

use crate::say;

/// Whom a token is for, and which server it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// A participant of one call, at a media node
    Participant,
    /// A service, at media nodes
    Service,
    /// A registered user, at the gateway
    User,
    /// An administrator of the installation, at the gateway
    Admin,
    /// A service, at the gateway
    GatewayService,
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
    /// The user it is for
    #[arg(long, value_name = "ID")]
    user_id: Option<UserId>,
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
    let login = |subject| login_token(&arguments.jwt_secret, subject, lifetime);
    let user = || arguments.user_id.context("a user's token needs --user-id");
    let token = match (arguments.role, &arguments.call_id, &arguments.participant_id) {
        (Role::Service, call, _) => signer.service_for(call.clone(), lifetime).token,
        (Role::Participant, Some(call), Some(participant)) => {
            let subject = Subject("developer".to_owned());
            signer
                .participant(subject, call.clone(), participant.clone(), lifetime)
                .token
        }
        (Role::Participant, ..) => bail!("a participant's token needs --call-id and --participant-id"),
        (Role::User, ..) => login(LoginSubject::User(user()?)),
        (Role::Admin, ..) => login(LoginSubject::Admin(user()?)),
        (Role::GatewayService, ..) => login(LoginSubject::Service),
    };
    say(&token.0);
    Ok(ExitCode::SUCCESS)
}
