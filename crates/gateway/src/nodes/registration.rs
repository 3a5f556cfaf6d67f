//! Nodes that come by themselves (contract §8.4).

use call::NodeId;
use reqwest::Url;
use signalling::ErrorCode;
use signalling::client_gateway::NodeOrigin;
use signalling::error::ErrorBody;
use signalling::gateway_node::{RegisterNode, Registered};
use tokio::time::Instant;

use super::Nodes;
use super::node::{EXPIRY, Node};
use crate::region::Region;

/// Most nodes that are known at a time: a bound for a program that registers what it likes, far above what one gateway
/// serves.
const MOST: usize = 256;
/// Most places a node may claim to have.
const MOST_ROOMS: u32 = 100_000;
/// Longest name and URL, bytes.
const LONGEST: usize = 255;

impl Nodes {
    /// Takes note of a node that says it is there.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for what cannot be; `RESOURCE_LIMIT_REACHED` if there are too many nodes.
    pub(crate) fn register(&self, request: &RegisterNode) -> Result<Registered, ErrorBody> {
        let url = base_url(&request.url)?;
        let region = check(request)?;
        let too_many =
            || ErrorBody::with_message(ErrorCode::ResourceLimitReached, "There are too many media nodes");
        let id = NodeId(authority(&url));
        if let Some(listed) = self.list.listed(&request.instance, &id) {
            self.fold_into(&listed, &id);
            return Ok(answer(&listed));
        }
        let known = self.list.find(&id).is_some();
        let node = self
            .know(&url, NodeOrigin::Registered, MOST)
            .ok_or_else(too_many)?;
        if !known {
            let name = &request.server_id;
            tracing::info!(node = %node.id.0, name, region = region.name(), "a media node registered");
        }
        node.hear_of(Instant::now());
        node.change(|state| {
            region.name().clone_into(&mut state.region);
            state.max_rooms = request.max_rooms;
            state.draining = request.draining;
            state.listed_elsewhere = false;
            // Its figures are newer there, once they come.
            if !state.connected {
                (state.rooms, state.occupied, state.cpu) = (request.rooms, request.rooms, request.cpu);
            }
        });
        Ok(answer(&node))
    }

    /// A node of the settings registers under another name: it is one node, and keeps that of the settings. Calls whose
    /// rooms it has under the other one keep them.
    fn fold_into(&self, listed: &Node, other: &NodeId) {
        let mut news = false;
        listed.change(|state| {
            news = state.alias != other.0;
            state.alias.clone_from(&other.0);
        });
        if news {
            tracing::warn!(
                node = %listed.id.0, registers_as = %other.0,
                "a media node registers under another address than MEDIA_SERVER_URL has: it counts once; give its \
                 INTERNAL_URL as listed, or leave it out of the list"
            );
        }
        let Some(double) = self.list.find(other) else {
            return;
        };
        double.hear_of(Instant::now());
        double.change(|state| state.listed_elsewhere = true);
        if double.origin == NodeOrigin::Registered && double.watched().is_empty() {
            self.list.remove(other);
            double.change(|state| state.forgotten = true);
        }
    }
}

fn answer(node: &Node) -> Registered {
    Registered {
        node_id: node.id.0.clone(),
        expires_in: EXPIRY.as_secs(),
    }
}

fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::with_message(ErrorCode::InvalidRequest, message)
}

fn authority(url: &str) -> String {
    url.split_once("://")
        .map_or(url, |(_, authority)| authority)
        .to_owned()
}

/// The URL without a slash at the end. Nodes are spoken to inside the network, in plain HTTP, and below the root.
fn base_url(text: &str) -> Result<String, ErrorBody> {
    let wrong = || invalid("url must be http:// with a host and a port, such as http://media-1:3001");
    if text.len() > LONGEST {
        return Err(wrong());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.scheme() == "http"
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    match url.host_str() {
        Some(host) if plain => Ok(match url.port() {
            Some(port) => format!("http://{host}:{port}"),
            None => format!("http://{host}"),
        }),
        _ => Err(wrong()),
    }
}

fn check(request: &RegisterNode) -> Result<Region, ErrorBody> {
    if !(1..=MOST_ROOMS).contains(&request.max_rooms) {
        return Err(invalid(format!(
            "maxRooms must be a whole number from 1 to {MOST_ROOMS}"
        )));
    }
    if !(0.0..=1.0).contains(&request.cpu) {
        return Err(invalid("cpu must lie between 0 and 1"));
    }
    let texts = [&request.server_id, &request.version, &request.instance];
    if request.server_id.is_empty() || texts.iter().any(|text| text.len() > LONGEST) {
        return Err(invalid(format!(
            "serverId, version and instance must have at most {LONGEST} bytes"
        )));
    }
    Region::new(&request.region).ok_or_else(|| invalid("region must be a short name such as eu-west-1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_base_urls_are_taken() {
        for (text, url) in [
            ("http://media-1:3001", "http://media-1:3001"),
            ("http://media-1:3001/", "http://media-1:3001"),
            ("http://media-1", "http://media-1"),
            ("http://media-1:80", "http://media-1"),
            ("http://[::1]:3001", "http://[::1]:3001"),
        ] {
            assert_eq!(base_url(text).expect("a base URL"), url);
        }
        for text in [
            "",
            "media-1:3001",
            "https://media-1:3001",
            "file:///etc/passwd",
            "http://user@media-1:3001",
            "http://media-1:3001/api",
            "http://media-1:3001/?x",
            "http://media-1:3001/#x",
            &format!("http://{}:1", "m".repeat(LONGEST)),
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_node_says_of_itself_must_be_possible() {
        let good = RegisterNode {
            server_id: "media-1".to_owned(),
            url: "http://media-1:3001".to_owned(),
            region: "eu-west-1".to_owned(),
            max_rooms: 10,
            rooms: 0,
            cpu: 0.25,
            draining: false,
            version: "0.1.0".to_owned(),
            instance: "one".to_owned(),
        };
        assert_eq!(check(&good).expect("all is well").name(), "eu-west-1");
        let wrong: [fn(&mut RegisterNode); 8] = [
            |node| node.max_rooms = 0,
            |node| node.max_rooms = MOST_ROOMS + 1,
            |node| node.cpu = 1.5,
            |node| node.cpu = f64::NAN,
            |node| node.server_id.clear(),
            |node| node.version = "v".repeat(LONGEST + 1),
            |node| node.instance = "i".repeat(LONGEST + 1),
            |node| node.region = "e u".to_owned(),
        ];
        for change in wrong {
            let mut node = good.clone();
            change(&mut node);
            assert!(check(&node).is_err(), "{node:?}");
        }
    }
}
