//! Typed generational handles of the objects a worker owns.
//!
//! A key that outlived its object is refused, never resolved to a newer object in the same slot.
//! Keys mean something only to the worker that minted them.

slotmap::new_key_type! {
    /// A router: the set of producers and consumers of one call.
    pub struct RouterKey;
    /// A transport: one remote endpoint's path.
    pub struct TransportKey;
    /// A producer: one track sent to the worker.
    pub struct ProducerKey;
    /// A consumer: one track forwarded to one endpoint.
    pub struct ConsumerKey;
}
