//! The labelled lines of a mail that opens a ticket: inventory number, impact, description, site, location,
//! availability (rule R027) and a few more, in any order, French or English, accents and case ignored.

use super::fold::fold;

/// Characters of a value of one line.
const LINE_CHARS_MAX: usize = 300;

/// What the labelled lines say; as typed, empty when the label is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Fields {
    /// "N° d'inventaire".
    pub inventory_number: String,
    /// "Impact", read.
    pub impact: Impact,
    /// "Urgence", read.
    pub urgency: Option<Urgency>,
    /// "Description", possibly of many lines.
    pub description: String,
    /// "Site".
    pub site: String,
    /// "Emplacement".
    pub location: String,
    /// "Disponibilités".
    pub availability: String,
    /// "Téléphone".
    pub phone: String,
    /// "Application".
    pub application: String,
    /// What stands under no label.
    pub unlabelled: String,
    /// How many different labels were found.
    pub found: usize,
}

/// How much an incident hinders and whom (rules R039 and R040), as far as it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Impact {
    /// "Gênant" or "bloquant".
    pub severity: Option<Severity>,
    /// One, a group, all.
    pub scope: Option<Scope>,
}

/// How much it hinders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Severity {
    /// "Gênant".
    Minor,
    /// "Bloquant".
    Blocking,
}

/// Whom it hinders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Scope {
    /// "Un seul utilisateur".
    One,
    /// "Un groupe".
    Group,
    /// "L'ensemble des utilisateurs".
    All,
}

/// How soon it is needed (rule R035).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Urgency {
    /// "Basse".
    Low,
    /// "Moyenne".
    Medium,
    /// "Haute".
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Inventory,
    Impact,
    Urgency,
    Description,
    Site,
    Location,
    Availability,
    Phone,
    Application,
}

/// Labels as folded words; the longer of two that fit wins.
const LABELS: [(Label, &[&str]); 9] = [
    (
        Label::Inventory,
        &[
            "numero d'inventaire du materiel impacte",
            "numero d'inventaire du materiel",
            "numero d'inventaire",
            "numero inventaire",
            "n° d'inventaire du materiel impacte",
            "n° d'inventaire du materiel",
            "n° d'inventaire",
            "n° inventaire",
            "no d'inventaire du materiel",
            "no d'inventaire",
            "no inventaire",
            "num inventaire",
            "num d'inventaire",
            "inventaire",
            "etiquette d'inventaire",
            "etiquette",
            "inventory number",
            "inventory no",
            "inventory",
            "asset tag",
            "asset number",
            "tag",
        ],
    ),
    (Label::Impact, &["impact de l'incident", "impact", "impact of the incident", "niveau de blocage"]),
    (Label::Urgency, &["degre d'urgence", "urgence", "urgency", "priorite souhaitee"]),
    (
        Label::Description,
        &[
            "description de l'incident",
            "description du probleme",
            "description of the incident",
            "description of the problem",
            "description",
        ],
    ),
    (Label::Site, &["site concerne", "site"]),
    (Label::Location, &["emplacement du materiel", "emplacement", "location", "localisation", "lieu"]),
    (
        Label::Availability,
        &[
            "vos disponibilites pour etre contacte",
            "mes disponibilites pour etre contacte",
            "vos disponibilites",
            "mes disponibilites",
            "disponibilites pour etre contacte",
            "disponibilites",
            "disponibilite",
            "creneaux horaires",
            "creneaux",
            "your availability",
            "my availability",
            "availability",
            "available",
        ],
    ),
    (
        Label::Phone,
        &[
            "numero de telephone",
            "telephone de rappel",
            "numero de rappel",
            "telephone",
            "tel",
            "phone number",
            "phone",
            "call back number",
        ],
    ),
    (Label::Application, &["application concernee", "application", "logiciel concerne", "logiciel"]),
];

/// Answers that mean "I have none".
const NOTHING: [&str; 14] = [
    "?",
    "-",
    "??",
    "???",
    "/",
    "aucun",
    "aucune",
    "inconnu",
    "je ne sais pas",
    "n/a",
    "na",
    "none",
    "unknown",
    "i do not know",
];

/// Reads the labelled lines of a text.
pub fn read(text: &str) -> Fields {
    let mut fields = Fields::default();
    let mut open: Option<Label> = None;
    let mut seen: Vec<Label> = Vec::new();
    for line in text.lines() {
        if let Some((label, value)) = labelled(line) {
            open = Some(label);
            if !seen.contains(&label) {
                seen.push(label);
            }
            fields.put(label, value, true);
            if !value.is_empty() && !continues(label) {
                open = None;
            }
            continue;
        }
        match open {
            Some(Label::Availability) if line.trim().is_empty() && !fields.availability.is_empty() => {
                open = None;
            }
            Some(label) if continues(label) => fields.put(label, line.trim_end(), false),
            Some(label) if !line.trim().is_empty() => {
                fields.put(label, bare(line), false);
                open = None;
            }
            Some(_) => {}
            None => append(&mut fields.unlabelled, line.trim_end()),
        }
    }
    fields.found = seen.len();
    for value in [&mut fields.description, &mut fields.unlabelled, &mut fields.availability] {
        *value = value.trim().to_owned();
    }
    if NOTHING.contains(&fold(&fields.inventory_number).as_str()) {
        fields.inventory_number.clear();
    }
    fields
}

/// Whether a value may go on over the following lines.
fn continues(label: Label) -> bool {
    matches!(label, Label::Description | Label::Availability)
}

impl Fields {
    /// The first value of a label counts; of a description every line.
    fn put(&mut self, label: Label, value: &str, fresh: bool) {
        let slot = match label {
            Label::Impact => {
                let said = impact(value);
                self.impact.severity = self.impact.severity.or(said.severity);
                self.impact.scope = self.impact.scope.or(said.scope);
                return;
            }
            Label::Urgency => {
                self.urgency = self.urgency.or(urgency(value));
                return;
            }
            Label::Description | Label::Availability => {
                let slot =
                    if label == Label::Description { &mut self.description } else { &mut self.availability };
                if !(fresh && value.is_empty()) {
                    append(slot, value);
                }
                return;
            }
            Label::Inventory => &mut self.inventory_number,
            Label::Site => &mut self.site,
            Label::Location => &mut self.location,
            Label::Phone => &mut self.phone,
            Label::Application => &mut self.application,
        };
        if slot.is_empty() {
            *slot = value.chars().take(LINE_CHARS_MAX).collect();
        }
    }
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// A line without bullet and emphasis around it.
fn bare(line: &str) -> &str {
    let line = line.trim();
    line.trim_start_matches(['-', '*', '•', '·', '–', '▪', '◦', '\u{f0b7}', '>'])
        .trim_matches(['*', ' ', '\u{a0}', '\t'])
}

/// "Label : value", "label = value", a label alone, or after a bullet also "label value".
fn labelled(line: &str) -> Option<(Label, &str)> {
    let bullet = line.trim_start().starts_with(['-', '*', '•', '·', '–', '▪', '◦', '\u{f0b7}']);
    let line = bare(line);
    if let Some(at) =
        line.char_indices().take(80).find(|(_, c)| matches!(c, ':' | '=' | '：')).map(|(at, _)| at)
    {
        let label = known(&line[..at])?;
        let value = line[at..].trim_start_matches([':', '=', '：']);
        return Some((label, value.trim_matches(['*', ' ', '\u{a0}', '\t', '\u{202f}'])));
    }
    if line.chars().count() > 80 {
        return None;
    }
    if let Some(label) = known(line) {
        return Some((label, ""));
    }
    if !bullet {
        return None;
    }
    line.char_indices()
        .filter(|(_, c)| c.is_whitespace())
        .filter_map(|(at, _)| Some((known(&line[..at])?, line[at..].trim())))
        .next_back()
}

/// The label these words are, whatever stands in brackets behind them.
fn known(words: &str) -> Option<Label> {
    let words = words.split('(').next().unwrap_or_default();
    let folded = fold(words.trim_matches(['*', '_', ' ', '\t', '\u{a0}', '"', '«', '»']));
    let folded = folded.trim_end_matches(['.', ' ']);
    LABELS.iter().find(|(_, names)| names.contains(&folded)).map(|(label, _)| *label)
}

fn impact(value: &str) -> Impact {
    let words = fold(value);
    let has = |list: &[&str]| list.iter().any(|it| words.contains(it));
    let severity = if has(&["non bloquant", "not blocking", "genant", "mineur", "minor", "annoying"]) {
        Some(Severity::Minor)
    } else if has(&["bloqu", "block", "critique", "critical"]) {
        Some(Severity::Blocking)
    } else {
        None
    };
    let scope = if has(&[
        "tous",
        "toutes",
        "ensemble des",
        "tout le monde",
        "all users",
        "everybody",
        "everyone",
        "whole",
    ]) {
        Some(Scope::All)
    } else if has(&["groupe", "group", "plusieurs", "several", "equipe", "team", "service"]) {
        Some(Scope::Group)
    } else if has(&[
        "un seul",
        "un utilisateur",
        "une personne",
        "moi",
        "one user",
        "single",
        "only me",
        "individuel",
    ]) {
        Some(Scope::One)
    } else {
        None
    };
    Impact { severity, scope }
}

fn urgency(value: &str) -> Option<Urgency> {
    let words = fold(value);
    let has = |list: &[&str]| list.iter().any(|it| words.contains(it));
    if has(&["bas", "faible", "low"]) {
        Some(Urgency::Low)
    } else if has(&["moyen", "normal", "medium"]) {
        Some(Urgency::Medium)
    } else if has(&["haut", "elev", "fort", "urgent", "high", "tres"]) {
        Some(Urgency::High)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_layout_is_read_in_any_order_and_spelling() {
        let fields = read(
            "Bonjour,\n\nEMPLACEMENT : Bâtiment B, bureau 12\n- numero d’inventaire du materiel: pc-00-42\n\
             Description de l’incident :\nLe poste redémarre seul.\n\nDepuis lundi, trois fois par jour.\n\
             * Impact : Bloquant, un seul utilisateur\nvos disponibilités pour être contacté : lundi 9h-12h\nmardi 14h-16h\n\n\
             SITE = Lyon\nCordialement,\nLuc",
        );
        assert_eq!(fields.inventory_number, "pc-00-42");
        assert_eq!(fields.location, "Bâtiment B, bureau 12");
        assert_eq!(fields.description, "Le poste redémarre seul.\n\nDepuis lundi, trois fois par jour.");
        assert_eq!(fields.impact, Impact { severity: Some(Severity::Blocking), scope: Some(Scope::One) });
        assert_eq!(fields.availability, "lundi 9h-12h\nmardi 14h-16h");
        assert_eq!(fields.site, "Lyon");
        assert_eq!(fields.unlabelled, "Bonjour,\n\nCordialement,\nLuc");
        assert_eq!(fields.found, 6);
    }

    #[test]
    fn english_labels_labels_alone_and_bullets_without_colon_are_read() {
        let fields = read(
            "Inventory number\nPC-0042\n- Impact annoying, all users\n- Site Main office\nAvailability: afternoons\n\
             Urgency: high\nPhone (mobile): 06 00 00 00 00\n\nDescription: it hangs",
        );
        assert_eq!(fields.inventory_number, "PC-0042");
        assert_eq!(fields.impact, Impact { severity: Some(Severity::Minor), scope: Some(Scope::All) });
        assert_eq!((fields.site.as_str(), fields.availability.as_str()), ("Main office", "afternoons"));
        assert_eq!((fields.urgency, fields.phone.as_str()), (Some(Urgency::High), "06 00 00 00 00"));
        assert_eq!(fields.description, "it hangs");
    }

    #[test]
    fn sentences_that_begin_like_a_label_are_not_labels() {
        let text = "Le site ne répond plus : erreur 500\nImpact important sur la paie\nsite de Lyon fermé";
        let fields = read(text);
        assert_eq!((fields.found, fields.unlabelled.as_str()), (0, text));
    }

    #[test]
    fn no_number_is_no_number() {
        for none in ["?", "inconnu", "Je ne sais pas", "N/A", "-", ""] {
            assert_eq!(
                read(&format!("N° d'inventaire : {none}\n\nSite : Lyon")).inventory_number,
                "",
                "{none}"
            );
        }
    }
}
