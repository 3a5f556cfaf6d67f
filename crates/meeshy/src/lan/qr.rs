//! An address as a QR code in a terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Two rows of the code to a line of text, light where the code is light: most terminals are dark. `None` for text
/// that is too long for a code.
pub(super) fn code(text: &str) -> Option<String> {
    // A screen does not get dirty; a small code is scanned from further away.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let mut picture = code.render::<Dense1x2>();
    picture.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    Some(picture.quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Light modules around a code without which scanners do not find it (ISO/IEC 18004 §6.3.8).
    const QUIET: usize = 4;

    /// What a scanner sees on the terminal, row by row: whether it is light there.
    fn seen(picture: &str) -> Vec<Vec<bool>> {
        let halves = |line: &str| -> (Vec<bool>, Vec<bool>) {
            let halves = line.chars().map(|symbol| match symbol {
                '█' => (true, true),
                '▀' => (true, false),
                '▄' => (false, true),
                ' ' => (false, false),
                other => panic!("{other:?} is no half block"),
            });
            halves.unzip()
        };
        let rows = picture.lines().map(halves);
        rows.flat_map(|(upper, lower)| [upper, lower]).collect()
    }

    #[test]
    fn the_terminal_shows_the_code_of_the_address_with_a_margin() {
        for url in [
            "https://192.168.1.7:4000/",
            "https://[2001:db8:1234:5678:9abc:def0:1234:5678]:65535/",
        ] {
            let rows = seen(&code(url).expect("short enough"));
            let expected = QrCode::with_error_correction_level(url, EcLevel::L).expect("short enough");
            let width = expected.width() + 2 * QUIET;
            assert!(
                rows.len() >= width && rows.iter().all(|row| row.len() == width),
                "{url}"
            );
            for (y, row) in rows.iter().take(width).enumerate() {
                for (x, light) in row.iter().enumerate() {
                    let inside = |at: usize| (QUIET..width - QUIET).contains(&at);
                    let dark =
                        inside(x) && inside(y) && expected[(x - QUIET, y - QUIET)] == qrcode::Color::Dark;
                    assert_eq!(*light, !dark, "{url}: column {x}, row {y}");
                }
            }
        }
        assert_eq!(code(&"x".repeat(10_000)), None);
    }
}
