//! The lite responder alone against a full, controlling agent, over networks that lose much.

use std::time::Duration;

use is::IceConnectionState;
use link::ice::IceState;

use crate::peer::{CELLULAR, Network, Traits, WIFI, World, path};

#[test]
fn a_full_agent_connects_and_nominates() {
    for (loss_percent, limit) in [(0, 2), (10, 5), (30, 20), (50, 60)] {
        for seed in 1..6 {
            let network = Network {
                loss_percent,
                ..Network::default()
            };
            let mut world = World::new(
                network,
                Traits {
                    seed,
                    ..Traits::default()
                },
            );
            let done = world.run_until(Duration::from_secs(limit), |world| {
                world.link.selected().is_some() && world.peer.route.is_some()
            });
            assert!(done, "loss {loss_percent} %, seed {seed}");
            assert_eq!(world.link.selected(), world.peer.route);
            assert_eq!(world.link.ice_state(), IceState::Completed);
            assert!(world.peer.ice_state().is_connected());
        }
    }
}

#[test]
fn of_several_paths_both_sides_settle_on_one() {
    for seed in 1..10 {
        let network = Network {
            loss_percent: 10,
            jitter: Duration::from_millis(15),
            ..Network::default()
        };
        let mut world = World::new(
            network,
            Traits {
                seed,
                ..Traits::default()
            },
        );
        world.peer.add_address(CELLULAR);
        world.peer.add_address("[2001:db8::7]:7000");
        world.run(Duration::from_secs(20));
        // The full agent nominates each of its paths again and again, so that after a loss the two may differ
        // for one round of checks.
        let mut agreed = 0;
        for _ in 0..60 {
            world.run(Duration::from_secs(1));
            agreed += u32::from(world.link.selected().is_some() && world.link.selected() == world.peer.route);
        }
        assert!(agreed >= 50, "seed {seed}: agreed {agreed} s of 60");
    }
}

#[test]
fn an_agent_with_the_wrong_password_never_connects() {
    let mut world = World::new(Network::default(), Traits::default());
    let mut wrong = crate::peer::server_credentials(0);
    wrong.pwd.push('x');
    world.peer.restart_ice(&wrong);
    world.run(Duration::from_secs(30));
    assert_eq!(world.ice_states(), []);
    assert_eq!(world.link.selected(), None);
    assert!(!matches!(
        world.peer.ice_state(),
        IceConnectionState::Connected | IceConnectionState::Completed
    ));
}

#[test]
fn an_agent_that_thinks_itself_controlled_learns_otherwise() {
    let mut world = World::new(Network::default(), Traits::default());
    world.peer.ice.set_controlling(false);
    assert!(world.run_until(Duration::from_secs(20), |world| world.link.selected().is_some()));
    assert!(world.peer.ice.controlling(), "487 told it");
    assert_eq!(world.link.selected(), Some(path(WIFI)));
}
