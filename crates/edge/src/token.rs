//! Tokens: JWT signed with HS256 and nothing else (contract §1.2, §2.2).

use std::fmt;
use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use signalling::token::{Audience, Claims, GATEWAY_SUBJECT, Role, SERVICE_LIFETIME, Subject, Token};
use signalling::{CallId, ParticipantId, Timestamp};

/// HS256 wants a key as long as its hash (RFC 7518 §3.2); contract §6.2.
pub const SECRET_BYTES: usize = 32;

/// The shared secrets of contract §1.2. Their values never appear in `Debug` output.
#[derive(Clone)]
pub struct Secrets {
    /// Signs new tokens and verifies.
    pub current: String,
    /// Still verifies while a rotation is under way.
    pub previous: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let previous = self.previous.as_ref().map(|_| "[hidden]");
        formatter
            .debug_struct("Secrets")
            .field("current", &"[hidden]")
            .field("previous", &previous)
            .finish()
    }
}

/// A token that opens nothing here. Why is nobody's business but the log's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid here")]
pub struct InvalidToken;

/// Claims that say for which server their token is.
pub trait Addressed {
    /// The server it opens.
    fn audience(&self) -> Audience;

    /// When it ends, seconds since 1970.
    fn expires(&self) -> u64;
}

impl Addressed for Claims {
    fn audience(&self) -> Audience {
        self.aud
    }

    fn expires(&self) -> u64 {
        self.exp
    }
}

/// Verifies tokens against the present secret and, during a rotation, the former one.
pub struct Verifier {
    keys: Vec<DecodingKey>,
    validation: Validation,
    audience: Audience,
}

impl Verifier {
    /// A verifier for tokens of one audience, which must have the claims `exp`, `aud` and those named.
    #[must_use]
    pub fn new(secrets: &Secrets, audience: Audience, required: &[&str]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        let required: Vec<&str> = ["exp", "aud"]
            .into_iter()
            .chain(required.iter().copied())
            .collect();
        validation.set_required_spec_claims(&required);
        validation.set_audience(&[audience.as_str()]);
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
            audience,
        }
    }

    /// Checks signature, algorithm, expiry and audience.
    ///
    /// # Errors
    /// [`InvalidToken`], whatever is wrong.
    pub fn verify<T: DeserializeOwned + Addressed + Clone>(&self, token: &str) -> Result<T, InvalidToken> {
        let verified = self
            .keys
            .iter()
            .find_map(|key| decode::<T>(token, key, &self.validation).ok());
        let claims = verified.ok_or(InvalidToken)?.claims;
        // The library allows a token with several audiences; ours have one (RFC 8725 §3.9). It also takes a token in the
        // second in which it ends, when it must not be any more (RFC 7519 §4.1.4).
        let over = claims.expires() <= Timestamp::from(SystemTime::now()).unix_millis() / 1000;
        if claims.audience() == self.audience && !over {
            Ok(claims)
        } else {
            Err(InvalidToken)
        }
    }

    /// Whether one of our secrets signed this, whatever it says and whether or not it has ended. Opens nothing: it
    /// tells who comes late from who guesses.
    #[must_use]
    pub fn signed(&self, token: &str) -> bool {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims::<&str>(&[]);
        validation.validate_exp = false;
        validation.validate_aud = false;
        let mut keys = self.keys.iter();
        keys.any(|key| decode::<IgnoredAny>(token, key, &validation).is_ok())
    }
}

/// A signed token and its end.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The token.
    pub token: Token,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// When a token was issued and when it ends, seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When it is issued.
    pub iat: u64,
    /// When it ends.
    pub exp: u64,
}

/// Signs tokens with the present secret.
pub struct TokenSigner {
    key: EncodingKey,
}

impl TokenSigner {
    /// A signer with this secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self {
            key: EncodingKey::from_secret(secret.as_bytes()),
        }
    }

    /// A participant's token for the media node, good for `lifetime` from now.
    #[must_use]
    pub fn participant(
        &self,
        subject: Subject,
        call: CallId,
        participant: ParticipantId,
        lifetime: Duration,
    ) -> Minted {
        self.sign(lifetime, |Lifetime { iat, exp }| Claims {
            sub: subject,
            call_id: Some(call),
            participant_id: Some(participant),
            role: Role::Participant,
            iat,
            exp,
            aud: Audience::Media,
        })
    }

    /// A service's token for the media node: for one call or, without a call, for all.
    #[must_use]
    pub fn service(&self, call: Option<CallId>) -> Minted {
        self.service_for(call, Duration::from_secs(SERVICE_LIFETIME))
    }

    /// As [`Self::service`] with another lifetime than the usual minute.
    #[must_use]
    pub fn service_for(&self, call: Option<CallId>, lifetime: Duration) -> Minted {
        self.sign(lifetime, |Lifetime { iat, exp }| Claims {
            sub: Subject(GATEWAY_SUBJECT.to_owned()),
            call_id: call,
            participant_id: None,
            role: Role::Service,
            iat,
            exp,
            aud: Audience::Media,
        })
    }

    /// Signs what `claims` makes of the token's times, beginning now.
    ///
    /// # Panics
    /// If the claims cannot be written as JSON.
    pub fn sign<T: Serialize>(&self, lifetime: Duration, claims: impl FnOnce(Lifetime) -> T) -> Minted {
        self.sign_from(Timestamp::from(SystemTime::now()), lifetime, claims)
    }

    /// As [`Self::sign`], beginning at `now`.
    ///
    /// # Panics
    /// If the claims cannot be written as JSON.
    pub fn sign_from<T: Serialize>(
        &self,
        now: Timestamp,
        lifetime: Duration,
        claims: impl FnOnce(Lifetime) -> T,
    ) -> Minted {
        let now = now.unix_millis() / 1000;
        let times = Lifetime {
            iat: now,
            exp: now.saturating_add(lifetime.as_secs()),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims(times), &self.key)
            .expect("claims are plain JSON and any bytes make an HMAC key");
        Minted {
            token: Token(token),
            expires_at: Timestamp::from_unix_seconds(times.exp),
        }
    }
}

/// The token of an `Authorization: Bearer …` header; the scheme's case does not matter (RFC 9110 §11.1).
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
