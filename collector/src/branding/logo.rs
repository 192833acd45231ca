//! Logos: PNG or JPEG, walked through from the first to the last byte. Nothing else is taken, nothing that hangs
//! on behind a picture is served.

/// Bytes of a logo: it is loaded with every page.
pub const LOGO_BYTES_MAX: usize = 256 * 1024;
/// Pixels of its longer side.
pub const LOGO_PIXELS_MAX: u32 = 2_000;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture that was found to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// Why a picture was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoRefusal {
    /// Neither PNG nor JPEG, or broken.
    #[error("must be a whole PNG or JPEG picture")]
    NotAPicture,
    /// More than [`LOGO_BYTES_MAX`].
    #[error("must have at most {LOGO_BYTES_MAX} bytes")]
    TooLarge,
    /// More than [`LOGO_PIXELS_MAX`] on a side.
    #[error("must have at most {LOGO_PIXELS_MAX} pixels on each side")]
    TooManyPixels,
}

impl Logo {
    /// Checks what was uploaded, and again what was stored.
    pub fn check(bytes: &[u8]) -> Result<Self, LogoRefusal> {
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(LogoRefusal::TooLarge);
        }
        let (media_type, size) = match png_size(bytes) {
            Some(size) => ("image/png", Some(size)),
            None => ("image/jpeg", jpeg_size(bytes)),
        };
        let (width, height) = size.ok_or(LogoRefusal::NotAPicture)?;
        if width.max(height) > LOGO_PIXELS_MAX {
            return Err(LogoRefusal::TooManyPixels);
        }
        if width == 0 || height == 0 {
            return Err(LogoRefusal::NotAPicture);
        }
        Ok(Self { media_type, bytes: bytes.to_vec() })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Width and height of a PNG whose chunks follow each other to the end (RFC 2083 §3).
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = bytes.strip_prefix(PNG).map(|_| PNG.len())?;
    if bytes.get(at + 4..at + 8)? != b"IHDR" {
        return None;
    }
    let size = (u32_at(bytes, at + 8)?, u32_at(bytes, at + 12)?);
    loop {
        let length = usize::try_from(u32_at(bytes, at)?).ok()?;
        let kind = bytes.get(at + 4..at + 8)?;
        // Length, kind and checksum have four bytes each.
        at = at.checked_add(length)?.checked_add(12)?;
        if at > bytes.len() {
            return None;
        }
        if kind == b"IEND" {
            return (at == bytes.len()).then_some(size);
        }
    }
}

/// Width and height of a JPEG that ends with its end marker (ITU T.81 annex B).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if !bytes.starts_with(b"\xff\xd8\xff") || !bytes.ends_with(b"\xff\xd9") {
        return None;
    }
    let mut at = 2;
    loop {
        if bytes.get(at)? != &0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
        if length < 2 {
            return None;
        }
        // Start of frame, but for the tables that share its range.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let side = |from: usize| {
                Some(u32::from(u16::from_be_bytes(bytes.get(from..from + 2)?.try_into().ok()?)))
            };
            return Some((side(at + 7)?, side(at + 5)?));
        }
        if marker == 0xda {
            return None;
        }
        at += 2 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = PNG.to_vec();
        bytes.extend([0, 0, 0, 13]);
        bytes.extend(b"IHDR");
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0, 0, 0, 0]);
        bytes.extend(b"IEND\xae\x42\x60\x82");
        bytes
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe0\x00\x04JF\xff\xc0\x00\x0b\x08".to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(b"\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00\xff\xd9");
        bytes
    }

    #[test]
    fn a_whole_picture_is_taken() {
        assert_eq!(Logo::check(&png(240, 60)).map(|it| it.media_type), Ok("image/png"));
        assert_eq!(Logo::check(&jpeg(240, 60)).map(|it| it.media_type), Ok("image/jpeg"));
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        let mut with_tail = png(10, 10);
        with_tail.extend(b"<script>");
        let mut cut = png(10, 10);
        cut.truncate(30);
        for bytes in [b"<svg/>".to_vec(), b"GIF89a".to_vec(), Vec::new(), with_tail, cut, png(0, 10)] {
            assert_eq!(Logo::check(&bytes), Err(LogoRefusal::NotAPicture), "{bytes:?}");
        }
        assert_eq!(Logo::check(&png(2_001, 10)), Err(LogoRefusal::TooManyPixels));
        assert_eq!(Logo::check(&vec![0; LOGO_BYTES_MAX + 1]), Err(LogoRefusal::TooLarge));
    }
}
