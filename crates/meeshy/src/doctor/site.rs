//! The server as people reach it, by `--url`.

use std::time::SystemTime;

use edge::tls::client::{self, Trust};
use edge::tls::{Standing, Validity, is_for};

use super::finding::Finding;
use super::{Patient, ask, blocking, certificates};
use crate::ask::{Scheme, Server};

const NAME: &str = "site";
const CERTIFICATE: &str = "site.certificate";

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let Some(server) = patient.url.clone() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if let Scheme::Https(_) = server.scheme {
        let asked = server.clone();
        let found = blocking(move || certificate(&asked)).await.flatten();
        let is_bad = found
            .as_ref()
            .is_some_and(|finding| finding.verdict == super::Verdict::Problem);
        findings.extend(found);
        if is_bad {
            return findings;
        }
    }
    let place = server.authority();
    findings.push(match ask(&server, "/ready").await {
        Ok(answer) if answer.status == 200 => Finding::ok(NAME, format!("{place} is ready for calls")),
        Ok(answer) => Finding::problem(NAME, format!("{place} answers {} to /ready", answer.status))
            .remedy("look at the server's log, and whether the proxy passes everything on"),
        Err(error) => Finding::problem(NAME, format!("{place} does not answer: {error:#}"))
            .remedy("start the server, and open or pass on its port"),
    });
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&server.host.as_str());
    if server.scheme == Scheme::Http && !is_local {
        let message = "plain HTTP: browsers give neither camera nor microphone to such a page";
        findings.push(Finding::problem(NAME, message).remedy(
            "set TLS_CERT_FILE and TLS_KEY_FILE, put a TLS proxy in front, or use `meeshy serve --lan`",
        ));
    }
    findings
}

/// What browsers will say of its certificate.
fn certificate(server: &Server) -> Option<Finding> {
    // Once as a browser does, and once to see what is wrong.
    let trusted = client::connect(server.connect().ok()?, &server.host, Trust::System);
    let shown = match &trusted {
        Ok(stream) => client::shown(stream),
        Err(_) => client::shown(&client::connect(server.connect().ok()?, &server.host, Trust::Anybody).ok()?),
    };
    let shown = shown?;
    let validity = Validity::of(&shown)?;
    let standing = validity.at(SystemTime::now());
    let name = format!("the certificate of {}", server.host);
    if matches!(standing, Standing::Ended(_) | Standing::NotYet(_)) {
        return Some(certificates::standing(CERTIFICATE, &name, standing));
    }
    if !is_for(&shown, &server.host) {
        let message = format!("{name} is for another name");
        return Some(
            Finding::problem(CERTIFICATE, message).remedy("get a certificate for the name people use"),
        );
    }
    if let Err(error) = trusted {
        let message = format!("{name} is not trusted by this system: {error}");
        return Some(
            Finding::problem(CERTIFICATE, message)
                .remedy("put the whole chain into TLS_CERT_FILE, of an authority that browsers know"),
        );
    }
    Some(certificates::standing(CERTIFICATE, &name, standing))
}
