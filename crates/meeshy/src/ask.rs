//! One HTTP request at a time, without a library: a container's health check should cost nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use edge::tls::client::{self, Trust};

/// A server that needs longer than this is not well.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Largest answer that is read, bytes; a node's figures are the largest.
const LARGEST: u64 = 4 << 20;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    /// Whose certificates are believed.
    Https(Trust),
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) scheme: Scheme,
    /// A name or an address; an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            token: None,
            body: None,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Server {
    /// On this machine.
    pub(crate) fn here(scheme: Scheme, port: u16) -> Self {
        Self {
            scheme,
            host: "127.0.0.1".to_owned(),
            port,
        }
    }

    /// By its URL; a path is ignored, as whoever asks knows what to ask for. Certificates must be good.
    pub(crate) fn of(url: &str) -> Result<Self> {
        let (scheme, rest) = match url.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https(Trust::System), rest),
            Some((scheme, _)) => bail!("--url: only http and https are spoken here, not {scheme}"),
            None => (Scheme::Http, url),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        let usual = if scheme == Scheme::Http { 80 } else { 443 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port
                    .parse()
                    .ok()
                    .with_context(|| format!("--url: `{port}` is no port"))?;
                (host, port)
            }
            _ => (authority, usual),
        };
        if host.is_empty() {
            bail!("--url: `{url}` names no host");
        }
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port,
        })
    }

    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The first of its addresses that takes a connection.
    pub(crate) fn connect(&self) -> Result<TcpStream> {
        let host = self.host.trim_matches(['[', ']']);
        let mut last = None;
        for address in (host, self.port).to_socket_addrs()? {
            match connect(address) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(|| anyhow::anyhow!("the name has no address"), Into::into))
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        let stream = self.connect()?;
        match self.scheme {
            Scheme::Http => self.converse(stream, request),
            Scheme::Https(trust) => self.converse(client::connect(stream, &self.host, trust)?, request),
        }
    }

    fn converse(&self, mut stream: impl Read + Write, request: &Request<'_>) -> Result<Answer> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            request.method,
            request.path,
            self.authority()
        );
        if let Some(token) = request.token {
            text.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        let body = request.body.unwrap_or_default();
        if request.body.is_some() || request.method == "POST" {
            text.push_str(&format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        stream.write_all(format!("{text}\r\n{body}").as_bytes())?;
        stream.flush()?;
        let mut answer = Vec::new();
        // Some close without a goodbye; what counts is whether the answer is whole.
        let read = stream.take(LARGEST).read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            read?;
            bail!("no HTTP answer");
        };
        let status = head
            .split_whitespace()
            .nth(1)
            .and_then(|status| status.parse().ok());
        Ok(Answer {
            status: status.context("no HTTP status")?,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_reduced_to_host_and_port() {
        let tls = Scheme::Https(Trust::System);
        let table = [
            ("http://localhost:4000", Scheme::Http, "localhost", 4000),
            ("http://localhost:4000/health", Scheme::Http, "localhost", 4000),
            ("http://media.example.org/", Scheme::Http, "media.example.org", 80),
            ("https://calls.example.org/c/1?x=y", tls, "calls.example.org", 443),
            (
                "https://user@calls.example.org:8443",
                tls,
                "calls.example.org",
                8443,
            ),
            ("http://[::1]:3001", Scheme::Http, "[::1]", 3001),
            ("http://[::1]", Scheme::Http, "[::1]", 80),
            ("127.0.0.1:3001", Scheme::Http, "127.0.0.1", 3001),
        ];
        for (url, scheme, host, port) in table {
            let host = host.to_owned();
            assert_eq!(
                Server::of(url).expect("a good URL"),
                Server { scheme, host, port },
                "{url}"
            );
        }
        for wrong in ["ftp://example.org", "http://", "http://a:b", "http://a:70000"] {
            assert!(Server::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_are_found_whatever_their_case() {
        let answer = Answer {
            status: 200,
            head: "HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 11:00:00 GMT\r\nx: y".to_owned(),
            body: String::new(),
        };
        assert_eq!(answer.header("Date"), Some("Mon, 23 Nov 2026 11:00:00 GMT"));
        assert_eq!(answer.header("Age"), None);
    }
}
