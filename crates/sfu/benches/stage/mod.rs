//! One camera and its viewers in the simulated world, and a clock that runs only inside the workers.

use std::cell::Cell;
use std::time::{Duration, Instant};

use sfu::spec::MediaKind;

use crate::world::annex::Site;
use crate::world::{Camera, PeerId, World};

/// Packets of a frame.
pub(crate) const PACKETS: u8 = 8;
/// How long the estimators of fresh transports need to trust their paths with the video.
const WARM_UP: Duration = Duration::from_secs(10);

thread_local! {
    static ENTERED: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Time spent inside the workers since it was last set.
    pub(crate) static INSIDE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Called by the world around every entry into a worker.
pub(crate) fn clock(entering: bool) {
    if entering {
        ENTERED.set(Some(Instant::now()));
    } else if let Some(entered) = ENTERED.take() {
        INSIDE.set(INSIDE.get() + entered.elapsed());
    }
}

/// A world in which one client's camera is watched by all the others, who are served at `site`.
pub(crate) fn stage(viewers: usize, site: Site) -> World {
    let mut world = World::new();
    world.viewers = site;
    let receivers: Vec<PeerId> = (0..viewers).map(|_| world.receiver()).collect();
    let sender = world.sender();
    world.connect();
    let camera = Camera {
        packets_per_frame: PACKETS,
        ..Camera::default()
    };
    let producer = world.camera(sender, camera);
    for receiver in receivers {
        world.watch(receiver, producer, MediaKind::Video);
    }
    world.run(WARM_UP);
    world.probe = clock;
    world
}
