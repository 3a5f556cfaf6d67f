//! `meeshy drain`: has a media node take no more rooms, and waits until its calls have ended.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use ::gateway::auth::{LoginSubject, login_token};
use anyhow::{Context, Result, bail};
use edge::token::TokenSigner;
use reqwest::Method;
use serde::Deserialize;
use signalling::client_gateway::GatewayEndpoint;
use signalling::client_node::Endpoint;
use signalling::error::Answer;
use signalling::token::Token;

use crate::run::{self, Unsuitable};
use crate::{complain, say};

/// A server that needs longer than this for one answer is not well.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks at whether the node is empty.
const PAUSE: Duration = Duration::from_secs(1);
/// A token is made for each request and needs no longer.
const LIFETIME: Duration = Duration::from_secs(60);
/// Where a node listens unless told otherwise.
const NODE_PORT: u16 = 3001;
/// Where a gateway does.
const GATEWAY_PORT: u16 = 4000;

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Base URL of the media node or, with --node, of the gateway [default: this machine and PORT]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Name of the node as the gateway knows it: its host and port
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    /// Seconds to wait until the node holds no calls; 0 does not wait
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    wait: u64,
    /// Have it take rooms again
    #[arg(long, conflicts_with = "wait")]
    undo: bool,
    /// Port on this machine, if no URL is given [default: 3001, with --node 4000]
    #[arg(long, env = "PORT", value_name = "PORT")]
    port: Option<String>,
    /// Secret of the server that is asked
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<String>,
}

/// How a node is while it drains; what a node and a gateway answer has this in common.
#[derive(Deserialize)]
struct Drained {
    draining: bool,
    rooms: u32,
}

/// Whom to ask, and how.
struct Server {
    url: String,
    secret: String,
    /// The node's name, if the gateway is asked.
    node: Option<String>,
}

/// Exit status 0 if the node is empty, 1 if it is not in time, 78 for wrong settings.
pub(crate) fn drain(arguments: &Arguments) -> Result<ExitCode> {
    let server = match Server::new(arguments) {
        Ok(server) => server,
        Err(reason) => return Ok(run::refuse(&reason)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        if arguments.undo {
            let node = server.ask(&http, Method::DELETE).await?;
            say(&format!("draining: {}, calls: {}", node.draining, node.rooms));
            return Ok(ExitCode::SUCCESS);
        }
        server.empty(&http, Duration::from_secs(arguments.wait)).await
    })
}

impl Server {
    fn new(arguments: &Arguments) -> Result<Self, Unsuitable> {
        let given = |text: &Option<String>| edge::setting::given(text).map(str::to_owned);
        let secret = given(&arguments.jwt_secret).ok_or_else(|| {
            Unsuitable::new("JWT_SECRET is missing: the server is asked with a token that is signed with it")
        })?;
        let default = if arguments.node.is_some() {
            GATEWAY_PORT
        } else {
            NODE_PORT
        };
        let port: u16 = match given(&arguments.port) {
            Some(text) => text.parse().map_err(|_| {
                Unsuitable::new(format!("PORT: `{text}` is no port; use a number from 1 to 65535"))
            })?,
            None => default,
        };
        let url = given(&arguments.url).unwrap_or_else(|| format!("http://127.0.0.1:{port}"));
        let url = match url.split_once("://") {
            None => format!("http://{url}"),
            Some(("http", _)) => url,
            Some((scheme, _)) => {
                let reason = format!(
                    "--url: only http is spoken here, not {scheme}: use the address inside the network"
                );
                return Err(Unsuitable::new(reason));
            }
        };
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            secret,
            node: arguments.node.clone(),
        })
    }

    fn path(&self) -> String {
        match &self.node {
            Some(node) => GatewayEndpoint::DrainNode.path().replace("{nodeId}", node),
            None => Endpoint::Drain.path().to_owned(),
        }
    }

    fn token(&self) -> Token {
        match &self.node {
            Some(_) => login_token(&self.secret, LoginSubject::Service, LIFETIME),
            None => TokenSigner::new(&self.secret).service(None).token,
        }
    }

    async fn ask(&self, http: &reqwest::Client, method: Method) -> Result<Drained> {
        let request = http.request(method, format!("{}{}", self.url, self.path()));
        let answer = request.bearer_auth(self.token().0).send().await;
        let answer = answer.with_context(|| format!("{} does not answer", self.url))?;
        let status = answer.status();
        let answer: Answer<Drained> = answer
            .json()
            .await
            .with_context(|| format!("{} answers {status} and something that is not ours", self.url))?;
        match answer.into_result() {
            Ok(node) => Ok(node),
            Err(error) => bail!("{} refuses: {error}", self.url),
        }
    }

    /// Begins the drain, and waits until there are no calls.
    async fn empty(&self, http: &reqwest::Client, patience: Duration) -> Result<ExitCode> {
        let begun = Instant::now();
        let mut rooms = self.ask(http, Method::POST).await?.rooms;
        say(&format!("takes no more rooms, calls that go on: {rooms}"));
        while rooms > 0 {
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                complain(&format!("calls that still go on: {rooms}"));
                return Ok(ExitCode::FAILURE);
            }
            tokio::time::sleep(PAUSE.min(left)).await;
            // Asked again rather than only looked at: a node that was started anew meanwhile has forgotten it.
            // One missed answer is no reason to have calls cut off by whoever waits for us.
            let now = match self.ask(http, Method::POST).await {
                Ok(node) => node.rooms,
                Err(error) => {
                    complain(&format!("{error:#}"));
                    rooms
                }
            };
            if now != rooms {
                say(&format!("calls that go on: {now}"));
            }
            rooms = now;
        }
        say("empty");
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> Arguments {
        Arguments {
            url: None,
            node: None,
            wait: 0,
            undo: false,
            port: None,
            jwt_secret: Some("s".repeat(32)),
        }
    }

    #[test]
    fn a_node_finds_itself_by_its_settings() {
        let server = Server::new(&arguments()).expect("settings of a node");
        assert_eq!(
            (server.url.as_str(), server.path().as_str()),
            ("http://127.0.0.1:3001", "/api/drain")
        );
        let elsewhere = Arguments {
            port: Some("3005".into()),
            ..arguments()
        };
        assert_eq!(
            Server::new(&elsewhere).expect("a port").url,
            "http://127.0.0.1:3005"
        );
    }

    #[test]
    fn a_gateway_is_asked_for_a_node_by_name() {
        let through = Arguments {
            node: Some("media-1:3001".into()),
            ..arguments()
        };
        let server = Server::new(&through).expect("settings of a gateway");
        assert_eq!(server.url, "http://127.0.0.1:4000");
        assert_eq!(server.path(), "/api/admin/nodes/media-1:3001/drain");
        let named = Arguments {
            url: Some("gateway:80/".into()),
            ..through
        };
        assert_eq!(Server::new(&named).expect("a URL").url, "http://gateway:80");
    }

    #[test]
    fn wrong_settings_are_named() {
        let wrong = [
            (
                Arguments {
                    jwt_secret: None,
                    ..arguments()
                },
                "JWT_SECRET",
            ),
            (
                Arguments {
                    port: Some("x".into()),
                    ..arguments()
                },
                "PORT",
            ),
            (
                Arguments {
                    url: Some("https://gateway".into()),
                    ..arguments()
                },
                "--url",
            ),
        ];
        for (arguments, name) in wrong {
            let reason = Server::new(&arguments).map(drop).expect_err("a wrong setting");
            assert!(reason.to_string().contains(name), "{reason}");
        }
    }
}
