//! The tree of MIME parts, walked with limits: a bomb of a million parts costs one pass over its bytes.

use super::header::{Headers, next_line};
use super::words::Parameterised;

/// Parts looked at, containers included.
pub(crate) const PARTS_MAX: usize = 64;
/// Containers inside containers.
pub(crate) const DEPTH_MAX: usize = 8;
/// Bytes of a boundary; the standard allows 70.
const BOUNDARY_BYTES_MAX: usize = 200;

/// A part that holds no other parts.
#[derive(Debug)]
pub(crate) struct Leaf<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) content_type: Parameterised,
    pub(crate) disposition: Parameterised,
    /// Still encoded.
    pub(crate) body: &'a [u8],
    /// Number of the nearest `multipart/alternative` around it.
    pub(crate) alternative: Option<usize>,
}

/// What a message consists of.
#[derive(Debug, Default)]
pub(crate) struct Walk<'a> {
    pub(crate) leaves: Vec<Leaf<'a>>,
    /// Parts met, containers included.
    met: usize,
    /// Parts left out because there were too many.
    pub(crate) beyond_count: usize,
    /// Containers left out because they lay too deep.
    pub(crate) beyond_depth: usize,
    alternatives: usize,
}

/// Where in the tree a part stands.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    alternative: Option<usize>,
    digest: bool,
}

impl<'a> Walk<'a> {
    /// Walks through a message whose header was read already.
    pub(crate) fn of(headers: Headers<'a>, body: &'a [u8]) -> Self {
        let mut walk = Self::default();
        walk.part(headers, body, Place { depth: 0, alternative: None, digest: false });
        walk
    }

    fn part(&mut self, headers: Headers<'a>, body: &'a [u8], place: Place) {
        if self.met >= PARTS_MAX {
            self.beyond_count += 1;
            return;
        }
        self.met += 1;
        let mut content_type = Parameterised::read(headers.first("content-type").unwrap_or_default());
        if content_type.value.is_empty() && place.digest {
            "message/rfc822".clone_into(&mut content_type.value);
        }
        let boundary = content_type.get("boundary").filter(|it| (1..=BOUNDARY_BYTES_MAX).contains(&it.len()));
        match boundary.map(str::to_owned) {
            Some(boundary) if content_type.value.starts_with("multipart/") => {
                if place.depth >= DEPTH_MAX {
                    self.beyond_depth += 1;
                    return;
                }
                let inside = self.inside(&content_type.value, place);
                if !self.children(body, &boundary, inside) {
                    self.leaf(headers, content_type, body, place);
                }
            }
            _ => self.leaf(headers, content_type, body, place),
        }
    }

    fn inside(&mut self, media_type: &str, place: Place) -> Place {
        let alternative = if media_type == "multipart/alternative" {
            self.alternatives += 1;
            Some(self.alternatives)
        } else {
            place.alternative
        };
        Place { depth: place.depth + 1, alternative, digest: media_type == "multipart/digest" }
    }

    fn leaf(&mut self, headers: Headers<'a>, content_type: Parameterised, body: &'a [u8], place: Place) {
        let disposition = Parameterised::read(headers.first("content-disposition").unwrap_or_default());
        self.leaves.push(Leaf { headers, content_type, disposition, body, alternative: place.alternative });
    }

    /// Cuts a container at its boundary. False when the boundary never comes. The last one may be missing.
    fn children(&mut self, body: &'a [u8], boundary: &str, place: Place) -> bool {
        let mut start: Option<usize> = None;
        let mut at = 0;
        while at < body.len() {
            let (line, after) = next_line(&body[at..]);
            let next = body.len() - after.len();
            if let Some(last) = delimiter(line, boundary) {
                if let Some(start) = start {
                    self.child(without_line_end(&body[start..at.max(start)]), place);
                }
                start = Some(next);
                if last {
                    return true;
                }
            }
            at = next;
        }
        match start {
            Some(start) => {
                self.child(&body[start..], place);
                true
            }
            None => false,
        }
    }

    fn child(&mut self, raw: &'a [u8], place: Place) {
        if self.met >= PARTS_MAX {
            self.beyond_count += 1;
            return;
        }
        let (headers, body) = Headers::split(raw);
        self.part(headers, body, place);
    }
}

/// Whether a line is this boundary, and whether it is the last one.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let (last, rest) = match rest.strip_prefix(b"--") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    rest.trim_ascii().is_empty().then_some(last)
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(raw: &[u8]) -> Walk<'_> {
        let (headers, body) = Headers::split(raw);
        Walk::of(headers, body)
    }

    #[test]
    fn alternatives_and_attachments_are_told_apart() {
        let walk = walk(
            b"Content-Type: multipart/mixed; boundary=a\n\npreamble\n--a\nContent-Type: multipart/alternative; boundary=b\n\n\
              --b\n\nplain\n--b\nContent-Type: text/html\n\n<p>\n--b--\n--a\nContent-Type: image/png\n\nxx\n--a--\nepilogue",
        );
        let found: Vec<_> =
            walk.leaves.iter().map(|it| (it.content_type.value.as_str(), it.alternative, it.body)).collect();
        assert_eq!(
            found,
            [("", Some(1), &b"plain"[..]), ("text/html", Some(1), b"<p>"), ("image/png", None, b"xx"),]
        );
    }

    #[test]
    fn a_boundary_that_never_comes_or_never_ends_loses_nothing() {
        assert_eq!(walk(b"Content-Type: multipart/mixed; boundary=a\n\ntext").leaves[0].body, b"text");
        assert_eq!(walk(b"Content-Type: multipart/mixed; boundary=a\n\n--a\n\ntext").leaves[0].body, b"text");
    }

    #[test]
    fn parts_beyond_the_limit_are_counted_not_read() {
        let mut raw = b"Content-Type: multipart/mixed; boundary=a\n\n".to_vec();
        raw.extend(b"--a\n\nx\n".repeat(100_000));
        let walk = walk(&raw);
        assert_eq!(walk.leaves.len(), PARTS_MAX - 1);
        assert_eq!(walk.beyond_count, 100_000 - (PARTS_MAX - 1));
    }

    #[test]
    fn containers_beyond_the_depth_are_counted_not_read() {
        let level = |it| format!("Content-Type: multipart/mixed; boundary=b{it}x\n\n--b{it}x\n");
        let raw = (0..100).map(level).collect::<String>() + "\ntext";
        let walk = walk(raw.as_bytes());
        assert_eq!((walk.leaves.len(), walk.beyond_depth), (0, 1));
    }
}
