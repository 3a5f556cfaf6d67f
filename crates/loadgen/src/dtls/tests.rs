use super::*;

/// A server of the same library, run against our client in memory.
fn shake_hands(announced: Fingerprint, server: &Identity) -> Result<(Keys, Vec<u8>), HandshakeError> {
    let now = Instant::now();
    let client = Identity::new().expect("a certificate");
    let mut handshake = Handshake::new(&client, vec![announced], now);
    let mut answering = Dtls::new_12(Arc::clone(&server.config), server.certificate.clone(), now);
    let mut exported = None;
    let mut buffer = vec![0; RECORD];
    for turn in 0..50 {
        let mut to_server: Vec<Vec<u8>> = Vec::new();
        if turn == 0 {
            handshake.run(now, |record| to_server.push(record.to_vec()))?;
        }
        let mut to_client: Vec<Vec<u8>> = Vec::new();
        let drain = |answering: &mut Dtls,
                     to_client: &mut Vec<Vec<u8>>,
                     exported: &mut Option<Vec<u8>>,
                     buffer: &mut Vec<u8>| loop {
            match answering.poll_output(buffer) {
                Output::Packet(record) => to_client.push(record.to_vec()),
                Output::KeyingMaterial(material, _) => *exported = Some(material.to_vec()),
                Output::Timeout(_) => break,
                _ => {}
            }
        };
        answering.handle_timeout(now).expect("runs");
        drain(&mut answering, &mut to_client, &mut exported, &mut buffer);
        let mut pending = to_server;
        while !pending.is_empty() || !to_client.is_empty() {
            for record in pending.drain(..) {
                answering.handle_packet(&record).expect("runs");
                drain(&mut answering, &mut to_client, &mut exported, &mut buffer);
            }
            for record in to_client.drain(..) {
                handshake.record(now, &record, |record| pending.push(record.to_vec()))?;
            }
        }
        if let Some(keys) = handshake.take_keys() {
            return Ok((keys, exported.expect("both sides are done")));
        }
    }
    panic!("the handshake does not end");
}

#[test]
fn both_sides_get_the_same_keys() {
    let server = Identity::new().expect("a certificate");
    let (keys, exported) = shake_hands(server.fingerprint(), &server).expect("connects");
    // The library prefers 256 bits.
    let theirs = Keys::of_client(Profile::Aes256Gcm, &exported).expect("enough");
    let mut packet = vec![0x80; 12 + 5 + crate::srtp::TAG];
    keys.outbound.seal(&mut packet, 12, 9).expect("seals");
    assert_eq!(
        theirs.outbound.open(&mut packet, 12, 9).expect("authentic"),
        [0x80; 5]
    );
}

#[test]
fn another_certificate_than_the_announced_one_is_refused() {
    let (server, other) = (Identity::new().expect("one"), Identity::new().expect("another"));
    let failure = shake_hands(other.fingerprint(), &server).err();
    assert_eq!(failure, Some(HandshakeError::Impostor));
}

#[test]
fn fingerprints_compare_without_case_and_with_their_algorithm() {
    let print = Fingerprint::of(b"certificate");
    assert_eq!(print.value.len(), 32 * 3 - 1);
    let mut lower = print.clone();
    lower.value.make_ascii_lowercase();
    assert!(lower.is_of(b"certificate"));
    assert!(!lower.is_of(b"another"));
    lower.algorithm = "md5".to_owned();
    assert!(!lower.is_of(b"certificate"));
}
