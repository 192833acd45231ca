//! EDID (VESA E-EDID, base block): what a display says about itself. 128 hostile bytes.

use parc_wire::placeholder::is_serial_placeholder;

/// The base block; extensions add timings and audio, nothing an inventory needs.
const BLOCK_BYTES: usize = 128;
const HEADER: [u8; 8] = [0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00];
const DESCRIPTORS: [usize; 4] = [54, 72, 90, 108];
const DESCRIPTOR_BYTES: usize = 18;

const TAG_SERIAL: u8 = 0xFF;
const TAG_TEXT: u8 = 0xFE;
const TAG_NAME: u8 = 0xFC;

/// What one display says. What it does not say is empty or zero.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Edid {
    /// Three letters assigned by UEFI (PNP id).
    pub manufacturer: String,
    /// The name; of panels without one the free texts; else the product code in hexadecimal.
    pub model: String,
    pub serial: String,
    pub year: u32,
    pub week: u32,
    pub width_px: u32,
    pub height_px: u32,
    pub diagonal_mm: u32,
    /// The bytes add up as they should. Old cables and switches damage single bytes.
    pub intact: bool,
}

/// Why bytes are not an EDID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EdidError {
    #[error("shorter than 128 bytes")]
    Short,
    #[error("without the header of an EDID")]
    Header,
}

/// Parses the base block.
pub(super) fn parse(bytes: &[u8]) -> Result<Edid, EdidError> {
    let block: &[u8; BLOCK_BYTES] =
        bytes.get(..BLOCK_BYTES).and_then(|it| it.try_into().ok()).ok_or(EdidError::Short)?;
    if !block.starts_with(&HEADER) {
        return Err(EdidError::Header);
    }
    let mut edid = Edid {
        manufacturer: manufacturer(block[8], block[9]),
        year: 1990 + u32::from(block[17]),
        // 255 marks a model year, more than 54 weeks mean nothing.
        week: Some(block[16]).filter(|it| *it <= 54).map_or(0, u32::from),
        intact: block.iter().fold(0_u8, |sum, it| sum.wrapping_add(*it)) == 0,
        ..Edid::default()
    };
    let (mut names, mut texts, mut serial) = (Vec::new(), Vec::new(), String::new());
    let mut image_mm = (u32::from(block[21]) * 10, u32::from(block[22]) * 10);
    for descriptor in DESCRIPTORS.iter().filter_map(|at| block.get(*at..at + DESCRIPTOR_BYTES)) {
        match descriptor {
            [0, 0, 0, TAG_NAME, _, text @ ..] => names.push(descriptor_text(text)),
            [0, 0, 0, TAG_TEXT, _, text @ ..] => texts.push(descriptor_text(text)),
            [0, 0, 0, TAG_SERIAL, _, text @ ..] if serial.is_empty() => serial = descriptor_text(text),
            [0, 0, ..] => {}
            timing if edid.width_px == 0 => {
                image_mm = preferred_timing(timing, &mut edid).unwrap_or(image_mm);
            }
            _ => {}
        }
    }
    edid.diagonal_mm = diagonal(image_mm);
    let code = u16::from_le_bytes([block[10], block[11]]);
    let code = if code == 0 { String::new() } else { format!("{code:04X}") };
    let said = [joined(&names), joined(&texts)];
    edid.model = said.into_iter().find(|it| !it.is_empty()).unwrap_or(code);
    let number = u32::from_le_bytes([block[12], block[13], block[14], block[15]]);
    edid.serial = whole_serial(&edid.manufacturer, &serial, number);
    Ok(edid)
}

/// Three letters of five bits, A = 1.
fn manufacturer(high: u8, low: u8) -> String {
    let packed = u16::from_be_bytes([high, low]);
    let letter = |shift: u16| match u8::try_from(packed >> shift & 0x1F) {
        Ok(it @ 1..=26) => Some(char::from(b'A' + it - 1)),
        _ => None,
    };
    [10, 5, 0].into_iter().map(letter).collect::<Option<String>>().unwrap_or_default()
}

/// Thirteen characters of code page 437, ended by a line feed. What is not ASCII is the maker's own data.
fn descriptor_text(bytes: &[u8]) -> String {
    let text = bytes.iter().take_while(|it| (b' '..=b'~').contains(*it)).map(|it| char::from(*it));
    text.collect::<String>().trim().to_owned()
}

fn joined(parts: &[String]) -> String {
    parts.iter().filter(|it| !it.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The first detailed timing is the native one. Gives the image size in millimetres, if it is said.
fn preferred_timing(timing: &[u8], edid: &mut Edid) -> Option<(u32, u32)> {
    let at = |index: usize| timing.get(index).copied().map_or(0, u32::from);
    edid.width_px = at(2) | (at(4) & 0xF0) << 4;
    let lines = at(5) | (at(7) & 0xF0) << 4;
    let interlaced = at(17) & 0x80 != 0;
    edid.height_px = if interlaced { lines * 2 } else { lines };
    let size = (at(12) | (at(14) & 0xF0) << 4, at(13) | (at(14) & 0x0F) << 8);
    // Televisions and projectors give an aspect ratio such as 16 × 9 instead.
    (size.0 > 50 && size.1 > 50).then_some(size)
}

fn diagonal((width_mm, height_mm): (u32, u32)) -> u32 {
    if width_mm == 0 || height_mm == 0 {
        return 0;
    }
    // At most 4,095 each, so the root fits.
    (width_mm * width_mm + height_mm * height_mm).isqrt()
}

/// The serial number as on the sticker. Acer splits it: eight characters, the number in hexadecimal, the
/// rest; `BenQ` keeps its first letters in the number. Others repeat it as text or have only the number, which
/// Eizo and Samsung print in decimal.
fn whole_serial(manufacturer: &str, text: &str, number: u32) -> String {
    match (manufacturer, text.split_at_checked(8)) {
        ("ACR", Some((head, tail))) if tail.len() == 4 => return format!("{head}{number:08x}{tail}"),
        ("BNQ", Some(_)) => return descriptor_text(&number.to_le_bytes()) + text,
        _ if !is_serial_placeholder(text) => return text.to_owned(),
        _ => {}
    }
    match (manufacturer, number) {
        // 01010101h is what many makers leave in the field.
        (_, 0 | 0x0101_0101 | u32::MAX) => String::new(),
        ("ENC" | "SAM", _) => number.to_string(),
        _ => format!("{number:08x}"),
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Composes base blocks for tests.

    use super::{BLOCK_BYTES, DESCRIPTORS, HEADER};

    /// A 24-inch display of 1920 × 1200, week 32 of 2013, made by DEL.
    pub(in crate::probe::linux) fn block(descriptors: &[(u8, &str)], number: u32) -> Vec<u8> {
        let mut block = vec![0_u8; BLOCK_BYTES];
        block[..8].copy_from_slice(&HEADER);
        block[8..12].copy_from_slice(&[0x10, 0xAC, 0x4F, 0xA0]);
        block[12..16].copy_from_slice(&number.to_le_bytes());
        block[16..18].copy_from_slice(&[32, 23]);
        block[21..23].copy_from_slice(&[52, 32]);
        block[54..72].copy_from_slice(&[
            0x28, 0x3C, 0x80, 0xA0, 0x70, 0xB0, 0x23, 0x40, 0x30, 0x20, 0x36, 0x00, 0x06, 0x44, 0x21, 0, 0,
            0x1E,
        ]);
        for ((tag, text), at) in descriptors.iter().zip(&DESCRIPTORS[1..]) {
            block[at + 3] = *tag;
            let text: Vec<u8> = text.bytes().chain([b'\n']).chain([b' '; 13]).take(13).collect();
            block[at + 5..at + 18].copy_from_slice(&text);
        }
        seal(&mut block);
        block
    }

    /// Makes the checksum right.
    pub(in crate::probe::linux) fn seal(block: &mut [u8]) {
        block[127] = 0;
        block[127] = block.iter().fold(0_u8, |sum, it| sum.wrapping_add(*it)).wrapping_neg();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::{block, seal};
    use super::*;

    #[test]
    fn a_display_says_what_it_is() {
        let edid = parse(&block(&[(TAG_SERIAL, "84K96386ACRL"), (TAG_NAME, "DELL U2413")], 7)).unwrap();
        let expected = Edid {
            manufacturer: "DEL".into(),
            model: "DELL U2413".into(),
            serial: "84K96386ACRL".into(),
            year: 2013,
            week: 32,
            width_px: 1920,
            height_px: 1200,
            diagonal_mm: 610,
            intact: true,
        };
        assert_eq!(edid, expected);
    }

    #[test]
    fn a_name_may_take_two_descriptors() {
        let edid = parse(&block(&[(TAG_NAME, "Studioworks N"), (TAG_NAME, "2200P")], 0xCE6E)).unwrap();
        assert_eq!((edid.model.as_str(), edid.serial.as_str()), ("Studioworks N 2200P", "0000ce6e"));
    }

    #[test]
    fn a_panel_without_name_has_its_texts_and_else_its_product_code() {
        assert_eq!(
            parse(&block(&[(TAG_TEXT, "AUO"), (TAG_TEXT, "B156HTN03.8")], 0)).unwrap().model,
            "AUO B156HTN03.8"
        );
        assert_eq!(parse(&block(&[], 0)).unwrap().model, "A04F");
    }

    #[test]
    fn the_split_serial_of_acer_is_put_together() {
        let mut bytes = block(&[(TAG_SERIAL, "L56042344335")], 0x7220_137B);
        bytes[8..10].copy_from_slice(&[0x04, 0x72]);
        seal(&mut bytes);
        assert_eq!(parse(&bytes).unwrap().serial, "L56042347220137b4335");
    }

    #[test]
    fn makers_print_the_number_in_their_own_ways() {
        assert_eq!(whole_serial("BNQ", "V5J00208019", u32::from_le_bytes(*b"ET\0\0")), "ETV5J00208019");
        assert_eq!(whole_serial("ENC", "", 68_056_070), "68056070");
        assert_eq!(whole_serial("DEL", "", 0xCE6E), "0000ce6e");
    }

    #[test]
    fn numbers_that_makers_leave_unset_are_no_serial() {
        for number in [0, 0x0101_0101, u32::MAX] {
            assert_eq!(parse(&block(&[], number)).unwrap().serial, "", "{number:x}");
        }
    }

    #[test]
    fn a_projector_gives_a_shape_and_no_size() {
        let mut bytes = block(&[], 0);
        bytes[21..23].copy_from_slice(&[0, 0]);
        bytes[54 + 12..54 + 15].copy_from_slice(&[16, 9, 0]);
        assert_eq!(parse(&bytes).unwrap().diagonal_mm, 0);
    }

    #[test]
    fn damaged_bytes_are_told_and_foreign_ones_refused() {
        let mut bytes = block(&[], 1);
        bytes[16] ^= 1;
        assert!(!parse(&bytes).unwrap().intact);
        bytes[0] = 1;
        assert_eq!(parse(&bytes), Err(EdidError::Header));
        assert_eq!(parse(&bytes[..127]), Err(EdidError::Short));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(mut bytes in prop::collection::vec(any::<u8>(), 128..256)) {
            bytes[..8].copy_from_slice(&HEADER);
            let edid = parse(&bytes).unwrap();
            prop_assert!(edid.diagonal_mm <= 6_000 && edid.model.is_ascii());
        }
    }
}
