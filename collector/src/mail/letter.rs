//! What a mail says, before it is plain text and HTML: the outbox keeps this, so that the way mails look, the
//! address of the pages and the contact lines are those of the day it is sent.

use serde::{Deserialize, Serialize};

use super::calendar::Appointment;
use crate::people::Language;

/// Blocks of one letter: more changes than that in a minute are read on the ticket.
const BLOCKS_MAX: usize = 30;

/// The content of a mail, in the recipient's language. All texts are plain; whoever writes them out escapes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Language of all texts.
    pub language: Language,
    /// Without the ticket's number, which is put before it.
    pub subject: String,
    /// What it is about, above everything: a ticket's summary.
    pub title: String,
    /// First sentences.
    pub opening: String,
    /// The body.
    pub blocks: Vec<Block>,
    /// What can be done now.
    pub buttons: Vec<Button>,
    /// Why this person gets it and how to answer.
    pub footer: Vec<String>,
    /// Comes as a calendar file.
    pub appointment: Option<Appointment>,
}

/// A piece of a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph; line breaks are kept.
    Text {
        /// The text.
        text: String,
    },
    /// Labels and values.
    Facts {
        /// In their order.
        rows: Vec<Fact>,
    },
    /// Somebody's own words.
    Quote {
        /// Who and when: "Nadia Benali, 21/11/2026 23:13".
        by: String,
        /// The words; line breaks are kept.
        text: String,
    },
}

/// A label and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The value.
    pub value: String,
}

/// A link to a page of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// Path of the page, `/tickets/I202611_0042`.
    pub path: String,
    /// Signed into the address when it is sent, for pages that work without signing in.
    pub claim: Option<Claim>,
    /// The one most people want.
    pub primary: bool,
}

/// What a signed link allows the recipient, once, until a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// A fixed word of the program.
    pub purpose: String,
    /// Number of the event that the mail tells of.
    pub event_no: i64,
    /// Second (since 1970) from which it is worth nothing.
    pub until_s: i64,
}

impl Letter {
    /// Adds what another letter of the same kind says; what can be done now is what the later one says.
    pub(super) fn join(&mut self, later: Self) {
        for block in later.blocks {
            if self.blocks.len() < BLOCKS_MAX && !self.blocks.contains(&block) {
                self.blocks.push(block);
            }
        }
        self.buttons = later.buttons;
        self.appointment = later.appointment.or(self.appointment.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(texts: &[&str]) -> Letter {
        Letter {
            language: Language::En,
            subject: "Something changed".into(),
            title: String::new(),
            opening: String::new(),
            blocks: texts.iter().map(|it| Block::Text { text: (*it).into() }).collect(),
            buttons: Vec::new(),
            footer: Vec::new(),
            appointment: None,
        }
    }

    #[test]
    fn a_joined_letter_says_everything_once() {
        let mut first = said(&["taken", "priority"]);
        first.join(said(&["priority", "waits"]));
        assert_eq!(first.blocks, said(&["taken", "priority", "waits"]).blocks);
    }

    #[test]
    fn a_letter_does_not_grow_for_ever() {
        let mut first = said(&[]);
        for round in 0..100 {
            first.join(said(&[&round.to_string()]));
        }
        assert_eq!(first.blocks.len(), BLOCKS_MAX);
    }

    #[test]
    fn a_stored_letter_is_read_back() {
        let letter = Letter {
            buttons: vec![Button {
                label: "It works".into(),
                path: "/tickets/I202611_0042/confirm".into(),
                claim: Some(Claim { purpose: "resolved".into(), event_no: 4, until_s: 9 }),
                primary: true,
            }],
            ..said(&["a", "b"])
        };
        let stored = serde_json::to_string(&letter).expect("written");
        assert_eq!(serde_json::from_str::<Letter>(&stored).expect("read"), letter);
    }
}
