//! What a receiver may expect of a stream.

use std::time::{Duration, Instant};

use super::peer::Received;

/// Asserts that a decoder would take these packets (in the order of their numbers) for one flawless stream: nothing
/// missing, whole frames, clocks and picture numbers running on.
pub fn assert_continuous(packets: &[&Received]) {
    assert!(!packets.is_empty(), "nothing was received");
    for packet in packets {
        assert!(packet.stamp.is_some(), "altered payload: {packet:?}");
    }
    for pair in packets.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        assert_eq!(
            after.sequence,
            before.sequence + 1,
            "between {before:?} and {after:?}"
        );
        let (first, second) = (before.stamp.expect("checked"), after.stamp.expect("checked"));
        let ticks = after.timestamp.wrapping_sub(before.timestamp) as i32;
        if (first.stream, first.frame) == (second.stream, second.frame) {
            assert_eq!(second.index, first.index + 1, "{before:?} then {after:?}");
            assert_eq!(
                (ticks, after.picture),
                (0, before.picture),
                "{before:?} then {after:?}"
            );
            assert!(!before.marker, "{before:?} ends its frame too early");
            continue;
        }
        assert!(
            before.marker && first.index + 1 == first.count,
            "{before:?} does not end its frame"
        );
        assert_eq!(second.index, 0, "{after:?} does not begin its frame");
        assert!(ticks > 0, "timestamps run backwards: {before:?} then {after:?}");
        if let (Some(old), Some(new)) = (before.picture, after.picture) {
            assert_eq!(
                new.picture_id,
                (old.picture_id + 1) & 0x7fff,
                "{before:?} then {after:?}"
            );
            let moved = new.tl0_pic_idx.wrapping_sub(old.tl0_pic_idx);
            assert_eq!(moved, u8::from(new.temporal == 0), "{before:?} then {after:?}");
        }
    }
}

/// Numbers of the frames that came whole, in the order received first.
pub fn whole_frames(packets: &[&Received]) -> Vec<u32> {
    let mut frames: Vec<(u32, Vec<u8>, u8)> = Vec::new();
    for stamp in packets.iter().filter_map(|packet| packet.stamp) {
        match frames.iter_mut().rev().find(|(frame, ..)| *frame == stamp.frame) {
            Some((_, indices, _)) => indices.push(stamp.index),
            None => frames.push((stamp.frame, vec![stamp.index], stamp.count)),
        }
    }
    frames
        .into_iter()
        .filter_map(|(frame, mut indices, count)| {
            indices.sort_unstable();
            indices.dedup();
            (indices.len() == usize::from(count)).then_some(frame)
        })
        .collect()
}

/// Numbers between the lowest and the highest received that are missing.
pub fn missing(packets: &[&Received]) -> u64 {
    let numbers = packets.iter().map(|packet| packet.sequence);
    let span = numbers
        .clone()
        .max()
        .zip(numbers.min())
        .map_or(0, |(last, first)| last + 1 - first);
    span - packets.len() as u64
}

/// When a decoder could show a new picture: one that is whole, and whose predecessor it has or does not need. The packets
/// are in the order of their numbers.
pub fn shown(packets: &[&Received]) -> Vec<Instant> {
    let mut pictures: Vec<Vec<&Received>> = Vec::new();
    let place = |packet: &Received| packet.stamp.map(|stamp| (stamp.stream, stamp.frame));
    for &packet in packets {
        match pictures.last_mut() {
            Some(last) if place(last[0]) == place(packet) => last.push(packet),
            _ => pictures.push(vec![packet]),
        }
    }
    let mut at = Vec::new();
    // Number of the last packet and time of the picture before, if it could be shown.
    let mut before: Option<(u64, Instant)> = None;
    for picture in pictures {
        let stamp = picture[0].stamp.expect("unaltered");
        let whole = picture.iter().map(|packet| packet.at).max();
        let whole = whole.filter(|_| picture.len() == usize::from(stamp.count));
        let follows = before.filter(|(last, _)| last + 1 == picture[0].sequence);
        let time = match (whole, follows) {
            (Some(whole), _) if stamp.key => Some(whole),
            (Some(whole), Some((_, before))) => Some(whole.max(before)),
            _ => None,
        };
        before = time.map(|time| (picture[picture.len() - 1].sequence, time));
        at.extend(time);
    }
    at.sort_unstable();
    at
}

/// The longest time without a new picture between two moments.
pub fn longest_standstill(packets: &[&Received], from: Instant, to: Instant) -> Duration {
    let within = shown(packets).into_iter().filter(|at| (from..=to).contains(at));
    let moments: Vec<_> = [from].into_iter().chain(within).chain([to]).collect();
    let gaps = moments.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().expect("two moments at least")
}
