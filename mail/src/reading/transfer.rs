//! Transfer encodings of a part's body (RFC 2045 §6), decoded without ever failing: what is no code is left out of
//! base64 and kept as it is in quoted-printable.

/// Decodes by the declared encoding; an unknown one means the bytes as they are.
pub(crate) fn decode(body: &[u8], encoding: Option<&str>) -> Vec<u8> {
    match encoding.map(|it| it.trim().to_ascii_lowercase()).as_deref() {
        Some("base64") => base64(body),
        Some("quoted-printable") => quoted_printable(body),
        _ => body.to_vec(),
    }
}

/// Base64 without line structure; stops at the padding when what follows is only a rest.
pub(crate) fn base64(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &letter in body {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (bits, held) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).unwrap_or_default());
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

/// Quoted-printable, with soft line ends.
pub(crate) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        at += 1;
        if byte != b'=' {
            bytes.push(byte);
            continue;
        }
        match (body.get(at).copied(), body.get(at + 1).copied()) {
            (Some(b'\r'), Some(b'\n')) => at += 2,
            (Some(b'\n'), _) => at += 1,
            (Some(high), Some(low)) => match (hex(high), hex(low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    at += 2;
                }
                _ => bytes.push(b'='),
            },
            (Some(_), None) => bytes.push(b'='),
            (None, _) => {}
        }
    }
    bytes
}

/// Value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_bears_line_ends_rubbish_and_joined_pieces() {
        assert_eq!(base64(b"Qm9u\r\nam91\ncg=="), b"Bonjour");
        assert_eq!(base64(b"Qm9*uam91cg"), b"Bonjour");
        assert_eq!(base64(b"Qm9uam91cg==Qm9u"), b"BonjourBon");
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_code() {
        assert_eq!(quoted_printable(b"a=\r\nb=E9=zz=3D=4"), b"ab\xE9=zz==4");
        assert_eq!(quoted_printable(b"end="), b"end");
    }
}
