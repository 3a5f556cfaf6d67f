//! Once every source has been seen, a packet costs no allocation in either direction.

#![allow(unsafe_code, reason = "a counting allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use link::Incoming;

use crate::peer::{Network, Traits, WIFI, World, path, rtcp_packet, rtp_packet};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: forwards every call unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's obligations are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn steady_media_allocates_nothing() {
    let mut world = World::connected(Network::default(), Traits::default());
    let mut sealed = Vec::new();
    for index in 0..200 {
        let keys = world.peer.keys.as_mut().expect("connected");
        sealed.push(
            keys.outbound
                .encrypt_rtp(&rtp_packet(1, index))
                .expect("protected")
                .to_vec(),
        );
        sealed.push(
            keys.outbound
                .encrypt_rtcp(&rtcp_packet(1))
                .expect("protected")
                .to_vec(),
        );
    }
    let mut plain: Vec<Vec<u8>> = (0..200).map(|index| rtp_packet(2, index)).collect();
    plain
        .iter_mut()
        .for_each(|packet| packet.resize(packet.len() + link::SRTP_OVERHEAD, 0));
    let mut report = Vec::with_capacity(200);
    let mut counted = 0;
    for (round, packets) in sealed.chunks_mut(2).enumerate() {
        let before = ALLOCATIONS.with(Cell::get);
        let [media, feedback] = packets else {
            panic!("pairs")
        };
        let incoming = world.link.handle_datagram(world.now, path(WIFI), media);
        assert!(matches!(incoming, Incoming::Rtp(_)));
        let incoming = world.link.handle_datagram(world.now, path(WIFI), feedback);
        assert!(matches!(incoming, Incoming::Rtcp(_)));
        let out = &mut plain[round];
        let len = out.len() - link::SRTP_OVERHEAD;
        assert!(world.link.protect_rtp(out, len, rtp::SeqNo(round as u64)).is_ok());
        report.clear();
        report.extend_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, 1]);
        assert!(world.link.protect_rtcp(&mut report).is_ok());
        // The first packets of a source make room for it.
        if round > 0 {
            counted += ALLOCATIONS.with(Cell::get) - before;
        }
    }
    assert_eq!(counted, 0);
}
