//! What can go wrong with stored data.

use std::error::Error;

use signalling::CallId;

/// Why something was not read or written. Nothing was changed in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The conversation has a live call already.
    #[error("the conversation has a live call")]
    LiveCallExists {
        /// That call.
        call: CallId,
    },
    /// What was to be changed, or what it belongs to, does not exist.
    #[error("there is no such thing")]
    NotFound,
    /// Something else has this id, name or token, or the same person is in the call twice.
    #[error("something like it exists already")]
    Conflict,
    /// A row cannot be understood, or a caption cannot be opened with this key.
    #[error("{what} cannot be read")]
    Corrupt {
        /// Which column or part.
        what: &'static str,
    },
    /// The database cannot be reached, is too busy or refuses; worth trying again.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// A row that cannot be understood.
    pub(crate) const fn corrupt(what: &'static str) -> Self {
        Self::Corrupt { what }
    }
}
