//! What the audit log keeps of where a request came from (contract §4.6): carried along with the request, so that
//! whoever writes a line about it need not be told.

use call::Person;

tokio::task_local! {
    static FOOTPRINT: Footprint;
}

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Who asked, if it is a person.
    pub(crate) person: Option<Person>,
    /// The keyed hash of the address.
    pub(crate) ip_hash: String,
    /// What the client calls itself.
    pub(crate) user_agent: Option<String>,
}

impl Footprint {
    /// Does `work` as a request that came from there.
    pub(crate) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        FOOTPRINT.scope(self, work).await
    }

    /// Takes the footprint of the request that is being done along into a task of its own.
    pub(crate) async fn carried<T>(from: Option<Self>, work: impl Future<Output = T>) -> T {
        match from {
            Some(from) => from.scope(work).await,
            None => work.await,
        }
    }

    /// Where the request that is being done came from; nowhere, for what the gateway does by itself.
    pub(crate) fn current() -> Option<Self> {
        FOOTPRINT.try_with(Clone::clone).ok()
    }
}
