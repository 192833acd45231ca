//! EDID base blocks, composed byte by byte (VESA E-EDID 1.4, §3).

use super::Display;

/// Header that opens every block.
const HEADER: [u8; 8] = [0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0];
const TAG_SERIAL: u8 = 0xFF;
const TAG_NAME: u8 = 0xFC;

/// A monitor of 2022, 1920 × 1080 on 527 × 296 mm.
pub(super) fn block(display: &Display) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    bytes.extend(maker(&display.maker));
    bytes.extend([0x14, 0xA1]); // product code
    bytes.extend(0x0102_0304_u32.to_le_bytes()); // serial as a number
    bytes.extend([12, 32]); // week, year - 1990
    bytes.extend([1, 4]); // EDID 1.4
    bytes.extend([0xA5, 53, 30, 0x78, 0x3A]); // digital, size in cm, gamma, features
    bytes.extend([0; 10]); // chromaticity
    bytes.extend([0; 3]); // established timings
    bytes.extend([1; 16]); // no standard timings
    bytes.extend(timing());
    bytes.extend(descriptor(TAG_SERIAL, &display.serial));
    bytes.extend(descriptor(TAG_NAME, &display.model));
    bytes.extend(descriptor(0x10, "")); // dummy
    bytes.push(0); // no extension
    let sum = bytes.iter().fold(0_u8, |sum, it| sum.wrapping_add(*it));
    bytes.push(sum.wrapping_neg());
    bytes
}

/// Three letters in five bits each.
fn maker(letters: &str) -> [u8; 2] {
    letters.bytes().fold(0_u16, |packed, it| packed << 5 | u16::from(it - b'A' + 1)).to_be_bytes()
}

/// The preferred mode: 1920 × 1080, 148.5 MHz.
fn timing() -> [u8; 18] {
    [0x02, 0x3A, 0x80, 0x18, 0x71, 0x38, 0x2D, 0x40, 0x58, 0x2C, 0x45, 0, 0x0F, 0x28, 0x21, 0, 0, 0x1E]
}

fn descriptor(tag: u8, text: &str) -> [u8; 18] {
    let mut bytes = [0x20; 18];
    bytes[..5].copy_from_slice(&[0, 0, 0, tag, 0]);
    bytes[5..5 + text.len()].copy_from_slice(text.as_bytes());
    if text.len() < 13 {
        bytes[5 + text.len()] = b'\n';
    }
    bytes
}
