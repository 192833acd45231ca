//! What somebody wrote and what their program quoted below, above or between. Quotations are folded, never removed:
//! the pieces put together again are the whole text.

use super::fold::fold;

/// One stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stretch {
    /// Quoted from an earlier message, or a signature.
    pub folded: bool,
    /// Whole lines, each with its line end.
    pub text: String,
}

/// Lines an introduction such as "Le lundi… Luc a écrit :" may be broken over.
const INTRODUCTION_LINES_MAX: usize = 4;
/// Lines looked at for the header of a quoted message, blank ones included.
const HEADER_BLOCK_LINES_MAX: usize = 12;
/// Characters of such an introduction.
const INTRODUCTION_CHARS_MAX: usize = 400;

/// Cuts a text into what was written now and what was quoted. When nothing would be left to see, nothing is folded.
pub fn stretches(text: &str) -> Vec<Stretch> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut folded = marks(&lines);
    let nothing_left = lines.iter().zip(&folded).all(|(line, folded)| *folded || line.trim().is_empty());
    if nothing_left || answers_are_inside(&lines, &folded) {
        folded.fill(false);
    }
    let mut found: Vec<Stretch> = Vec::new();
    for (line, folded) in lines.iter().zip(folded) {
        match found.last_mut() {
            Some(last) if last.folded == folded => last.text.push_str(line),
            _ => found.push(Stretch { folded, text: (*line).to_owned() }),
        }
    }
    found
}

/// What was written now, without the folded stretches.
pub fn written(stretches: &[Stretch]) -> String {
    let mut text = String::new();
    for stretch in stretches.iter().filter(|it| !it.folded) {
        text.push_str(&stretch.text);
    }
    text.trim().to_owned()
}

fn marks(lines: &[&str]) -> Vec<bool> {
    let mut folded = vec![false; lines.len()];
    let last_marked = lines.iter().rposition(|it| it.trim_start().starts_with('>'));
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        if line.is_empty() {
            // Stays with what it stands in.
        } else if line.starts_with('>') {
            folded[at] = true;
        } else if let Some(length) = introduction(&lines[at..]) {
            folded[at..at + length].fill(true);
            at += length;
            // Programs that mark quoted lines mark all of them; others quote everything that follows.
            if last_marked.is_none_or(|last| last < at) {
                folded[at..].fill(true);
                break;
            }
            continue;
        } else if separator(line) || header_block(&lines[at..]) {
            folded[at..].fill(true);
            break;
        } else if lines[at].trim_end_matches(['\r', '\n']) == "-- " || line == "--" {
            // A signature ends where quoting starts.
            let end = (at..lines.len())
                .find(|&it| lines[it].trim_start().starts_with('>') || introduction(&lines[it..]).is_some());
            let end = end.unwrap_or(lines.len());
            folded[at..end].fill(true);
            at = end;
            continue;
        }
        at += 1;
    }
    folded
}

/// How many lines an introduction takes that starts here.
fn introduction(lines: &[&str]) -> Option<usize> {
    let first = fold(lines.first()?);
    let french = first.starts_with("le ") || first.starts_with("el ") || first.starts_with("en date du ");
    let english = first.starts_with("on ");
    if !(french || english) {
        return None;
    }
    let mut text = String::new();
    for (place, line) in lines.iter().take(INTRODUCTION_LINES_MAX).enumerate() {
        if line.trim().is_empty() {
            return None;
        }
        text.push_str(&fold(line));
        text.push(' ');
        let ended = text.trim_end().trim_end_matches(':').trim_end();
        let wrote = ended.ends_with("a ecrit") || ended.ends_with("wrote") || ended.ends_with("ecrivait");
        let digits = text.chars().any(|it| it.is_ascii_digit());
        if wrote && digits && line.trim_end().ends_with(':') {
            return Some(place + 1);
        }
        if text.len() > INTRODUCTION_CHARS_MAX {
            return None;
        }
    }
    None
}

/// "-----Message d'origine-----" and its like. A forwarded message is what the person wants to show.
fn separator(line: &str) -> bool {
    if !line.starts_with("--") && !line.starts_with("__") {
        return false;
    }
    let words = fold(line.trim_matches(['-', '_', ' ']));
    matches!(words.as_str(), "message d'origine" | "message original" | "original message" | "reply message")
}

/// "De : … Envoyé : … À : … Objet : …" as word processors' mails quote, perhaps below a line of underscores.
fn header_block(lines: &[&str]) -> bool {
    let ruled = lines.first().is_some_and(|it| it.trim().len() >= 10 && it.trim().chars().all(|c| c == '_'));
    let lines = &lines[usize::from(ruled)..];
    let label = |line: &str| {
        let folded = fold(line);
        let (label, rest) = folded.split_once(':')?;
        (!rest.trim().is_empty()).then(|| label.trim_matches(['*', ' ']).to_owned())
    };
    let near = lines.iter().take(HEADER_BLOCK_LINES_MAX).filter(|it| !it.trim().is_empty());
    let mut labels = near.map_while(|it| label(it));
    if !labels.next().is_some_and(|it| matches!(it.as_str(), "de" | "from")) {
        return false;
    }
    let more: Vec<String> = labels.collect();
    let has = |words: &[&str]| more.iter().any(|it| words.contains(&it.as_str()));
    has(&["envoye", "date", "sent", "envoye le"]) && has(&["a", "to", "objet", "subject"])
}

/// "Mes réponses ci-dessous", "see my answers in red": what looks quoted holds the answers.
fn answers_are_inside(lines: &[&str], folded: &[bool]) -> bool {
    let mut visible = String::new();
    for (line, _) in lines.iter().zip(folded).filter(|(_, folded)| !**folded) {
        visible.push_str(&fold(line));
        visible.push(' ');
        if visible.len() > INTRODUCTION_CHARS_MAX {
            return false;
        }
    }
    let hints = [
        "ci-dessous",
        "ci dessous",
        "dans le texte",
        "dans le corps",
        "en rouge",
        "en bleu",
        "en vert",
        "plus bas",
        "inline",
        "in line",
        "below",
        "in red",
        "in blue",
    ];
    let answers = ["repons", "repond", "commentaire", "answer", "repl", "comment", "voir", "see"];
    hints.iter().any(|it| visible.contains(it)) && answers.iter().any(|it| visible.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(text: &str) -> String {
        let found = stretches(text);
        let whole: String = found.iter().map(|it| it.text.as_str()).collect();
        assert_eq!(whole, text, "nothing may be lost");
        written(&found)
    }

    #[test]
    fn answers_above_a_quotation_are_found_in_french_and_english() {
        for quoted in [
            "Le lun. 16 nov. 2026 à 09:12, Support <s@parc.example> a écrit :\n> Bonjour\n>\n> texte\n",
            "Le lundi 16 novembre 2026 à 09:12, Support du parc\n<s@parc.example> a écrit\u{a0}:\n\n> Bonjour\n",
            "On Mon, Nov 16, 2026 at 9:12 AM Support <s@parc.example> wrote:\n\nHello unmarked\nmore\n",
            "-----Message d'origine-----\nDe : Support\nEnvoyé : lundi\nÀ : moi\nObjet : x\n\ntexte",
            "________________________________\nDe : Support <s@parc.example>\nEnvoyé : lundi 16 novembre 2026 09:12\nÀ : moi\nObjet : x\n\ntexte",
            "*From:* Support\n*Sent:* Monday\n*To:* me\n*Subject:* x\n\ntext",
        ] {
            assert_eq!(visible(&format!("Oui, ça marche.\n\n{quoted}")), "Oui, ça marche.", "{quoted}");
        }
    }

    #[test]
    fn inline_answers_stay_in_sight() {
        let text = "Le 16/11/2026 à 09:12, Support a écrit :\n> Quel modèle ?\nUn Latitude.\n> Depuis quand ?\nHier.\n";
        assert_eq!(visible(text), "Un Latitude.\nHier.");
        let colours = "Mes réponses ci-dessous en rouge.\n\nDe : Support\nEnvoyé : lundi\nÀ : moi\nObjet : x\n\nQuel modèle ? Un Latitude.";
        assert_eq!(visible(colours), colours);
    }

    #[test]
    fn a_quotation_alone_or_a_forwarded_message_is_shown_whole() {
        assert_eq!(visible("> tout\n> cité\n"), "> tout\n> cité");
        let forwarded =
            "Pour info\n\n---------- Forwarded message ---------\nDe : Luc\nLe scanner ne marche pas\n";
        assert_eq!(visible(forwarded), forwarded.trim());
    }

    #[test]
    fn a_sentence_that_starts_like_an_introduction_is_not_one() {
        let text = "Le serveur du 16 novembre ne répond plus.\nOn ne peut plus travailler depuis 9h.\n";
        assert_eq!(visible(text), text.trim());
    }

    #[test]
    fn a_signature_is_folded() {
        assert_eq!(visible("Texte\n-- \nLuc\n01 02 03\n"), "Texte");
    }
}
