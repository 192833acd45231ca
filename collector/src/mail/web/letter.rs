//! A letter as plain text and as HTML. Mail programs keep no policy of ours, so the HTML carries a style sheet of
//! its own; it loads nothing from anywhere, and everything in it is escaped.

use std::fmt::Write as _;

use askama::Template;

use crate::branding::{Colour, Palette};
use crate::mail::letter::{Block, Letter};
use crate::people::Language;

/// A letter with everything it needs to be read alone.
#[derive(Debug)]
pub(crate) struct Paper<'a> {
    /// `fr` or `en`.
    pub language: &'static str,
    /// What it says.
    pub letter: &'a Letter,
    /// Ticket's number, may be empty.
    pub number: String,
    /// Who sends it, as shown above.
    pub sender: &'a str,
    /// Colour of links and buttons.
    pub accent: Accent,
    /// What can be done, with whole addresses.
    pub buttons: Vec<WrittenButton>,
    /// How to reach the provider.
    pub contact: &'a [String],
}

/// Colour of links and buttons on light and dark ground, and of what is written on it; readable whatever was chosen.
#[derive(Clone, Debug)]
pub(crate) struct Accent {
    pub light: String,
    pub on_light: String,
    pub dark: String,
    pub on_dark: String,
}

impl Accent {
    /// An organisation's colour, or the built-in blue.
    pub(crate) fn of(chosen: Option<Colour>) -> Self {
        let Palette { light, on_light, dark, on_dark, .. } = Palette::of(chosen.unwrap_or(BLUE));
        let text = |it: Colour| it.to_string();
        Self { light: text(light), on_light: text(on_light), dark: text(dark), on_dark: text(on_dark) }
    }
}

/// The built-in accent.
const BLUE: Colour = Colour(0x1f, 0x4f, 0xa3);

/// A link with its whole address.
#[derive(Debug)]
pub(crate) struct WrittenButton {
    pub label: String,
    pub address: String,
    pub primary: bool,
}

/// The letter as a page.
#[derive(Debug, Template)]
#[template(path = "mail/web/letter.html")]
pub(crate) struct HtmlLetter<'a> {
    pub paper: &'a Paper<'a>,
}

/// As a page of its own. Should it ever not come out, the plain text is there.
pub(crate) fn html(paper: &Paper<'_>) -> String {
    HtmlLetter { paper }.render().unwrap_or_default()
}

/// Lines of a text, for templates.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// As plain text.
pub(crate) fn plain(paper: &Paper<'_>) -> String {
    let Letter { title, opening, blocks, footer, language, .. } = paper.letter;
    let mut text = String::new();
    for paragraph in [title, opening].into_iter().filter(|it| !it.is_empty()) {
        let _ = write!(text, "{paragraph}\n\n");
    }
    for block in blocks {
        write_block(&mut text, block, *language);
        text.push('\n');
    }
    for button in &paper.buttons {
        let _ = write!(text, "{}{}\n{}\n\n", button.label, colon(*language), button.address);
    }
    // What mail programs know as the beginning of a signature.
    text.push_str("-- \n");
    for line in footer.iter().chain(paper.contact) {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn write_block(text: &mut String, block: &Block, language: Language) {
    match block {
        Block::Text { text: paragraph } => {
            let _ = writeln!(text, "{paragraph}");
        }
        Block::Facts { rows } => {
            for row in rows {
                let _ = writeln!(text, "{}{} {}", row.label, colon(language), row.value);
            }
        }
        Block::Quote { by, text: words } => {
            if !by.is_empty() {
                let _ = writeln!(text, "{by}{}", colon(language));
            }
            for line in words.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
}

/// French puts a no-break space before it.
fn colon(language: Language) -> &'static str {
    match language {
        Language::Fr => "\u{A0}:",
        Language::En => ":",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::letter::{Button, Fact};
    use crate::web::rendering::HOSTILE;

    fn letter(language: Language, said: &str) -> Letter {
        Letter {
            language,
            subject: "Demande enregistrée".into(),
            title: said.into(),
            opening: said.into(),
            blocks: vec![
                Block::Text { text: format!("{said}\nsecond line") },
                Block::Facts { rows: vec![Fact { label: "Numéro".into(), value: said.into() }] },
                Block::Quote { by: said.into(), text: said.into() },
            ],
            buttons: Vec::<Button>::new(),
            footer: vec![said.into()],
            appointment: None,
        }
    }

    fn paper<'a>(letter: &'a Letter, contact: &'a [String]) -> Paper<'a> {
        let address = "https://parc.example/tickets/I202611_0042".into();
        Paper {
            language: "fr",
            letter,
            number: "I202611_0042".into(),
            sender: "Support",
            accent: Accent::of(None),
            buttons: vec![WrittenButton { label: HOSTILE.into(), address, primary: true }],
            contact,
        }
    }

    #[test]
    fn hostile_words_stay_words_and_nothing_is_loaded_from_anywhere() {
        let letter = letter(Language::Fr, HOSTILE);
        let html = html(&paper(&letter, &[HOSTILE.to_owned()]));
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("lang=\"fr\"") && html.contains("second line"));
        let plain_words = self::letter(Language::Fr, "Écran noir");
        let html = self::html(&Paper { buttons: Vec::new(), ..paper(&plain_words, &[]) });
        for forbidden in ["src=", "url(", "@import", "<link", "http"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_plain_text_says_the_same() {
        let letter = letter(Language::Fr, "Écran noir");
        let text = plain(&paper(&letter, &["Tél. 04 78 00 00 00".to_owned()]));
        for said in [
            "Écran noir",
            "second line",
            "Numéro\u{A0}: Écran noir",
            "https://parc.example/tickets/I202611_0042",
            "04 78 00 00 00",
        ] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        assert!(!text.contains('<') || text.contains("<script"), "no markup of ours:\n{text}");
    }
}
