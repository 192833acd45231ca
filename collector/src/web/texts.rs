//! Everything people read, in French and in English, from one catalogue per language
//! (the requesters' side and accounts, and mail, have files of their own).
//!
//! Invariants (tested): both catalogues hold the same keys; every key a page asks for exists; no key is
//! left that nothing asks for. Texts carry no markup.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::numbers;
use crate::people::Language;

const FRENCH: &str = concat!(
    include_str!("texts/fr.ftl"),
    include_str!("texts/fr_portal.ftl"),
    include_str!("texts/fr_mail.ftl"),
    include_str!("texts/fr_letterbox.ftl")
);
const ENGLISH: &str = concat!(
    include_str!("texts/en.ftl"),
    include_str!("texts/en_portal.ftl"),
    include_str!("texts/en_mail.ftl"),
    include_str!("texts/en_letterbox.ftl")
);

type Catalogue = FluentBundle<FluentResource>;

/// The catalogue of one language; cheap to copy into every view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    language: Language,
}

impl Texts {
    /// The texts of a language.
    pub(crate) fn of(language: Language) -> Self {
        Self { language }
    }

    /// Which language.
    pub(crate) fn language(self) -> Language {
        self.language
    }

    /// The language as HTML's `lang` wants it.
    pub(crate) fn code(self) -> &'static str {
        match self.language {
            Language::Fr => "fr",
            Language::En => "en",
        }
    }

    /// A text without parameters. An unknown key shows itself, so that a page never fails for a word.
    pub(crate) fn t(self, key: &str) -> Cow<'static, str> {
        self.format(key, None)
    }

    /// A text with one parameter.
    pub(crate) fn t1(self, key: &str, name: &str, value: &str) -> Cow<'static, str> {
        self.format(key, Some(&arguments(&[(name, value)])))
    }

    /// A text with two parameters.
    pub(crate) fn t2(self, key: &str, first: (&str, &str), second: (&str, &str)) -> Cow<'static, str> {
        self.format(key, Some(&arguments(&[first, second])))
    }

    /// A text that counts: `$count` chooses the plural, `$shown` is the number as the reader writes it.
    pub(crate) fn tn(self, key: &str, count: i64) -> Cow<'static, str> {
        let mut given = FluentArgs::new();
        given.set("count", count);
        given.set("shown", numbers::integer(self.language, count));
        self.format(key, Some(&given))
    }

    /// The word of a stored code: `state` and `in_progress` give the text `state-in_progress`.
    pub(crate) fn word(self, family: &str, code: &str) -> Cow<'static, str> {
        let key = format!("{family}-{code}");
        if self.has(&key) { self.t(&key) } else { Cow::Owned(code.to_owned()) }
    }

    /// Whether the catalogue holds the key.
    pub(crate) fn has(self, key: &str) -> bool {
        catalogue(self.language).has_message(key)
    }

    fn format(self, key: &str, given: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        let bundle = catalogue(self.language);
        let Some(pattern) = bundle.get_message(key).and_then(|it| it.value()) else {
            return Cow::Owned(key.to_owned());
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, given, &mut errors);
        for error in errors {
            tracing::warn!(key, %error, "a text could not be completed");
        }
        Cow::Owned(text.into_owned())
    }
}

fn arguments<'a>(pairs: &[(&'a str, &'a str)]) -> FluentArgs<'a> {
    pairs.iter().map(|&(name, value)| (name, FluentValue::from(value))).collect()
}

fn catalogue(language: Language) -> &'static Catalogue {
    static CATALOGUES: OnceLock<[Catalogue; 2]> = OnceLock::new();
    let [french, english] = CATALOGUES.get_or_init(|| [parse("fr-FR", FRENCH), parse("en-GB", ENGLISH)]);
    match language {
        Language::Fr => french,
        Language::En => english,
    }
}

/// Broken entries are left out and show as their key; a test keeps the files whole.
fn parse(language: &str, source: &str) -> Catalogue {
    let language: LanguageIdentifier = language.parse().unwrap_or_default();
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(partial, _)| partial);
    let mut bundle = Catalogue::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The language a browser asks for: the first of `Accept-Language` by weight that we speak, else French.
pub(crate) fn negotiate(accept_language: &str) -> Language {
    let mut best: Option<(u16, Language)> = None;
    for range in accept_language.split(',').take(16) {
        let (tag, weight) = range.split_once(';').map_or((range, 1000), |(tag, rest)| (tag, per_mille(rest)));
        let Some(language) = spoken(tag.trim()) else { continue };
        if weight > best.map_or(0, |it| it.0) {
            best = Some((weight, language));
        }
    }
    best.map_or(Language::Fr, |it| it.1)
}

/// From a language tag such as `fr-CA`.
pub(crate) fn spoken(tag: &str) -> Option<Language> {
    match tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase().as_str() {
        "fr" => Some(Language::Fr),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// `q=0.8` in thousandths; unreadable weights count as nothing.
fn per_mille(parameter: &str) -> u16 {
    let value = parameter.trim().strip_prefix("q=").unwrap_or("");
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole: u16 = whole.parse().unwrap_or(0);
    whole.min(1) * 1000 + thousandths.parse::<u16>().unwrap_or(0).min(999)
}

#[cfg(test)]
mod tests;
