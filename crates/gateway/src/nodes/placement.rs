//! Where a new room goes (contract §8.4): the caller's region first, then anywhere, each time where there is the least
//! to do. Nothing that is full, draining, overloaded or lost gets one.

use call::NodeId;

use super::node::State;

/// Rooms that stand by weigh this share of one that carries media: a node takes twenty of them for each of its places.
const STANDBY_WEIGHT: f64 = 0.05;
/// Places of a node that does not say how many it has: the contract's ten (§8.4).
const USUAL_PLACES: u32 = 10;

/// A node that may be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    /// Which.
    pub(super) id: &'a NodeId,
    /// How it is.
    pub(super) state: &'a State,
    /// Whether it failed just now: then it is the last resort.
    pub(super) avoided: bool,
}

/// What placement compares: the share of places that are taken, plus the share of its cores in use.
pub(super) fn load(state: &State) -> f64 {
    let places = match state.max_rooms {
        0 => USUAL_PLACES,
        places => places,
    };
    let rooms = state.rooms.saturating_add(state.asked_rooms);
    let occupied = state.occupied.saturating_add(state.asked_places);
    let standing_by = rooms.saturating_sub(occupied);
    (f64::from(occupied) + f64::from(standing_by) * STANDBY_WEIGHT) / f64::from(places) + state.cpu
}

/// The node for a room of somebody in this region, which is empty if nobody knows it. The order of the candidates does
/// not matter: of equals the first by name is taken.
pub(super) fn choose<'a>(candidates: &[Candidate<'a>], region: &str) -> Option<&'a NodeId> {
    let elsewhere = |candidate: &Candidate<'_>| !region.is_empty() && candidate.state.region != region;
    let best = candidates
        .iter()
        .filter(|candidate| candidate.state.takes_rooms())
        .min_by(|a, b| {
            let rank = |candidate: &Candidate<'_>| (candidate.avoided, elsewhere(candidate));
            rank(a)
                .cmp(&rank(b))
                .then_with(|| load(a.state).total_cmp(&load(b.state)))
                .then_with(|| a.id.0.cmp(&b.id.0))
        });
    best.map(|candidate| candidate.id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A node that takes rooms and has nothing to do.
    fn idle(region: &str) -> State {
        State {
            connected: true,
            ready: true,
            region: region.to_owned(),
            max_rooms: 10,
            ..State::default()
        }
    }

    /// Chooses among nodes named `0`, `1`, … in this order.
    fn chosen(states: &[State], avoided: Option<usize>, region: &str) -> Option<usize> {
        let names: Vec<NodeId> = (0..states.len())
            .map(|number| NodeId(format!("{number:03}")))
            .collect();
        let candidates: Vec<Candidate<'_>> = (0..states.len())
            .map(|index| Candidate {
                id: &names[index],
                state: &states[index],
                avoided: avoided == Some(index),
            })
            .collect();
        let id = choose(&candidates, region)?;
        names.iter().position(|name| name == id)
    }

    fn with(region: &str, change: impl FnOnce(&mut State)) -> State {
        let mut state = idle(region);
        change(&mut state);
        state
    }

    /// What makes a node different from one that is well.
    type Change = fn(&mut State);

    #[test]
    fn the_least_to_do_in_the_region_and_then_anywhere() {
        let busy = |region: &str, rooms| {
            with(region, |state| {
                state.occupied = rooms;
                state.rooms = rooms;
            })
        };
        let full = || busy("eu", 10);
        let rows: [(&str, Vec<State>, &str, Option<usize>); 9] = [
            ("nothing to choose from", vec![], "eu", None),
            (
                "the fewer rooms",
                vec![busy("eu", 2), busy("eu", 1)],
                "eu",
                Some(1),
            ),
            (
                "its own region, though it has more to do",
                vec![busy("us", 0), busy("eu", 9)],
                "eu",
                Some(1),
            ),
            (
                "another region if its own is full",
                vec![busy("us", 3), full()],
                "eu",
                Some(0),
            ),
            (
                "the least anywhere, as no node is in the region",
                vec![busy("us", 3), busy("ap", 2)],
                "eu",
                Some(1),
            ),
            (
                "the least anywhere, as nobody knows the region",
                vec![busy("us", 3), busy("eu", 2)],
                "",
                Some(1),
            ),
            ("none, as all are full", vec![full(), full()], "eu", None),
            (
                "of equals the first by name",
                vec![idle("eu"), idle("eu")],
                "eu",
                Some(0),
            ),
            (
                "the cores count as much as the places",
                vec![with("eu", |state| state.cpu = 0.5), busy("eu", 4)],
                "eu",
                Some(1),
            ),
        ];
        for (what, states, region, expected) in rows {
            assert_eq!(chosen(&states, None, region), expected, "{what}");
        }
    }

    #[test]
    fn who_takes_no_rooms_gets_none() {
        let changes: [(&str, Change); 5] = [
            ("not connected", |state| state.connected = false),
            ("overloaded", |state| state.ready = false),
            ("draining", |state| state.draining = true),
            ("lost", |state| state.lost = true),
            ("full", |state| state.occupied = state.max_rooms),
        ];
        for (what, change) in changes {
            assert_eq!(chosen(&[with("eu", change)], None, "eu"), None, "{what}");
            let busy = with("us", |state| state.cpu = 1.0);
            assert_eq!(chosen(&[with("eu", change), busy], None, "eu"), Some(1), "{what}");
        }
    }

    #[test]
    fn a_node_that_failed_is_the_last_resort() {
        let states = [idle("eu"), with("us", |state| state.cpu = 0.9)];
        assert_eq!(chosen(&states, Some(0), "eu"), Some(1));
        assert_eq!(chosen(&states[..1], Some(0), "eu"), Some(0));
    }

    #[test]
    fn places_are_compared_by_share_and_those_that_stand_by_weigh_little() {
        let large = with("", |state| {
            (state.max_rooms, state.occupied, state.rooms) = (100, 20, 20)
        });
        let small = with("", |state| (state.occupied, state.rooms) = (3, 3));
        assert_eq!(chosen(&[small, large], None, ""), Some(1));
        let standing_by = with("", |state| state.rooms = 10);
        let talking = with("", |state| (state.occupied, state.rooms) = (1, 1));
        assert_eq!(chosen(&[talking, standing_by], None, ""), Some(1));
        let silent = with("", |state| {
            (state.max_rooms, state.occupied, state.rooms) = (0, 50, 50)
        });
        assert_eq!(
            chosen(&[silent], None, ""),
            Some(0),
            "who names no limit has none here"
        );
    }

    fn any_state() -> impl Strategy<Value = State> {
        let switches = any::<[bool; 4]>();
        let region = prop::sample::select(vec!["", "eu", "us"]);
        (switches, region, 0..4_u32, 0..8_u32, 0..8_u32, 0.0..1.0_f64).prop_map(
            |([connected, ready, lost, draining], region, max_rooms, occupied, standing_by, cpu)| State {
                connected,
                ready,
                lost,
                draining,
                region: region.to_owned(),
                rooms: occupied + standing_by,
                occupied,
                max_rooms,
                cpu,
                ..State::default()
            },
        )
    }

    proptest! {
        #[test]
        fn the_choice_is_the_best_of_those_that_take_rooms(
            states in prop::collection::vec(any_state(), 0..8),
            avoided in prop::option::of(0..8_usize),
            region in prop::sample::select(vec!["", "eu", "us", "ap"]),
        ) {
            let usable = |index: &usize| states[*index].takes_rooms();
            match chosen(&states, avoided, region) {
                None => prop_assert_eq!((0..states.len()).filter(usable).count(), 0),
                Some(best) => {
                    prop_assert!(usable(&best));
                    for other in (0..states.len()).filter(usable) {
                        let rank = |index: usize| {
                            let elsewhere = !region.is_empty() && states[index].region != region;
                            (avoided == Some(index), elsewhere)
                        };
                        prop_assert!(rank(best) <= rank(other));
                        if rank(best) == rank(other) {
                            prop_assert!(load(&states[best]) <= load(&states[other]));
                        }
                    }
                }
            }
        }

        #[test]
        fn the_order_of_the_nodes_does_not_matter(
            states in prop::collection::vec(any_state(), 1..6),
            region in prop::sample::select(vec!["", "eu"]),
        ) {
            let names: Vec<NodeId> = (0..states.len()).map(|number| NodeId(format!("{number:03}"))).collect();
            let candidate = |index: usize| Candidate { id: &names[index], state: &states[index], avoided: false };
            let forward: Vec<_> = (0..states.len()).map(candidate).collect();
            let backward: Vec<_> = (0..states.len()).rev().map(candidate).collect();
            prop_assert_eq!(choose(&forward, region), choose(&backward, region));
        }
    }
}
