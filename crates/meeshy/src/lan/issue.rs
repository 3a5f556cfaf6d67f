//! A certificate that this machine makes for itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use edge::tls::{Files, Identity, is_for};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

use super::Addresses;
use crate::data::DataDirectory;
use crate::run::Unsuitable;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long a certificate is good for. Apple's devices take none that is good for more than 825 days.
const LIFETIME: Duration = DAY.saturating_mul(365);
/// It is renewed this long before its end.
const MARGIN: Duration = DAY.saturating_mul(30);

/// Sees to it that the files hold a certificate for these addresses that is good for a while.
pub(super) fn keep(data: &DataDirectory, files: &Files, addresses: &Addresses) -> Result<(), Unsuitable> {
    let now = SystemTime::now();
    if Identity::load(files).is_ok_and(|identity| is_good(&identity, addresses, now)) {
        return Ok(());
    }
    let failed =
        |error: rcgen::Error| Unsuitable::new(format!("--lan: no certificate can be made ({error})"));
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = parameters(addresses, now)
        .map_err(failed)?
        .self_signed(&key)
        .map_err(failed)?;
    // The key first: a certificate without its key is of no use, the other way round is found out above.
    data.put(&files.key, &key.serialize_pem())?;
    data.put(&files.certificate, &certificate.pem())
}

/// Whether a certificate is for every address, and good long enough.
fn is_good(identity: &Identity, addresses: &Addresses, now: SystemTime) -> bool {
    let validity = identity.validity();
    let lasts = validity.begins <= now && validity.ends >= now + MARGIN;
    lasts
        && names(addresses)
            .iter()
            .all(|name| is_for(identity.certificate(), name))
}

fn parameters(addresses: &Addresses, now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names(addresses))?;
    let machine = addresses.name.as_deref().unwrap_or("this machine");
    parameters
        .distinguished_name
        .push(DnType::CommonName, format!("Meeshy Calls on {machine}"));
    // Clocks of phones differ.
    parameters.not_before = (now - DAY).into();
    parameters.not_after = (now + LIFETIME).into();
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

/// All names and addresses the page may be called by.
fn names(addresses: &Addresses) -> Vec<String> {
    let local = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let mut names = vec!["localhost".to_owned()];
    if let Some(name) = &addresses.name {
        names.push(name.clone());
        // As machines call each other without a name server (RFC 6762 §3).
        names.extend((!name.contains('.')).then(|| format!("{name}.local")));
    }
    names.extend(local.iter().chain(&addresses.all).map(ToString::to_string));
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::kept;
    use super::*;
    use crate::data::Scratch;

    fn addresses(all: &[&str]) -> Addresses {
        let all: BTreeSet<IpAddr> = all.iter().map(|text| text.parse().expect("an address")).collect();
        Addresses {
            primary: *all.first().expect("one at least"),
            all,
            name: Some("kitchen".to_owned()),
        }
    }

    #[test]
    fn it_is_kept_until_addresses_change_or_its_end_is_near() {
        let scratch = Scratch::new();
        let (data, home) = (scratch.data(), addresses(&["192.168.1.7", "fd00::7"]));
        let files = kept(&data);
        keep(&data, &files, &home).expect("it is made");
        let first = Identity::load(&files).expect("both are well");
        for name in [
            "192.168.1.7",
            "fd00::7",
            "127.0.0.1",
            "::1",
            "localhost",
            "kitchen",
            "kitchen.local",
        ] {
            assert!(is_for(first.certificate(), name), "{name}");
        }
        assert!(!is_for(first.certificate(), "192.168.1.8"));
        let mode = fs::metadata(&files.key)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777;
        assert_eq!(mode, 0o600);

        keep(&data, &files, &home).expect("it is there");
        let second = Identity::load(&files).expect("both are well");
        assert_eq!(first.certificate(), second.certificate());

        keep(&data, &files, &addresses(&["192.168.1.8"])).expect("it is made");
        let moved = Identity::load(&files).expect("both are well");
        assert!(is_for(moved.certificate(), "192.168.1.8"));

        let now = SystemTime::now();
        assert!(is_good(&first, &home, now));
        assert!(is_good(&first, &home, now + DAY.saturating_mul(334)));
        assert!(
            !is_good(&first, &home, now + DAY.saturating_mul(336)),
            "it is renewed a month before its end"
        );
        assert!(
            !is_good(&first, &home, now - DAY.saturating_mul(2)),
            "a clock that was set back"
        );
    }

    #[test]
    fn files_that_do_not_belong_together_are_replaced() {
        let scratch = Scratch::new();
        let (data, home) = (scratch.data(), addresses(&["192.168.1.7"]));
        let files = kept(&data);
        keep(&data, &files, &home).expect("it is made");
        data.put(&files.key, "rubbish").expect("our own file");
        keep(&data, &files, &home).expect("it is made again");
        assert!(Identity::load(&files).is_ok());
    }
}
