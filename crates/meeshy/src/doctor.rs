//! `meeshy doctor`: looks whether everything a server needs is there, with the settings the server would use, and says
//! which setting to change.

use std::process::ExitCode;
use std::time::Duration;

use ::gateway::config::{GatewayConfig, Part};
use anyhow::Result;
use clap::ValueEnum;
use edge::tls::client::{self, Trust};
use media_node::config::{Config as NodeConfig, Role as NodeRole};
use serde::Serialize;
use turn_check::Asking;

use crate::ask::Server;
use crate::data::Kept;
use crate::run::{self, Unsuitable};
use crate::say;
use crate::serve::{self, Told};

mod certificates;
mod clock;
mod database;
mod finding;
mod limits;
mod media;
mod network;
mod redis;
mod relays;
mod site;

use finding::{Finding, Verdict};

/// How long one server is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Exit status for warnings, where they count.
const WARNED: u8 = 1;
/// Exit status for problems.
const ILL: u8 = 2;
/// Exit status for settings that are wrong, as when starting with them.
const BAD_CONFIGURATION: u8 = 78;

/// Which server the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    /// Everything in one process
    Serve,
    /// The gateway alone
    Gateway,
    /// The media node alone
    Media,
}

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which server the settings are for
    #[arg(long, value_enum, default_value = "serve")]
    role: Role,
    /// Address by which people reach the server, such as `https://calls.example.org`, to look at it from outside
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// Have warnings count: exit status 1
    #[arg(long)]
    strict: bool,
    /// A Redis server, looked at if set
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    redis_url: Option<String>,
    #[command(flatten)]
    told: Told,
}

/// What is looked at.
struct Patient {
    role: Role,
    /// Of the parts that the role has.
    node: Option<NodeConfig>,
    gateway: Option<GatewayConfig>,
    told: Told,
    url: Option<Server>,
    redis_url: Option<String>,
    asking: Asking,
}

/// What is printed with `--json`; fields are only ever added.
#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    role: Role,
    verdict: Verdict,
    findings: &'a [Finding],
}

/// Looks at everything.
pub(crate) fn doctor(mut arguments: Arguments) -> Result<ExitCode> {
    let role = arguments.role;
    let (json, strict) = (arguments.json, arguments.strict);
    let url = arguments.url.take().map(|url| Server::of(&url)).transpose()?;
    let patient = match examine(arguments, url) {
        Ok(patient) => patient,
        Err(error) => {
            let findings: Vec<Finding> = error
                .to_string()
                .lines()
                .map(|line| Finding::problem("settings", line))
                .collect();
            print(role, &findings, json)?;
            return Ok(ExitCode::from(BAD_CONFIGURATION));
        }
    };
    let mut findings = vec![Finding::ok("settings", "every setting can be read")];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(look(&patient, &mut findings));
    // Names that do not resolve may still be asked for.
    runtime.shutdown_background();
    print(role, &findings, json)?;
    Ok(match finding::worst(&findings) {
        Verdict::Problem => ExitCode::from(ILL),
        Verdict::Warning if strict => ExitCode::from(WARNED),
        Verdict::Warning | Verdict::Ok => ExitCode::SUCCESS,
    })
}

/// Reads the settings as the server would.
fn examine(arguments: Arguments, url: Option<Server>) -> Result<Patient, Unsuitable> {
    let mut told = arguments.told;
    let (node, gateway) = match arguments.role {
        Role::Serve => {
            told.complete(Kept::Look)?;
            let (node, gateway) = told.check()?;
            (Some(node), Some(gateway))
        }
        Role::Gateway => {
            let shared = serve::shared(&told.node);
            let gateway = told
                .gateway
                .check(&shared, Part::Alone)
                .map_err(Unsuitable::new)?;
            (None, Some(gateway))
        }
        Role::Media => (
            Some(told.node.check(NodeRole::Media).map_err(Unsuitable::new)?),
            None,
        ),
    };
    told.tls.files()?;
    Ok(Patient {
        role: arguments.role,
        node,
        gateway,
        told,
        url,
        redis_url: edge::setting::given(&arguments.redis_url).map(str::to_owned),
        asking: Asking {
            patience: PATIENCE,
            tls: client::config(Trust::System),
        },
    })
}

/// One look after the other, cheap ones first: the next one is told what was seen before.
async fn look(patient: &Patient, findings: &mut Vec<Finding>) {
    findings.extend(limits::look(patient));
    let port = network::http_port(patient).await;
    let running = port.running;
    findings.extend(port.findings);
    findings.extend(network::media_ports(patient, running));
    findings.extend(network::announced(patient));
    findings.extend(media::look(patient, running).await);
    findings.extend(certificates::look(patient));
    findings.extend(database::look(patient).await);
    findings.extend(relays::look(patient).await);
    findings.extend(redis::look(patient).await);
    findings.extend(site::look(patient).await);
    findings.extend(clock::look(patient).await);
}

fn print(role: Role, findings: &[Finding], json: bool) -> Result<()> {
    if json {
        let report = Report {
            version: signalling::version::SOFTWARE,
            role,
            verdict: finding::worst(findings),
            findings,
        };
        say(&serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    for finding in findings {
        say(&finding.to_string());
    }
    let count = |verdict| {
        findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    };
    let (problems, warnings) = (count(Verdict::Problem), count(Verdict::Warning));
    say(&format!(
        "{} looked at: {problems} problem(s), {warnings} warning(s)",
        findings.len()
    ));
    Ok(())
}

/// Runs something that waits beside what does not.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Asks a server from beside the runtime.
async fn ask(server: &Server, path: &'static str) -> Result<crate::ask::Answer> {
    let server = server.clone();
    let asked = blocking(move || server.ask(&crate::ask::Request::get(path))).await;
    asked.unwrap_or_else(|| anyhow::bail!("the question was lost"))
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    run::chain(error)
}
