//! Header fields of a message or part, as bytes: found, unfolded, bounded (RFC 5322 §2.2).

use std::borrow::Cow;

/// Fields kept of one header; a mail through many lists and filters has about eighty.
const FIELDS_MAX: usize = 500;
/// Bytes kept of one field: a long chain of `References` fits.
const FIELD_BYTES_MAX: usize = 16 * 1024;

/// The fields of one header, in their order.
#[derive(Debug, Default)]
pub(crate) struct Headers<'a> {
    fields: Vec<(&'a [u8], Cow<'a, [u8]>)>,
}

impl<'a> Headers<'a> {
    /// Splits at the first empty line. What is no field and no continuation is passed over.
    pub(crate) fn split(raw: &'a [u8]) -> (Self, &'a [u8]) {
        let mut headers = Self::default();
        let mut rest = raw;
        while !rest.is_empty() {
            let (line, after) = next_line(rest);
            rest = after;
            if line.is_empty() {
                break;
            }
            headers.take_line(line);
        }
        (headers, rest)
    }

    fn take_line(&mut self, line: &'a [u8]) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some((_, value)) = self.fields.last_mut()
                && value.len() + line.len() <= FIELD_BYTES_MAX
            {
                value.to_mut().extend_from_slice(line);
            }
            return;
        }
        let Some(colon) = line.iter().position(|&it| it == b':') else { return };
        let name = line[..colon].trim_ascii();
        let plain = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        if plain && self.fields.len() < FIELDS_MAX {
            let value = line[colon + 1..].trim_ascii();
            let value = &value[..value.len().min(FIELD_BYTES_MAX)];
            self.fields.push((name, Cow::Borrowed(value)));
        }
    }

    /// All values of a field, topmost first. The name is compared without case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let wanted = name.to_owned();
        self.fields
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
            .map(|(_, value)| value.as_ref())
    }

    /// The topmost value of a field.
    pub(crate) fn first(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_ref())
    }

    /// The topmost value as trimmed text; what is not ASCII counts as UTF-8, else windows-1252.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(|value| super::charset::unlabelled(value).trim().to_owned())
    }
}

/// The first line without its end, and what follows it.
pub(crate) fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&it| it == b'\n') {
        Some(end) => {
            let line = &bytes[..end];
            (line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..])
        }
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_fields_are_joined_and_names_have_no_case() {
        let (headers, body) = Headers::split(b"Subject: one\r\n two\r\nX-A: b\n\nbody");
        assert_eq!(headers.first("SUBJECT"), Some(&b"one two"[..]));
        assert_eq!(headers.first("x-a"), Some(&b"b"[..]));
        assert_eq!(body, b"body");
    }

    #[test]
    fn rubbish_inside_a_header_is_passed_over() {
        let (headers, body) =
            Headers::split(b"From a@b Mon Nov 16 09:00:00 2026\r\nno field here\r\nFrom: a@b\r\n\r\nx");
        assert_eq!(headers.first("from"), Some(&b"a@b"[..]));
        assert_eq!(body, b"x");
    }

    #[test]
    fn a_header_of_a_million_fields_keeps_the_first_ones_and_still_ends() {
        let mut raw = b"A: 1\n".repeat(1_000_000);
        raw.extend_from_slice(b"\nbody");
        let (headers, body) = Headers::split(&raw);
        assert_eq!(headers.all("a").count(), FIELDS_MAX);
        assert_eq!(body, b"body");
    }
}
