//! Do STUN servers answer, do TURN servers relay?

use std::time::SystemTime;

use ::gateway::config::Environment;
use ::gateway::ice_servers::IceServers;
use signalling::Timestamp;
use turn_check::{Credentials, Fault, Loop, ServerUrl, Step, binding, relay};

use super::Patient;
use super::finding::Finding;

const STUN: &str = "stun";
const TURN: &str = "turn";
/// Who asks, in the user name of credentials.
const WHO: &str = "doctor";

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let Some(gateway) = &patient.gateway else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let ice = IceServers::new(gateway.ice.clone());
    for url in &gateway.ice.stun {
        findings.push(stun(url, patient).await);
    }
    let servers = ice.everything_for(Timestamp::from(SystemTime::now()), WHO);
    let mut relays = 0;
    for server in servers {
        let (Some(username), Some(password)) = (server.username, server.credential) else {
            continue;
        };
        let credentials = Credentials { username, password };
        for url in &server.urls {
            relays += 1;
            findings.push(turn(url, &credentials, patient).await);
        }
    }
    if relays == 0 {
        let message = "no TURN server: people behind strict firewalls cannot take part in calls of two";
        findings.push(match gateway.environment {
            Environment::Production => Finding::warning(TURN, message).remedy(
                "run coturn with use-auth-secret, set TURN_URLS to its URLs and TURN_SECRET to its static-auth-secret",
            ),
            Environment::Development => Finding::ok(TURN, message),
        });
    }
    findings
}

async fn stun(text: &str, patient: &Patient) -> Finding {
    let url: ServerUrl = match text.parse() {
        Ok(url) => url,
        Err(error) => return Finding::problem(STUN, format!("{text}: {error}")).remedy("correct STUN_URLS"),
    };
    match binding::stun(&url, &patient.asking).await {
        Ok(bound) => Finding::ok(
            STUN,
            format!("{text} answers in {} ms", bound.round_trip.as_millis()),
        ),
        Err(fault) => Finding::problem(STUN, format!("{text}: {fault}"))
            .remedy("set STUN_URLS to servers that answer, or let UDP to them out of this network"),
    }
}

async fn turn(text: &str, credentials: &Credentials, patient: &Patient) -> Finding {
    let url: ServerUrl = match text.parse() {
        Ok(url) => url,
        Err(error) => return Finding::problem(TURN, format!("{text}: {error}")).remedy("correct TURN_URLS"),
    };
    match relay::check(&url, credentials, &patient.asking).await {
        Ok(relayed) => match relayed.back {
            Loop::Back(took) => Finding::ok(
                TURN,
                format!(
                    "{text} relays through {} in {} ms",
                    relayed.relayed,
                    took.as_millis()
                ),
            ),
            Loop::Forbidden => Finding::ok(
                TURN,
                format!(
                    "{text} allocates {}; it does not relay to its own address, so that was not tried",
                    relayed.relayed
                ),
            ),
        },
        Err(fault) => Finding::problem(TURN, format!("{text}: {fault}")).remedy(remedy(&fault)),
    }
}

fn remedy(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unauthorized => {
            "set TURN_SECRET to static-auth-secret of that server (TURN_FALLBACK_CREDENTIAL for the rented one), \
             and its clock right"
        }
        Fault::Unresolvable { .. } => "correct the name in TURN_URLS, or its entry in the DNS",
        Fault::Unreachable { .. } | Fault::Silent { .. } => {
            "start that server, open its port (3478, and 5349 for turns:), or correct TURN_URLS"
        }
        Fault::Tls { .. } => "give that server a certificate for the name in TURN_URLS that browsers trust",
        Fault::Refused { code: 486, .. } => "raise user-quota and total-quota of that server",
        Fault::Refused {
            step: Step::Allocate, ..
        } => "look at the log of that server (realm, relay addresses)",
        Fault::NotRelayed { .. } => {
            "open the range of relay ports (min-port to max-port) of that server, and set its external-ip"
        }
        Fault::Refused { .. } | Fault::BadAnswer { .. } => "see that TURN_URLS names a TURN server",
    }
}
