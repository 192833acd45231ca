//! The 128-byte EDID 1.4 block of an invented screen: VESA E-EDID Standard, release A2, §3.

use crate::workstation::Screen;

pub(crate) fn block(screen: &Screen) -> [u8; 128] {
    let mut block = [0_u8; 128];
    block[0..8].copy_from_slice(&[0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0]);
    block[8..10].copy_from_slice(&manufacturer(&screen.manufacturer).to_be_bytes());
    block[10..12].copy_from_slice(&0x203A_u16.to_le_bytes());
    block[16] = 12;
    block[17] = u8::try_from(screen.year.saturating_sub(1990)).unwrap_or(u8::MAX);
    block[18..20].copy_from_slice(&[1, 4]);
    block[20] = 0xA5;
    block[21] = centimetres(screen.size_mm.0);
    block[22] = centimetres(screen.size_mm.1);
    block[23] = 120;
    block[54..72].copy_from_slice(&timing(screen));
    block[72..90].copy_from_slice(&descriptor(0xFC, &screen.model));
    block[90..108].copy_from_slice(&descriptor(0xFF, &screen.serial));
    block[108..126].copy_from_slice(&descriptor(0x10, ""));
    block[127] = block[..127].iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
    block
}

/// Three letters, five bits each.
fn manufacturer(letters: &str) -> u16 {
    letters
        .bytes()
        .take(3)
        .fold(0, |packed, letter| packed << 5 | u16::from(letter.wrapping_sub(b'@') & 0x1F))
}

fn centimetres(millimetres: u16) -> u8 {
    u8::try_from(millimetres / 10).unwrap_or(u8::MAX)
}

/// The preferred timing (§3.10.2): only what describes the picture's size is filled in exactly.
fn timing(screen: &Screen) -> [u8; 18] {
    const CLOCK_10KHZ: u16 = 14_850;
    const BLANKING: u16 = 160;
    let (width, height) = screen.pixels;
    let (width_mm, height_mm) = screen.size_mm;
    let low = |value: u16| (value & 0xFF) as u8;
    let high = |value: u16| ((value >> 8) & 0x0F) as u8;
    let [clock_low, clock_high] = CLOCK_10KHZ.to_le_bytes();
    [
        clock_low,
        clock_high,
        low(width),
        low(BLANKING),
        high(width) << 4 | high(BLANKING),
        low(height),
        low(45),
        high(height) << 4,
        48,
        32,
        0x35,
        0,
        low(width_mm),
        low(height_mm),
        high(width_mm) << 4 | high(height_mm),
        0,
        0,
        0x18,
    ]
}

/// A display descriptor (§3.10.3): text of at most 13 characters, ended by a line feed, padded with blanks.
fn descriptor(tag: u8, text: &str) -> [u8; 18] {
    let mut descriptor = [0_u8; 18];
    descriptor[3] = tag;
    let text = text.as_bytes();
    let length = text.len().min(13);
    descriptor[5..].fill(b' ');
    descriptor[5..5 + length].copy_from_slice(&text[..length]);
    if length < 13 {
        descriptor[5 + length] = b'\n';
    }
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workstation;

    #[test]
    fn a_block_sums_to_zero_and_carries_its_maker() {
        let screen = Workstation::laptop(1).screens.remove(0);
        let block = block(&screen);
        assert_eq!(block.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)), 0);
        assert_eq!(manufacturer("AUO").to_be_bytes(), [block[8], block[9]]);
        assert_eq!(manufacturer("DEL"), 0x10AC);
    }
}
