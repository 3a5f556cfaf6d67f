use super::*;

fn to_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..4 {
            text.push(if position <= chunk.len() {
                char::from(ALPHABET[(group >> (18 - 6 * position)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = to_base64(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("ascii"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

#[test]
fn fingerprints_parse_and_display_for_every_algorithm() {
    for (algorithm, length) in [
        ("sha-1", 20),
        ("sha-224", 28),
        ("sha-256", 32),
        ("sha-384", 48),
        ("sha-512", 64),
    ] {
        let value: Vec<String> = (0..length).map(|byte| format!("{:02x}", byte * 3 + 1)).collect();
        let value = value.join(":");
        let fingerprint = Fingerprint::parse(&algorithm.to_uppercase(), &value).expect("valid");
        assert_eq!(fingerprint.algorithm().name(), algorithm);
        assert_eq!(fingerprint.to_string(), value.to_uppercase());
        assert_eq!(fingerprint.bytes().len(), length);
        let longer = format!("{value}:00");
        assert_eq!(
            Fingerprint::parse(algorithm, &longer),
            Err(FingerprintError::Length)
        );
    }
}

#[test]
fn malformed_fingerprints_are_refused() {
    for (algorithm, value, error) in [
        ("md5", "AA", FingerprintError::Algorithm),
        ("", "AA", FingerprintError::Algorithm),
        ("sha-256", "", FingerprintError::Value),
        ("sha-256", "AAB:B", FingerprintError::Value),
        ("sha-256", "+A:BB", FingerprintError::Value),
        ("sha-256", "GG:BB", FingerprintError::Value),
        ("sha-256", "AA:", FingerprintError::Value),
        ("sha-256", "AA:BB", FingerprintError::Length),
    ] {
        assert_eq!(
            Fingerprint::parse(algorithm, value),
            Err(error),
            "{algorithm} {value}"
        );
    }
}

#[test]
fn a_fingerprint_matches_only_its_certificate() {
    // FIPS 180-2 example: SHA-1 and SHA-256 of "abc".
    let sha1 = Fingerprint::parse(
        "sha-1",
        "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D",
    );
    assert!(sha1.expect("valid").matches(b"abc"));
    let sha256 = Fingerprint::of(FingerprintAlgorithm::Sha256, b"abc");
    assert!(sha256.to_string().starts_with("BA:78:16:BF:8F:01:CF:EA"));
    assert!(sha256.matches(b"abc") && !sha256.matches(b"abd"));
}

#[test]
fn generated_certificates_differ_and_survive_pem() {
    let first = Certificate::generate().expect("certificate");
    let second = Certificate::generate().expect("certificate");
    assert_ne!(first.fingerprint(), second.fingerprint());

    let certificate = pem("CERTIFICATE", first.der());
    let key = pem("PRIVATE KEY", first.identity().private_key());
    let loaded = Certificate::from_pem(&certificate, &key).expect("the same pair");
    assert_eq!(loaded.fingerprint(), first.fingerprint());
    assert_eq!(loaded.der(), first.der());

    let foreign_key = pem("PRIVATE KEY", second.identity().private_key());
    assert_eq!(
        Certificate::from_pem(&certificate, &foreign_key).err(),
        Some(CertificateError::Mismatch)
    );
    assert_eq!(
        Certificate::from_pem(&key, &key).err(),
        Some(CertificateError::Pem("CERTIFICATE")),
        "a key file is no certificate"
    );
    assert_eq!(
        Certificate::from_der(first.der().to_vec(), b"not a key".to_vec()).err(),
        Some(CertificateError::Key)
    );
}

#[test]
fn base64_is_strict() {
    assert_eq!(base64("TWVl\n c2h5").as_deref(), Some(&b"Meeshy"[..]));
    assert_eq!(base64("TQ==").as_deref(), Some(&b"M"[..]));
    assert_eq!(base64("TWU=").as_deref(), Some(&b"Me"[..]));
    for broken in ["TQ=", "TQ", "T===", "TQ==TQ==", "TR==", "T*==", "TWVlc2h5="] {
        assert_eq!(base64(broken), None, "{broken}");
    }
}
