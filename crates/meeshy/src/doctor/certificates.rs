//! Certificates of HTTPS and of media.

use std::time::{Duration, SystemTime};

use edge::tls::{Files, Identity, Settings, Standing, is_for};
use media_node::config::CertificateSource;

use super::Patient;
use super::finding::Finding;

const TLS: &str = "tls.certificate";
const DTLS: &str = "dtls.certificate";

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let now = SystemTime::now();
    let host = patient.url.as_ref().map(|url| url.host.as_str());
    let tls = patient.told.tls.files().ok().flatten();
    let dtls = patient
        .node
        .as_ref()
        .and_then(|node| match &node.media.certificate {
            CertificateSource::Generated => None,
            CertificateSource::Files { certificate, key } => Some(Files {
                certificate: certificate.clone(),
                key: key.clone(),
                settings: Settings {
                    certificate: "DTLS_CERT_FILE",
                    key: "DTLS_KEY_FILE",
                },
            }),
        });
    let tls = tls.map(|files| judge(TLS, &files, host, now));
    // Nobody checks the name of a media certificate: its fingerprint is what counts.
    let dtls = dtls.map(|files| judge(DTLS, &files, None, now));
    tls.into_iter().chain(dtls).collect()
}

fn judge(name: &'static str, files: &Files, host: Option<&str>, now: SystemTime) -> Finding {
    let identity = match Identity::load(files) {
        Ok(identity) => identity,
        Err(error) => return Finding::problem(name, error.to_string()),
    };
    let file = files.certificate.display();
    if let Some(host) = host.filter(|host| !is_for(identity.certificate(), host)) {
        return Finding::problem(name, format!("{file} is not for {host}")).remedy(format!(
            "set {} to a certificate for that name",
            files.settings.certificate
        ));
    }
    standing(name, &file.to_string(), identity.validity().at(now))
}

/// How long a certificate is still good.
pub(super) fn standing(name: &'static str, what: &str, standing: Standing) -> Finding {
    let days = |time: Duration| time.as_secs() / 86_400;
    match standing {
        Standing::Good(left) => Finding::ok(name, format!("{what} is good for {} days", days(left))),
        Standing::EndsSoon(left) => {
            Finding::warning(name, format!("{what} ends in {} days", days(left))).remedy("renew it")
        }
        Standing::Ended(past) => {
            Finding::problem(name, format!("{what} ended {} days ago", days(past))).remedy("renew it")
        }
        Standing::NotYet(until) => {
            Finding::problem(name, format!("{what} is good only in {} days", days(until)))
                .remedy("set this machine's clock right, or use the certificate that is good now")
        }
    }
}
