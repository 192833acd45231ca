//! HTML of a mail: made harmless for display, and turned into text. Both work on the same stream of pieces, cut by
//! a scanner that balances every element and bounds their number and depth first: the parser behind the sanitiser
//! then never sees the nestings that cost it more than a pass.

use std::collections::HashSet;

/// Bytes of HTML looked at; a long thread of a word processor's mails has a few hundred thousand.
const HTML_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Elements; what comes after them is kept as text.
const ELEMENTS_MAX: usize = 20_000;
/// Elements inside each other; deeper ones lose their tag, not their text.
const DEPTH_MAX: usize = 64;
/// How often the whole text may be looked at in vain for the end of a tag.
const SCANS_MAX: usize = 4;
/// Bytes of text without an element: the sanitiser's writer looks through the rest of a text at each character it
/// must escape, so a long text full of them is given places to break.
const RUN_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a character reference such as `&eacute;`, which is not cut.
const REFERENCE_BYTES_MAX: usize = 12;
/// Letters of an element's name that tell it.
const NAME_CHARS_MAX: usize = 20;

/// Elements without an end.
const VOID: [&str; 8] = ["br", "hr", "img", "col", "wbr", "input", "meta", "link"];
/// Elements whose content is no text.
const DUMB: [&str; 7] = ["script", "style", "head", "title", "template", "noscript", "svg"];
/// Elements that start a new line.
const BLOCK: [&str; 19] = [
    "p",
    "div",
    "br",
    "tr",
    "table",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "hr",
    "blockquote",
    "section",
    "article",
];

enum Piece<'a> {
    Text(&'a str),
    Open { name: String, tag: &'a str },
    Close { name: String },
}

/// Cuts a text into tags and what stands between them; comments and the content of dumb elements are left out.
fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = &html[..floor(html, HTML_BYTES_MAX)];
    let mut scanner = Scanner { budget: rest.len() * SCANS_MAX, elements: 0 };
    while !rest.is_empty() {
        let open = rest.find('<').unwrap_or(rest.len());
        if open > 0 {
            found.push(Piece::Text(&rest[..open]));
            rest = &rest[open..];
            continue;
        }
        if rest.starts_with("<!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
            continue;
        }
        let Some(Tag { name, closing, whole }) = scanner.tag_at(rest) else {
            found.push(Piece::Text(&rest[..1]));
            rest = &rest[1..];
            continue;
        };
        rest = &rest[whole.len()..];
        scanner.elements += 1;
        if scanner.elements > ELEMENTS_MAX || name.is_empty() {
            continue;
        }
        if closing {
            found.push(Piece::Close { name });
        } else if DUMB.contains(&name.as_str()) {
            rest = scanner.after_closing(rest, &name);
        } else {
            found.push(Piece::Open { name, tag: whole });
        }
    }
    found
}

struct Tag<'a> {
    /// Empty for declarations.
    name: String,
    closing: bool,
    whole: &'a str,
}

struct Scanner {
    /// Bytes that may still be looked at in vain.
    budget: usize,
    elements: usize,
}

impl Scanner {
    fn tag_at<'a>(&mut self, text: &'a str) -> Option<Tag<'a>> {
        let after = text.strip_prefix('<')?;
        let (closing, after) = after.strip_prefix('/').map_or((false, after), |it| (true, it));
        let first = after.chars().next()?;
        if matches!(first, '!' | '?') {
            let end = text.find('>').map_or(text.len(), |it| it + 1);
            return Some(Tag { name: String::new(), closing: false, whole: &text[..end] });
        }
        if !first.is_ascii_alphabetic() {
            return None;
        }
        let Some(end) = tag_end(&text.as_bytes()[..text.len().min(self.budget)]) else {
            self.budget = self.budget.saturating_sub(text.len());
            return None;
        };
        let letters = after.chars().take_while(|it| !it.is_whitespace() && !matches!(it, '/' | '>'));
        let name = letters.take(NAME_CHARS_MAX).collect::<String>().to_ascii_lowercase();
        Some(Tag { name, closing, whole: &text[..end] })
    }

    /// What follows the closing tag of an element; everything is its content when there is none.
    fn after_closing<'a>(&mut self, text: &'a str, name: &str) -> &'a str {
        let mut rest = text;
        while let Some(at) = rest.find("</") {
            rest = &rest[at..];
            match self.tag_at(rest) {
                Some(tag) if tag.closing && tag.name == name => return &rest[tag.whole.len()..],
                _ => rest = &rest[2..],
            }
        }
        ""
    }
}

/// Where the tokenizer of the HTML standard (§13.2.5) stands inside a tag.
#[derive(Clone, Copy)]
enum Inside {
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Quoted(u8),
    Bare,
}

/// Where a tag ends, exactly as a browser sees it: a difference would smuggle elements past the balance.
fn tag_end(text: &[u8]) -> Option<usize> {
    let mut inside = Inside::TagName;
    for (at, &byte) in text.iter().enumerate().skip(1) {
        let blank = byte.is_ascii_whitespace();
        inside = match (inside, byte) {
            (Inside::Quoted(open), _) if byte == open => Inside::BeforeName,
            (quoted @ Inside::Quoted(_), _) => quoted,
            (_, b'>') => return Some(at + 1),
            (Inside::TagName, b'/') if at == 1 => Inside::TagName,
            (Inside::TagName | Inside::BeforeName | Inside::Name | Inside::AfterName, b'/') => {
                Inside::BeforeName
            }
            (Inside::TagName | Inside::BeforeName | Inside::Bare, _) if blank => Inside::BeforeName,
            (Inside::Name | Inside::AfterName, _) if blank => Inside::AfterName,
            (Inside::Name | Inside::AfterName, b'=') => Inside::BeforeValue,
            (Inside::BeforeValue, _) if blank => Inside::BeforeValue,
            (Inside::BeforeValue, b'"' | b'\'') => Inside::Quoted(byte),
            (Inside::BeforeValue | Inside::Bare, _) => Inside::Bare,
            (Inside::TagName, _) => Inside::TagName,
            (Inside::BeforeName | Inside::Name | Inside::AfterName, _) => Inside::Name,
        };
    }
    None
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Harmless HTML for display: a short list of elements, no style, script, form or remote address but plain links;
/// pictures only as references to attachments (`cid:`). Nothing is left when nothing visible is left.
pub fn harmless(html: &str) -> Option<String> {
    let balanced = balanced(html);
    let cleaned = ammonia::Builder::default()
        .tags(HashSet::from([
            "a",
            "b",
            "blockquote",
            "br",
            "code",
            "div",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "hr",
            "i",
            "img",
            "li",
            "ol",
            "p",
            "pre",
            "s",
            "span",
            "strong",
            "sub",
            "sup",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "u",
            "ul",
            "wbr",
        ]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(|element, attribute, value| {
            let attached = value.trim().to_ascii_lowercase().starts_with("cid:");
            let kept = match (element, attribute) {
                ("img", "src") => attached,
                (_, "cite") => false,
                _ => !attached,
            };
            kept.then(|| value.into())
        })
        .clean(&balanced)
        .to_string();
    (!to_text(&cleaned).trim().is_empty() || cleaned.contains("cid:")).then_some(cleaned)
}

/// The same HTML with every element closed where it belongs.
fn balanced(html: &str) -> String {
    let mut out = String::with_capacity(html.len().min(HTML_BYTES_MAX));
    let mut open: Vec<String> = Vec::new();
    let mut run_bytes = 0;
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => push_text(&mut out, &mut run_bytes, &text.replace('<', "&lt;")),
            Piece::Open { name, tag } if VOID.contains(&name.as_str()) => out.push_str(tag),
            Piece::Open { name, tag } => {
                if open.len() < DEPTH_MAX {
                    out.push_str(tag);
                    open.push(name);
                }
            }
            Piece::Close { name } => {
                if let Some(place) = open.iter().rposition(|it| *it == name) {
                    close(&mut out, open.drain(place..));
                }
            }
        }
    }
    close(&mut out, open.drain(..));
    out
}

fn close(out: &mut String, names: impl DoubleEndedIterator<Item = String>) {
    for name in names.rev() {
        out.push_str("</");
        out.push_str(&name);
        out.push('>');
    }
}

/// Writes text with a place to break every few thousand bytes, never inside a character or a reference.
fn push_text(out: &mut String, run_bytes: &mut usize, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = floor(rest, RUN_BYTES_MAX.saturating_sub(*run_bytes));
        if end < rest.len()
            && let Some(start) = rest[..end].rfind('&')
            && end - start < REFERENCE_BYTES_MAX
        {
            end = start;
        }
        out.push_str(&rest[..end]);
        *run_bytes += end;
        rest = &rest[end..];
        if !rest.is_empty() {
            out.push_str("<wbr>");
            *run_bytes = 0;
        }
    }
}

/// Plain text of HTML: blocks on lines of their own, lists with dashes, quotations with `>`.
pub fn to_text(html: &str) -> String {
    let mut out = Lines::default();
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => out.words(&unescaped(text)),
            Piece::Open { name, .. } => match name.as_str() {
                "blockquote" => {
                    out.end_line();
                    out.depth = (out.depth + 1).min(DEPTH_MAX);
                }
                "li" => {
                    out.end_line();
                    out.words("- ");
                }
                "br" => out.break_line(),
                "pre" => {
                    out.end_line();
                    out.verbatim = true;
                }
                "td" | "th" => out.words(" "),
                name if BLOCK.contains(&name) => out.end_line(),
                _ => {}
            },
            Piece::Close { name } => match name.as_str() {
                "blockquote" => {
                    out.end_line();
                    out.depth = out.depth.saturating_sub(1);
                }
                "pre" => {
                    out.end_line();
                    out.verbatim = false;
                }
                "p" | "table" | "ul" | "ol" => out.end_paragraph(),
                name if BLOCK.contains(&name) => out.end_line(),
                _ => {}
            },
        }
    }
    out.end_line();
    out.text.trim_matches('\n').to_owned()
}

/// Text under construction.
#[derive(Default)]
struct Lines {
    text: String,
    line: String,
    depth: usize,
    verbatim: bool,
}

impl Lines {
    fn words(&mut self, text: &str) {
        if self.verbatim {
            for (place, line) in text.split('\n').enumerate() {
                if place > 0 {
                    self.break_line();
                }
                self.line.push_str(line.trim_end_matches('\r'));
            }
            return;
        }
        for c in text.chars() {
            let blank = c.is_whitespace();
            if !(blank && (self.line.is_empty() || self.line.ends_with(' '))) {
                self.line.push(if blank { ' ' } else { c });
            }
        }
    }

    fn end_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.break_line();
        }
        self.line.clear();
    }

    fn break_line(&mut self) {
        let line = self.line.trim_end();
        if line.is_empty() && self.text.ends_with("\n\n") {
            self.line.clear();
            return;
        }
        for _ in 0..self.depth {
            self.text.push('>');
        }
        if self.depth > 0 && !line.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(line);
        self.text.push('\n');
        self.line.clear();
    }

    fn end_paragraph(&mut self) {
        self.end_line();
        if self.depth == 0 && !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

/// Character references of running text; unknown ones stay as they are.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|it| it == b';');
        if let Some((c, end)) = end.and_then(|end| Some((reference(&rest[1..end])?, end))) {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|it| !it.is_control() || it.is_whitespace());
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

/// References that French and English mails use.
const NAMED: [(&str, char); 40] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("agrave", 'à'),
    ("acirc", 'â'),
    ("auml", 'ä'),
    ("ccedil", 'ç'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ocirc", 'ô'),
    ("ouml", 'ö'),
    ("ugrave", 'ù'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("oelig", 'œ'),
    ("Eacute", 'É'),
    ("Egrave", 'È'),
    ("Ecirc", 'Ê'),
    ("Agrave", 'À'),
    ("Ccedil", 'Ç'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("euro", '€'),
    ("deg", '°'),
    ("bull", '•'),
    ("copy", '©'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_forms_styles_and_remote_pictures_are_gone() {
        let cleaned = harmless(
            "<style>p{}</style><p style='x' onclick=\"a()\">Bonjour <script>alert(1)</script>\
             <img src=\"https://spy.example/p.gif\"><img src='CID:logo'><a href=\"javascript:a()\">x</a>\
             <a href='https://parc.example/t'>y</a><form><input name=a></form><a href='cid:z'>c</a></p>",
        )
        .expect("something is left");
        for gone in ["script", "style", "spy", "javascript", "onclick", "form", "input", "cid:z"] {
            assert!(!cleaned.contains(gone), "{gone} in {cleaned}");
        }
        assert!(cleaned.contains("CID:logo") && cleaned.contains("https://parc.example/t"), "{cleaned}");
    }

    #[test]
    fn nothing_visible_is_nothing() {
        assert_eq!(harmless("<p> &nbsp;</p><img src=http://a/b>"), None);
    }

    #[test]
    fn text_keeps_the_lines_people_see() {
        let html = "<html><head><title>t</title></head><body><p>Bonjour,</p><div>N&deg; d&#39;inventaire&nbsp;: PC-1</div>\
                    <ul><li>un</li><li>deux</li></ul>a<br>b<blockquote><p>ancien</p><p>texte</p></blockquote>fin";
        assert_eq!(
            to_text(html),
            "Bonjour,\n\nN° d'inventaire : PC-1\n- un\n- deux\n\na\nb\n> ancien\n> texte\nfin"
        );
    }

    #[test]
    fn bombs_of_tags_cost_one_pass() {
        for bomb in
            ["<div>", "<b id=1><p>", "<table><tr><td>", "</", "<", "<!--", "&#x", "<a href='", "&amp;"]
        {
            let html = bomb.repeat(100_000);
            let _ = harmless(&html);
            let _ = to_text(&html);
        }
    }
}
