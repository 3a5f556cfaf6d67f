use std::time::Duration;

use signalling::token::Subject;
use signalling::{CallId, ParticipantId};

use super::*;

const SECRET: &str = "a secret of more than thirty-two bytes";

#[test]
fn a_token_stands_for_whom_it_was_minted() {
    let verifier = TokenVerifier::new(&Secrets {
        current: SECRET.to_owned(),
        previous: None,
    });
    let signer = TokenSigner::new(SECRET);
    let call: CallId = "call-1".parse().expect("an id");
    let anna: ParticipantId = "anna".parse().expect("an id");
    let subject = Subject("u1".into());
    let minted = signer.participant(subject, call.clone(), anna.clone(), Duration::from_secs(60));
    let caller = verifier.caller(&minted.token.0);
    let expected = Caller::Participant {
        call: call.clone(),
        participant: anna,
    };
    assert_eq!(caller, Ok(expected));
    for call in [Some(call), None] {
        let service = signer.service(call.clone()).token;
        assert_eq!(verifier.caller(&service.0), Ok(Caller::Service { call }));
    }
    assert_eq!(verifier.caller("nonsense"), Err(InvalidToken));
}
