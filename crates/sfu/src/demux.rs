//! Which transport a datagram belongs to: by remote address, or for STUN by the ufrag it names (RFC 8445 §7.3).

use std::collections::HashMap;

use link::FiveTuple;

use crate::key::TransportKey;

/// Addresses one transport may occupy. Browsers use two or three (interfaces × UDP/TCP); a phone that roams adds some.
const MAX_TUPLES: usize = 16;

/// The worker's table of addresses and ufrags.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    tuples: HashMap<FiveTuple, TransportKey>,
    ufrags: HashMap<String, TransportKey>,
}

impl Demux {
    /// The transport that an authenticated check from `tuple` belonged to.
    pub(crate) fn by_tuple(&self, tuple: &FiveTuple) -> Option<TransportKey> {
        self.tuples.get(tuple).copied()
    }

    /// The transport whose local ufrag this is.
    pub(crate) fn by_ufrag(&self, ufrag: &str) -> Option<TransportKey> {
        self.ufrags.get(ufrag).copied()
    }

    /// Registers a ufrag; false when it is taken.
    pub(crate) fn insert_ufrag(&mut self, ufrag: &str, transport: TransportKey) -> bool {
        if self.ufrags.contains_key(ufrag) {
            return false;
        }
        self.ufrags.insert(ufrag.to_owned(), transport);
        true
    }

    /// Forgets a ufrag.
    pub(crate) fn remove_ufrag(&mut self, ufrag: &str) {
        self.ufrags.remove(ufrag);
    }

    /// Binds `tuple` to `transport`, whose list `owned` is kept in step. The oldest address that is not `selected`
    /// makes room when the transport has too many. Returns the previous owner if it was another transport.
    pub(crate) fn bind(
        &mut self,
        tuple: FiveTuple,
        transport: TransportKey,
        owned: &mut Vec<FiveTuple>,
        selected: Option<FiveTuple>,
    ) -> Option<TransportKey> {
        let previous = self.tuples.insert(tuple, transport);
        if previous == Some(transport) {
            return None;
        }
        if owned.len() >= MAX_TUPLES
            && let Some(oldest) = owned.iter().position(|known| Some(*known) != selected)
        {
            let dropped = owned.remove(oldest);
            self.unbind(&dropped, transport);
        }
        owned.push(tuple);
        previous
    }

    /// Forgets `tuple` if `transport` owns it.
    pub(crate) fn unbind(&mut self, tuple: &FiveTuple, transport: TransportKey) {
        if self.tuples.get(tuple) == Some(&transport) {
            self.tuples.remove(tuple);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use link::Protocol;
    use slotmap::SlotMap;

    use super::*;

    fn tuple(port: u16) -> FiveTuple {
        FiveTuple {
            protocol: Protocol::Udp,
            local: SocketAddr::from(([127, 0, 0, 1], 10_000)),
            remote: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    #[test]
    fn an_address_moves_to_the_transport_that_last_authenticated() {
        let mut keys: SlotMap<TransportKey, ()> = SlotMap::with_key();
        let (a, b) = (keys.insert(()), keys.insert(()));
        let mut demux = Demux::default();
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        assert_eq!(demux.bind(tuple(1), a, &mut of_a, None), None);
        assert_eq!(demux.bind(tuple(1), b, &mut of_b, None), Some(a));
        assert_eq!(demux.by_tuple(&tuple(1)), Some(b));
        demux.unbind(&tuple(1), a);
        assert_eq!(demux.by_tuple(&tuple(1)), Some(b), "only the owner may unbind");
    }

    #[test]
    fn the_oldest_unselected_address_makes_room() {
        let mut keys: SlotMap<TransportKey, ()> = SlotMap::with_key();
        let a = keys.insert(());
        let mut demux = Demux::default();
        let mut owned = Vec::new();
        for port in 1..=17 {
            demux.bind(tuple(port), a, &mut owned, Some(tuple(1)));
        }
        assert_eq!(owned.len(), MAX_TUPLES);
        assert_eq!(demux.by_tuple(&tuple(1)), Some(a), "the selected address stays");
        assert_eq!(demux.by_tuple(&tuple(2)), None);
        assert_eq!(demux.by_tuple(&tuple(17)), Some(a));
    }

    #[test]
    fn a_ufrag_has_one_owner() {
        let mut keys: SlotMap<TransportKey, ()> = SlotMap::with_key();
        let (a, b) = (keys.insert(()), keys.insert(()));
        let mut demux = Demux::default();
        assert!(demux.insert_ufrag("abcd", a));
        assert!(!demux.insert_ufrag("abcd", b));
        assert_eq!(demux.by_ufrag("abcd"), Some(a));
        demux.remove_ufrag("abcd");
        assert_eq!(demux.by_ufrag("abcd"), None);
    }
}
