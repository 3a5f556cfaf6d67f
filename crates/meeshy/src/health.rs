//! `meeshy health`: asks a running server and answers with the exit status.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{complain, say};

/// A server that needs longer than this is not well.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Where a server listens unless told otherwise: a gateway, then a media node.
const PORTS: [u16; 2] = [4000, 3001];

/// Largest answer that is read, bytes; a node's figures are the largest.
const LARGEST: u64 = 4 << 20;

/// What the command takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address of the server, such as http://localhost:4000 [default: localhost and the port]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Port on this machine [default: whichever answers, that of a gateway or of a media node]
    #[arg(long, env = "PORT", value_name = "PORT")]
    port: Option<u16>,
    /// Ask whether it is ready for new calls, not only whether it lives
    #[arg(long)]
    ready: bool,
}

/// Exit status 0 if the server says it is well.
pub(crate) fn check(arguments: &Arguments) -> Result<ExitCode> {
    let authority = match (&arguments.url, arguments.port) {
        (Some(url), _) => authority(url)?,
        (None, Some(port)) => format!("127.0.0.1:{port}"),
        (None, None) => whichever_listens(),
    };
    let path = if arguments.ready { "/ready" } else { "/health" };
    match ask(&authority, path) {
        Ok((200, body)) => {
            say(body.trim());
            Ok(ExitCode::SUCCESS)
        }
        Ok((status, body)) => {
            complain(&format!("{authority}{path} answers {status}: {}", body.trim()));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            complain(&format!("{authority} does not answer: {error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The server on this machine when nobody said its port: one image serves every role, and its health check cannot
/// know which one was started.
fn whichever_listens() -> String {
    let listens = |port: &u16| TcpStream::connect_timeout(&([127, 0, 0, 1], *port).into(), TIMEOUT).is_ok();
    let port = PORTS.into_iter().find(listens).unwrap_or(PORTS[0]);
    format!("127.0.0.1:{port}")
}

/// Host and port of a plain HTTP URL; a path is ignored, as the command knows its own.
fn authority(url: &str) -> Result<String> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some((scheme, _)) => bail!("--url: only http is spoken here, not {scheme}"),
        None => url,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match authority {
        "" => bail!("--url: `{url}` names no host"),
        _ if has_port => Ok(authority.to_owned()),
        _ => Ok(format!("{authority}:80")),
    }
}

/// One HTTP request without a library: a container's health check should cost nothing.
pub(crate) fn ask(authority: &str, path: &str) -> Result<(u16, String)> {
    let address = authority
        .to_socket_addrs()?
        .next()
        .context("the name has no address")?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(LARGEST).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok((status.context("no HTTP status")?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_reduced_to_host_and_port() {
        let table = [
            ("http://localhost:4000", "localhost:4000"),
            ("http://localhost:4000/health", "localhost:4000"),
            ("http://media.example.org/", "media.example.org:80"),
            ("http://[::1]:3001", "[::1]:3001"),
            ("127.0.0.1:3001", "127.0.0.1:3001"),
        ];
        for (url, expected) in table {
            assert_eq!(authority(url).expect("a good URL"), expected);
        }
        assert!(authority("https://example.org").is_err());
        assert!(authority("http://").is_err());
    }
}
