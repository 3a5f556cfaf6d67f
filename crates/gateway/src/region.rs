//! Where somebody calls from, so that their call's room is near them (contract §8.4).

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::http::HeaderMap;
use edge::TrustedProxies;

/// Set by the proxy in front of the gateway, which knows through which door somebody came.
const HEADER: &str = "x-region";
/// Longest name of a region: those of cloud providers have less than half.
pub(crate) const MAX_REGION: usize = 64;

/// The name of a region; empty if nobody knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// The region of this name, if it can be one: letters, digits, dots, dashes and underscores.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (name.len() <= MAX_REGION && name.bytes().all(allowed)).then(|| Self(name.to_owned()))
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Where a request comes from: what a trusted proxy says, or else this gateway's own region.
    pub(crate) fn of_request(
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
        trusted: &TrustedProxies,
        own: &Self,
    ) -> Self {
        let believed = |peer: &SocketAddr| trusted.contains(IpAddr::to_canonical(&peer.ip()));
        let said = peer.filter(believed).and_then(|_| headers.get(HEADER));
        said.and_then(|value| Self::new(value.to_str().ok()?))
            .filter(|region| !region.0.is_empty())
            .unwrap_or_else(|| own.clone())
    }
}

/// Where a call's people are: where it was begun from. After a restart of the gateway nobody knows until the first of
/// them is back. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallRegion(Arc<OnceLock<Region>>);

impl CallRegion {
    /// That of a call begun from there.
    pub(crate) fn of(region: Region) -> Self {
        Self(Arc::new(OnceLock::from(region)))
    }

    /// Somebody in the call is there; of use if nobody knew.
    pub(crate) fn learn(&self, region: Region) {
        // The first one decides.
        drop(self.0.set(region));
    }

    /// Where they are, or else what is taken for it.
    pub(crate) fn or<'a>(&'a self, own: &'a Region) -> &'a Region {
        self.0.get().unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_trusted_proxy_says_where_somebody_comes_from_and_nobody_else() {
        let trusted = TrustedProxies(vec!["10.0.0.0/8".parse().expect("a range")]);
        let own = Region::new("eu-west-1").expect("a region");
        let (proxy, stranger) = ("10.0.0.1:80", "203.0.113.5:80");
        let rows = [
            (Some(proxy), Some("us-east-1"), "us-east-1"),
            (Some("[::ffff:10.0.0.1]:80"), Some("us-east-1"), "us-east-1"),
            (Some(stranger), Some("us-east-1"), "eu-west-1"),
            (None, Some("us-east-1"), "eu-west-1"),
            (Some(proxy), None, "eu-west-1"),
            (Some(proxy), Some(""), "eu-west-1"),
            (Some(proxy), Some("us east"), "eu-west-1"),
            (Some(proxy), Some("\u{e9}"), "eu-west-1"),
        ];
        for (peer, said, expected) in rows {
            let peer = peer.map(|peer| peer.parse().expect("an address"));
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(HEADER, HeaderValue::from_str(said).expect("a header"));
            }
            let region = Region::of_request(peer, &headers, &trusted, &own);
            assert_eq!(region.name(), expected, "{peer:?} {said:?}");
        }
    }

    #[test]
    fn a_calls_region_is_that_of_the_first_who_is_known_to_be_in_it() {
        let named = |name| Region::new(name).expect("a region");
        let own = named("own");
        let begun = CallRegion::of(named("eu"));
        begun.learn(named("us"));
        assert_eq!(begun.or(&own).name(), "eu");
        let restored = CallRegion::default();
        assert_eq!(restored.or(&own).name(), "own");
        restored.clone().learn(named("us"));
        restored.learn(named("eu"));
        assert_eq!(restored.or(&own).name(), "us");
    }

    #[test]
    fn names_are_short_and_plain() {
        for good in ["", "eu", "ap-south.1_b", &"x".repeat(MAX_REGION)] {
            assert!(Region::new(good).is_some(), "{good}");
        }
        for bad in ["e u", "\u{e9}", "a/b", &"x".repeat(MAX_REGION + 1)] {
            assert!(Region::new(bad).is_none(), "{bad}");
        }
    }
}
