//! A consumer's VP8 picture numbers: continuous over dropped temporal layers and stream switches (RFC 7741 §4.2).
//!
//! A decoder takes a missing PictureID for a lost picture, so the pictures that were left out on purpose must leave
//! no gap. TL0PICIDX counts pictures of the base layer, which are never left out; it only moves at switches.

use rtp::codec::PictureIds;

use super::seq_map::Renumbering;

/// Bits of a PictureID as sent: consumers get what the producer's descriptor has room for.
const LONG: u64 = 1 << 15;
const SHORT: u64 = 1 << 7;

/// The numbers a packet goes out with; parts its descriptor lacks are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// 15 bits; a descriptor with 7 takes the low ones.
    pub(crate) picture_id: u16,
    /// Base layer picture count, modulo 256.
    pub(crate) tl0_pic_idx: u8,
}

/// The picture numbers of one consumer.
#[derive(Clone, Debug)]
pub(crate) struct PictureMap {
    pictures: Renumbering,
    /// The newest PictureID received, unwrapped.
    newest: Option<u64>,
    /// Outgoing less incoming TL0PICIDX.
    tl0_offset: u8,
    /// The newest TL0PICIDX sent.
    newest_tl0: Option<u8>,
    first: Picture,
}

impl PictureMap {
    /// Nothing sent; the first picture will carry `first`.
    pub(crate) fn new(first: Picture) -> Self {
        // One cycle up, so that pictures a little older than the first have a number too.
        let pictures = Renumbering::new(u64::from(first.picture_id) % LONG + LONG);
        Self {
            pictures,
            newest: None,
            tl0_offset: 0,
            newest_tl0: None,
            first,
        }
    }

    /// Begins another stream, or resumes one, with the picture `first`: it follows the newest one sent.
    pub(crate) fn sync(&mut self, first: PictureIds) {
        if let Some(id) = first.picture_id {
            let number = u64::from(id) + LONG;
            self.newest = Some(number);
            self.pictures.sync(number);
        }
        if let Some(tl0) = first.tl0_pic_idx {
            let next = self
                .newest_tl0
                .map_or(self.first.tl0_pic_idx, |newest| newest.wrapping_add(1));
            self.tl0_offset = next.wrapping_sub(tl0);
        }
    }

    /// Leaves out a picture; call it for each of its packets or only once. Without effect for a picture that is not
    /// newer than all before.
    pub(crate) fn drop(&mut self, ids: PictureIds) {
        if let Some(number) = self.expand(ids) {
            self.pictures.drop(number);
        }
    }

    /// The numbers a packet goes out with; `None` if its picture was dropped or cannot be placed any more. The first
    /// call without a [`Self::sync`] before it begins the stream.
    pub(crate) fn map(&mut self, ids: PictureIds) -> Option<Picture> {
        if self.newest.is_none() && self.newest_tl0.is_none() {
            self.sync(ids);
        }
        let mut picture = Picture::default();
        if let Some(number) = self.expand(ids) {
            picture.picture_id = (self.pictures.map(number)? % LONG) as u16;
        }
        if let Some(tl0) = ids.tl0_pic_idx {
            picture.tl0_pic_idx = tl0.wrapping_add(self.tl0_offset);
            let ahead = |newest: u8| picture.tl0_pic_idx.wrapping_sub(newest) < 0x80;
            if self.newest_tl0.is_none_or(ahead) {
                self.newest_tl0 = Some(picture.tl0_pic_idx);
            }
        }
        Some(picture)
    }

    /// The PictureID closest to the newest one, unwrapped from its 15 or 7 bits.
    fn expand(&mut self, ids: PictureIds) -> Option<u64> {
        let cycle = if ids.long { LONG } else { SHORT };
        let id = u64::from(ids.picture_id?) % cycle;
        let newest = self.newest.unwrap_or(id + LONG);
        let ahead = id.wrapping_sub(newest) % cycle;
        let number = if ahead < cycle / 2 {
            newest + ahead
        } else {
            (newest + ahead).saturating_sub(cycle)
        };
        self.newest = Some(newest.max(number));
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(picture_id: u16, tl0: u8) -> PictureIds {
        PictureIds {
            picture_id: Some(picture_id),
            long: true,
            tl0_pic_idx: Some(tl0),
        }
    }

    fn out(picture_id: u16, tl0_pic_idx: u8) -> Option<Picture> {
        Some(Picture {
            picture_id,
            tl0_pic_idx,
        })
    }

    fn map_from(picture_id: u16, tl0_pic_idx: u8) -> PictureMap {
        PictureMap::new(Picture {
            picture_id,
            tl0_pic_idx,
        })
    }

    #[test]
    fn dropped_layers_leave_no_gap() {
        let mut map = map_from(100, 200);
        assert_eq!(map.map(ids(7, 3)), out(100, 200));
        assert_eq!(
            map.map(ids(7, 3)),
            out(100, 200),
            "another packet of the same picture"
        );
        map.drop(ids(8, 3));
        map.drop(ids(8, 3));
        assert_eq!(map.map(ids(9, 3)), out(101, 200));
        map.drop(ids(10, 3));
        assert_eq!(map.map(ids(11, 4)), out(102, 201));
        assert_eq!(map.map(ids(10, 3)), None);
        assert_eq!(map.map(ids(9, 3)), out(101, 200), "a late packet");
        assert_eq!(map.map(ids(13, 4)), out(104, 201), "a lost picture stays missing");
    }

    #[test]
    fn a_switch_follows_on() {
        let mut map = map_from(0x7ffe, 254);
        assert_eq!(map.map(ids(500, 9)), out(0x7ffe, 254));
        assert_eq!(map.map(ids(501, 10)), out(0x7fff, 255));
        map.sync(ids(20_000, 77));
        assert_eq!(map.map(ids(20_000, 77)), out(0, 0));
        assert_eq!(map.map(ids(20_001, 78)), out(1, 1));
        map.sync(ids(3, 1));
        map.sync(ids(10, 200));
        assert_eq!(
            map.map(ids(10, 200)),
            out(2, 2),
            "nothing of the stream before was sent"
        );
    }

    #[test]
    fn fifteen_bits_wrap_on_both_sides() {
        let mut map = map_from(10, 0);
        assert_eq!(map.map(ids(0x7ffe, 255)), out(10, 0));
        map.drop(ids(0x7fff, 255));
        assert_eq!(map.map(ids(0, 0)), out(11, 1));
        assert_eq!(map.map(ids(0x7fff, 255)), None);
        assert_eq!(map.map(ids(1, 1)), out(12, 2));
    }

    #[test]
    fn seven_bits_wrap() {
        let short = |picture_id| PictureIds {
            picture_id: Some(picture_id),
            long: false,
            tl0_pic_idx: None,
        };
        let mut map = map_from(126, 0);
        let sent: Vec<_> = (0..300u16)
            .map(|n| map.map(short(n % 128)).unwrap().picture_id)
            .collect();
        assert_eq!(sent, (126..426).collect::<Vec<_>>());
    }

    #[test]
    fn a_descriptor_without_numbers_is_left_alone() {
        let none = PictureIds {
            picture_id: None,
            long: false,
            tl0_pic_idx: None,
        };
        let mut map = map_from(5, 5);
        map.drop(none);
        assert_eq!(map.map(none), out(0, 0));
        map.sync(none);
        assert_eq!(map.map(none), out(0, 0));
        let only_id = PictureIds {
            picture_id: Some(3),
            long: true,
            tl0_pic_idx: None,
        };
        assert_eq!(map.map(only_id), out(5, 0));
    }

    proptest! {
        /// Pictures sent are numbered one after the other, whatever is dropped and however often streams switch.
        #[test]
        fn pictures_are_continuous(
            first: u16,
            start: u16,
            ops in prop::collection::vec((0u8..10, any::<u16>(), any::<u8>()), 1..2_000),
        ) {
            let mut map = map_from(first & 0x7fff, 9);
            let (mut input, mut tl0) = (start & 0x7fff, 0u8);
            let mut expected = first & 0x7fff;
            for (op, base, tl0_base) in ops {
                match op {
                    0 => {
                        (input, tl0) = (base & 0x7fff, tl0_base);
                        map.sync(ids(input, tl0));
                    }
                    1..=4 => map.drop(ids(input, tl0)),
                    _ => {}
                }
                if !(1..=4).contains(&op) {
                    prop_assert_eq!(map.map(ids(input, tl0)).map(|out| out.picture_id), Some(expected));
                    expected = (expected + 1) & 0x7fff;
                }
                input = (input + 1) & 0x7fff;
            }
        }
    }
}
