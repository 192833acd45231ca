//! Encoded words (RFC 2047) and parameters (RFC 2231) as real programs write them: spaces inside encoded words,
//! plain and encoded text mixed, characters split between two words.

use super::charset;
use super::transfer;

/// Bytes looked through for the end of an encoded word; the standard allows 75, programs write whole subjects.
const WORD_BYTES_MAX: usize = 2_000;
/// Parameters kept of one field, pieces of long ones included.
const PARAMETERS_MAX: usize = 64;

/// An encoded word's parts, still encoded.
struct Word<'a> {
    charset: String,
    bytes: Vec<u8>,
    rest: &'a [u8],
}

/// Decodes a header text. Never fails: what is no encoded word stays as it is.
pub(crate) fn decode(value: &[u8]) -> String {
    let mut text = String::new();
    // Bytes of encoded words that follow each other in one character set: a character may be split between them.
    let mut held: Option<(String, Vec<u8>)> = None;
    let mut rest = value;
    let mut plain_from = value;
    while !rest.is_empty() {
        let Some(word) = encoded_word(rest) else {
            rest = &rest[1..];
            continue;
        };
        let plain = &plain_from[..plain_from.len() - rest.len()];
        let between = plain.trim_ascii();
        if held.is_none() || !between.is_empty() {
            flush(&mut text, &mut held);
            text.push_str(&charset::unlabelled(plain));
        }
        match &mut held {
            Some((charset, bytes)) if *charset == word.charset => bytes.extend_from_slice(&word.bytes),
            _ => {
                flush(&mut text, &mut held);
                held = Some((word.charset, word.bytes));
            }
        }
        rest = word.rest;
        plain_from = rest;
    }
    flush(&mut text, &mut held);
    text.push_str(&charset::unlabelled(plain_from));
    one_line(&text)
}

fn flush(text: &mut String, held: &mut Option<(String, Vec<u8>)>) {
    if let Some((charset, bytes)) = held.take() {
        text.push_str(&charset::decode(&bytes, Some(&charset)));
    }
}

/// Blanks of any kind in a row become one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// `=?charset?B|Q?text?=` at the start.
fn encoded_word(bytes: &[u8]) -> Option<Word<'_>> {
    let inside = bytes.strip_prefix(b"=?")?;
    let inside = &inside[..inside.len().min(WORD_BYTES_MAX)];
    let charset_end = inside.iter().take(80).position(|&it| it == b'?')?;
    let charset = std::str::from_utf8(&inside[..charset_end]).ok()?;
    let charset = charset.split('*').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (encoding, text) = match inside.get(charset_end + 1..)? {
        [encoding, b'?', text @ ..] => (encoding.to_ascii_lowercase(), text),
        _ => return None,
    };
    let end = text.windows(2).position(|it| it == b"?=")?;
    let decoded = match encoding {
        b'b' => transfer::base64(&text[..end]),
        b'q' => {
            let spaced: Vec<u8> = text[..end].iter().map(|&it| if it == b'_' { b' ' } else { it }).collect();
            transfer::quoted_printable(&spaced)
        }
        _ => return None,
    };
    let used = 2 + charset_end + "?Q?".len() + end + "?=".len();
    Some(Word { charset, bytes: decoded, rest: bytes.get(used..)? })
}

/// A field such as `text/plain; charset="utf-8"`: the value in lower case and its parameters.
#[derive(Debug, Default)]
pub(crate) struct Parameterised {
    pub(crate) value: String,
    parameters: Vec<(String, String)>,
}

impl Parameterised {
    /// Reads a field's value.
    pub(crate) fn read(field: &[u8]) -> Self {
        let mut pieces = split_quoted(field).into_iter();
        let value = pieces.next().map(|it| charset::unlabelled(&it)).unwrap_or_default();
        let mut read = Self { value: value.trim().to_ascii_lowercase(), parameters: Vec::new() };
        let mut parts: Vec<Piece> = pieces.take(PARAMETERS_MAX).filter_map(|it| Piece::read(&it)).collect();
        parts.sort_by(|a, b| (&a.name, a.index).cmp(&(&b.name, b.index)));
        for chunk in parts.chunk_by(|a, b| a.name == b.name) {
            read.parameters.push((chunk[0].name.clone(), joined(chunk)));
        }
        read
    }

    /// A parameter's decoded value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One parameter or one numbered piece of one: `name*2*=…`.
struct Piece {
    name: String,
    index: u32,
    extended: bool,
    value: Vec<u8>,
}

impl Piece {
    fn read(bytes: &[u8]) -> Option<Self> {
        let equals = bytes.iter().position(|&it| it == b'=')?;
        let full = std::str::from_utf8(bytes[..equals].trim_ascii()).ok()?.to_ascii_lowercase();
        let extended = full.ends_with('*');
        let full = full.trim_end_matches('*');
        let (name, index) = match full.split_once('*') {
            Some((name, index)) => (name, index.parse().ok()?),
            None => (full, 0),
        };
        let value = bytes[equals + 1..].trim_ascii().to_vec();
        (!name.is_empty()).then(|| Self { name: name.to_owned(), index, extended, value })
    }
}

fn joined(pieces: &[Piece]) -> String {
    let mut bytes = Vec::new();
    let mut charset = None;
    let extended = pieces.iter().any(|it| it.extended);
    for (place, piece) in pieces.iter().enumerate() {
        let mut value = piece.value.as_slice();
        if piece.extended && place == 0 {
            let mut parts = value.splitn(3, |&it| it == b'\'');
            if let (Some(set), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
                charset = std::str::from_utf8(set).ok().map(str::to_ascii_lowercase);
                value = text;
            }
        }
        if piece.extended { bytes.extend(percent_decoded(value)) } else { bytes.extend_from_slice(value) }
    }
    if extended { charset::decode(&bytes, charset.as_deref()) } else { decode(&bytes) }
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let code = value.get(at + 1).zip(value.get(at + 2));
        match code.and_then(|(high, low)| Some(transfer::hex(*high)? << 4 | transfer::hex(*low)?)) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                at += 3;
            }
            _ => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    bytes
}

/// Splits at semicolons outside quotes; the quotes and their escapes are taken away.
fn split_quoted(field: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for &byte in field {
        let Some(last) = pieces.last_mut() else { break };
        if escaped {
            last.push(byte);
            escaped = false;
            continue;
        }
        match byte {
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                if pieces.len() > PARAMETERS_MAX {
                    break;
                }
                pieces.push(Vec::new());
            }
            _ => last.push(byte),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_as_programs_write_them() {
        for (written, read) in [
            ("=?utf-8?Q?D=C3=A9marrage_lent?=", "Démarrage lent"),
            ("=?ISO-8859-1?Q?R=E9seau?= du site", "Réseau du site"),
            ("=?utf-8?B?UsOpc2VhdQ==?=", "Réseau"),
            ("=?utf-8?Q?R=C3?= =?utf-8?Q?=A9seau?=", "Réseau"),
            ("Re: =?utf-8?Q?R=C3=A9seau en panne?= (urgent)", "Re: Réseau en panne (urgent)"),
            ("=?utf-8?q?=C3=A9t=C3=A9?=\r\n\t=?utf-8?q?_2026?=", "été 2026"),
            ("=?x?=?= not one", "=?x?=?= not one"),
            ("=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"),
            ("a  b\tc", "a b c"),
        ] {
            assert_eq!(decode(written.as_bytes()), read, "{written}");
        }
        assert_eq!(decode(b"R\xE9seau"), "Réseau");
    }

    #[test]
    fn parameters_are_read_in_all_their_forms() {
        let plain = Parameterised::read(b"Text/Plain; charset=\"ISO-8859-1\"; format=flowed");
        assert_eq!(plain.value, "text/plain");
        assert_eq!((plain.get("charset"), plain.get("format")), (Some("ISO-8859-1"), Some("flowed")));
        let long = Parameterised::read(b"attachment; filename*1*=%20b.pdf; filename*0*=utf-8''%C3%A9cran");
        assert_eq!(long.get("filename"), Some("écran b.pdf"));
        let encoded = Parameterised::read(b"attachment; filename=\"=?utf-8?Q?=C3=A9cran.png?=\"");
        assert_eq!(encoded.get("filename"), Some("écran.png"));
        let semicolon = Parameterised::read(b"attachment; filename=\"a;b\\\".txt\"");
        assert_eq!(semicolon.get("filename"), Some("a;b\".txt"));
    }
}
