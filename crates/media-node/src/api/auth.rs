//! Tokens: JWT signed with HS256 and nothing else (contract §1.2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use signalling::token::{Audience, Claims, GATEWAY_SUBJECT, Role, SERVICE_LIFETIME, Subject, Token};
use signalling::{CallId, ParticipantId, Timestamp};

use crate::config::Secrets;
use crate::control::caller::Caller;

/// A token that opens nothing here. Why is nobody's business but the log's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid here")]
pub struct InvalidToken;

/// Verifies tokens against the present secret and, during a rotation, the former one.
pub struct TokenVerifier {
    keys: Vec<DecodingKey>,
    validation: Validation,
}

impl TokenVerifier {
    /// A verifier for tokens of the audience `media`.
    pub fn new(secrets: &Secrets) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        validation.set_audience(&[Audience::Media.as_str()]);
        // Expired is expired: both sides of a call are expected to know the time.
        validation.leeway = 0;
        let secrets = [Some(&secrets.current), secrets.previous.as_ref()];
        let keys = secrets
            .into_iter()
            .flatten()
            .map(|secret| DecodingKey::from_secret(secret.as_bytes()));
        Self {
            keys: keys.collect(),
            validation,
        }
    }

    /// Checks signature, algorithm, expiry and audience.
    ///
    /// # Errors
    /// [`InvalidToken`], whatever is wrong.
    pub fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let verified = self
            .keys
            .iter()
            .find_map(|key| decode::<Claims>(token, key, &self.validation).ok());
        let claims = verified.ok_or(InvalidToken)?.claims;
        // The library allows a token with several audiences; ours have one (RFC 8725 §3.9).
        if claims.aud == Audience::Media {
            Ok(claims)
        } else {
            Err(InvalidToken)
        }
    }

    /// Checks a token and says whom it stands for.
    pub(crate) fn caller(&self, token: &str) -> Result<Caller, InvalidToken> {
        let claims = self.verify(token)?;
        match (claims.role, claims.call_id, claims.participant_id) {
            (Role::Service, call, _) => Ok(Caller::Service { call }),
            (Role::Participant, Some(call), Some(participant)) => {
                Ok(Caller::Participant { call, participant })
            }
            (Role::Participant, ..) => Err(InvalidToken),
        }
    }
}

/// Signs tokens with the present secret.
pub struct TokenSigner {
    key: EncodingKey,
}

/// A signed token and its end.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The token.
    pub token: Token,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl TokenSigner {
    /// A signer with this secret.
    pub fn new(secret: &str) -> Self {
        Self {
            key: EncodingKey::from_secret(secret.as_bytes()),
        }
    }

    /// A participant's token, good for `lifetime` from now.
    pub fn participant(
        &self,
        subject: Subject,
        call: CallId,
        participant: ParticipantId,
        lifetime: Duration,
    ) -> Minted {
        self.mint(lifetime, |iat, exp| Claims {
            sub: subject,
            call_id: Some(call),
            participant_id: Some(participant),
            role: Role::Participant,
            iat,
            exp,
            aud: Audience::Media,
        })
    }

    /// A service's token for one call or, without a call, for all.
    pub fn service(&self, call: Option<CallId>) -> Minted {
        self.service_for(call, Duration::from_secs(SERVICE_LIFETIME))
    }

    /// As [`Self::service`] with another lifetime than the usual minute.
    pub fn service_for(&self, call: Option<CallId>, lifetime: Duration) -> Minted {
        self.mint(lifetime, |iat, exp| Claims {
            sub: Subject(GATEWAY_SUBJECT.to_owned()),
            call_id: call,
            participant_id: None,
            role: Role::Service,
            iat,
            exp,
            aud: Audience::Media,
        })
    }

    fn mint(&self, lifetime: Duration, claims: impl FnOnce(u64, u64) -> Claims) -> Minted {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let claims = claims(now, now + lifetime.as_secs());
        let expires_at = Timestamp::from_unix_seconds(claims.exp);
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.key)
            .expect("claims are plain JSON and any bytes make an HMAC key");
        Minted {
            token: Token(token),
            expires_at,
        }
    }
}

/// The token of an `Authorization: Bearer …` header; the scheme's case does not matter (RFC 9110 §11.1).
pub fn bearer(headers: &axum::http::HeaderMap) -> Option<&str> {
    let value = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
