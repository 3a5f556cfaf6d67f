//! Tokens of the media node: whom they stand for (contract §1.2).

pub use edge::token::{InvalidToken, Minted, TokenSigner, bearer};
use edge::token::{Secrets, Verifier};
use signalling::token::{Audience, Claims, Role};

use crate::control::caller::Caller;

/// Verifies tokens against the present secret and, during a rotation, the former one.
pub struct TokenVerifier(Verifier);

impl TokenVerifier {
    /// A verifier for tokens of the audience `media`.
    pub fn new(secrets: &Secrets) -> Self {
        Self(Verifier::new(secrets, Audience::Media, &["sub"]))
    }

    /// Checks signature, algorithm, expiry and audience.
    ///
    /// # Errors
    /// [`InvalidToken`], whatever is wrong.
    pub fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        self.0.verify(token)
    }

    /// Checks a token and says whom it stands for.
    pub(crate) fn caller(&self, token: &str) -> Result<Caller, InvalidToken> {
        whose(self.verify(token)?)
    }
}

/// Whom verified claims stand for.
pub(crate) fn whose(claims: Claims) -> Result<Caller, InvalidToken> {
    match (claims.role, claims.call_id, claims.participant_id) {
        (Role::Service, call, _) => Ok(Caller::Service { call }),
        (Role::Participant, Some(call), Some(participant)) => Ok(Caller::Participant { call, participant }),
        (Role::Participant, ..) => Err(InvalidToken),
    }
}

#[cfg(test)]
mod tests;
