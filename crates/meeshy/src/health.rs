//! `meeshy health`: asks a running server and answers with the exit status.

use std::process::ExitCode;

use anyhow::Result;
use edge::setting::given;
use edge::tls::client::Trust;

use crate::ask::{Request, Scheme, Server};
use crate::{complain, say};

/// Where a server listens unless told otherwise: a gateway, then a media node.
const PORTS: [u16; 2] = [4000, 3001];

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address of the server, such as `http://localhost:4000` [default: localhost and the port]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Port on this machine [default: whichever answers, that of a gateway or of a media node]
    #[arg(long, env = "PORT", value_name = "PORT")]
    port: Option<u16>,
    /// Set if the server on this machine speaks HTTPS, as it does with this setting
    #[arg(long, env = "TLS_CERT_FILE", value_name = "FILE")]
    tls_cert_file: Option<String>,
    /// Ask whether it is ready for new calls, not only whether it lives
    #[arg(long)]
    ready: bool,
}

impl Arguments {
    /// Whom to ask. The certificate of a server on this machine is not looked at: it is for the name by which others
    /// call it.
    fn server(&self) -> Result<Server> {
        let scheme = match given(&self.tls_cert_file) {
            Some(_) => Scheme::Https(Trust::Anybody),
            None => Scheme::Http,
        };
        match (&self.url, self.port) {
            (Some(url), _) => Server::of(url),
            (None, Some(port)) => Ok(Server::here(scheme, port)),
            (None, None) => Ok(whichever_listens(scheme)),
        }
    }
}

/// The server on this machine when nobody said its port: one image serves every role, and its health check cannot
/// know which one was started.
fn whichever_listens(scheme: Scheme) -> Server {
    let servers = PORTS.map(|port| Server::here(scheme, port));
    let listens = servers.iter().find(|server| server.connect().is_ok());
    listens.unwrap_or(&servers[0]).clone()
}

/// Exit status 0 if the server says it is well.
pub(crate) fn check(arguments: &Arguments) -> Result<ExitCode> {
    let server = arguments.server()?;
    let path = if arguments.ready { "/ready" } else { "/health" };
    let asked = format!("{}{path}", server.authority());
    match server.ask(&Request::get(path)) {
        Ok(answer) if answer.status == 200 => {
            say(answer.body.trim());
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => {
            complain(&format!(
                "{asked} answers {}: {}",
                answer.status,
                answer.body.trim()
            ));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            complain(&format!("{} does not answer: {error:#}", server.authority()));
            Ok(ExitCode::FAILURE)
        }
    }
}
