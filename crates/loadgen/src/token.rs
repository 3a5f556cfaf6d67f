//! Tokens as a gateway mints them (contract §1.2): JWT signed with HS256 (RFC 7519, RFC 7515).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use serde_json::{Value, json};

/// Lifetime of a participant's token: joining may be slow, and a run may be long.
const PARTICIPANT: Duration = Duration::from_secs(24 * 3_600);
/// Lifetime of a service's token, minted for each request.
const SERVICE: Duration = Duration::from_secs(60);

/// Signs tokens with the secret that a server verifies them with.
pub(crate) struct Signer(hmac::Key);

impl Signer {
    pub(crate) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// A token by which one participant acts.
    pub(crate) fn participant(&self, call: &str, participant: &str) -> String {
        let claims = json!({
            "sub": participant, "callId": call, "participantId": participant, "role": "participant", "aud": "media",
        });
        self.sign(with_times(claims, PARTICIPANT))
    }

    /// A token by which rooms are made and ended.
    pub(crate) fn service(&self, call: &str) -> String {
        let claims = json!({"sub": "gateway", "callId": call, "role": "service", "aud": "media"});
        self.sign(with_times(claims, SERVICE))
    }

    fn sign(&self, claims: Value) -> String {
        self.sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string())
    }

    fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.as_bytes())
        );
        let tag = hmac::sign(&self.0, signed.as_bytes());
        format!("{signed}.{}", base64url(tag.as_ref()))
    }
}

fn with_times(mut claims: Value, lifetime: Duration) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    claims["iat"] = now.as_secs().into();
    claims["exp"] = (now + lifetime).as_secs().into();
    claims
}

/// RFC 4648 §5 without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        let digits = (0..=group.len()).map(|digit| ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]);
        text.extend(digits.map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_10_without_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xFB, 0xFF]), "-_8");
    }

    #[test]
    fn the_example_of_jwt_io_is_signed_alike() {
        let signer = Signer::new("your-256-bit-secret");
        let claims = r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
        let token = signer.sign_text(r#"{"alg":"HS256","typ":"JWT"}"#, claims);
        let expected = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
            SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        assert_eq!(token, expected);
    }

    #[test]
    fn a_lifetime_is_added() {
        let claims = with_times(json!({}), SERVICE);
        let times = ["iat", "exp"].map(|name| claims[name].as_u64().expect("seconds"));
        assert_eq!(times[1] - times[0], 60);
    }
}
