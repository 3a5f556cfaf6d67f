//! Where rooms go that are asked for at the same moment.

use edge::token::Secrets;

use super::*;
use crate::cluster::InProcess;

#[tokio::test]
async fn calls_that_begin_at_the_same_moment_are_spread_before_any_node_has_answered() {
    let secret = "s".repeat(32);
    let secrets = Secrets {
        current: secret,
        previous: None,
    };
    let urls = ["http://a:1".to_owned(), "http://b:1".to_owned()];
    let (nodes, _reports) = Nodes::start(
        &urls,
        Arc::new(Tokens::new(&secrets, &secrets)),
        Arc::new(InProcess::default()),
        Patience::default(),
    );
    // Nothing is awaited here, so that neither link nor probe ever says that these nodes are not there.
    for node in nodes.list.all() {
        node.change(|state| (state.connected, state.ready, state.max_rooms) = (true, true, 5));
    }
    let region = Region::default();
    let wish = Wish {
        avoid: None,
        standby: false,
        region: &region,
    };
    let asked = Asked::default();
    let reserved: Vec<_> = (0..12).map_while(|_| nodes.reserve(None, &asked, wish)).collect();
    assert_eq!(reserved.len(), 10, "no node is asked for more than it has places");
    for name in ["a:1", "b:1"] {
        let there = reserved.iter().filter(|(node, _)| node.id.0 == name);
        assert_eq!(there.count(), 5, "{name}");
    }
    drop(reserved);
    for node in nodes.list.all() {
        assert_eq!(node.state().asked_rooms, 0, "given back where it came to nothing");
    }
}
