//! What a probe hands back, and the limits every section keeps.

use parc_wire::limits::{
    ITEM_BODY_BYTES_MAX, ITEM_KEY_BYTES_MAX, SECTION_ITEMS_MAX, SOFTWARE_ITEMS_MAX, TEXT_BYTES_MAX,
    VERSION_BYTES_MAX,
};
use parc_wire::v1::{Item, ProblemItem, ProblemKind, SectionKind};
use prost::Message;

use super::text::{clean_key, clean_text};
use crate::root::ReadError;
use crate::status::section_word;

/// Problems of one section: the PROBLEMS section holds [`SECTION_ITEMS_MAX`] items in all.
const PROBLEMS_MAX: usize = 32;

/// Items and problems of one section, in the making.
#[derive(Debug, Default)]
pub struct Probed {
    items: Vec<Item>,
    problems: Vec<Failure>,
    texts_cut: usize,
    left_out: usize,
}

/// Why a section, or a part of it, is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    kind: ProblemKind,
    source: String,
    reason: String,
}

impl Failure {
    /// `source` is the file or interface that was asked, `reason` an English sentence.
    pub fn new(kind: ProblemKind, source: &str, reason: impl Into<String>) -> Self {
        Self { kind, source: source.to_owned(), reason: reason.into() }
    }

    /// From a file that `what` (a plural: "processors", "disks") are read from.
    pub fn reading(source: &str, what: &str, error: &ReadError) -> Self {
        let kind = match error {
            ReadError::Absent => ProblemKind::Absent,
            ReadError::Unreadable(_) => ProblemKind::Unreadable,
            ReadError::NotAFile => ProblemKind::Malformed,
            ReadError::TooLarge { .. } => ProblemKind::Cut,
        };
        Self::new(kind, source, format!("The {what} cannot be known because {source} is {}.", because(error)))
    }

    pub(super) fn into_items(self, section: SectionKind) -> [ProblemItem; 1] {
        [ProblemItem {
            section: section.into(),
            kind: self.kind.into(),
            source: clean_text(&self.source, TEXT_BYTES_MAX).text,
            reason: clean_text(&self.reason, TEXT_BYTES_MAX).text,
        }]
    }
}

fn because(error: &ReadError) -> String {
    match error {
        ReadError::Absent => "missing".into(),
        ReadError::Unreadable(cause) => format!("not readable ({cause})"),
        ReadError::NotAFile => "not a regular file".into(),
        ReadError::TooLarge { max } => format!("larger than {max} bytes"),
    }
}

impl Probed {
    /// A text fit for an item. Longer ones are cut and counted.
    pub fn text(&mut self, raw: &str) -> String {
        self.limited(raw, TEXT_BYTES_MAX)
    }

    /// A version fit for an item.
    pub fn version(&mut self, raw: &str) -> String {
        self.limited(raw, VERSION_BYTES_MAX)
    }

    fn limited(&mut self, raw: &str, bytes_max: usize) -> String {
        let clean = clean_text(raw, bytes_max);
        self.texts_cut += usize::from(clean.cut);
        clean.text
    }

    /// Adds an item. A body over the wire's limit is left out and reported; texts made by [`Probed::text`]
    /// never come near it, only long lists of addresses could.
    pub fn put(&mut self, key: &str, body: &impl Message) {
        let key = clean_key(key, ITEM_KEY_BYTES_MAX);
        let body = body.encode_to_vec();
        if body.len() > ITEM_BODY_BYTES_MAX {
            let reason = format!("The item is larger than {ITEM_BODY_BYTES_MAX} bytes and was left out.");
            self.problem(Failure::new(ProblemKind::Cut, &key, reason));
            return;
        }
        self.items.push(Item { key, body });
    }

    /// Counts entries that the probe saw and did not keep, for they are over the section's limit.
    pub fn leave_out(&mut self, count: usize) {
        self.left_out += count;
    }

    /// Says what is not known. The first 32 of a section are kept.
    pub fn problem(&mut self, problem: Failure) {
        if self.problems.len() < PROBLEMS_MAX && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Sorts by key and applies the limits.
    pub(super) fn finish(mut self, section: SectionKind) -> (Vec<Item>, Vec<ProblemItem>) {
        let is_software = section == SectionKind::Software;
        let items_max = if is_software { SOFTWARE_ITEMS_MAX } else { SECTION_ITEMS_MAX };
        let mut items = std::mem::take(&mut self.items);
        let given = items.len();
        items.sort_by(|a, b| a.key.cmp(&b.key));
        items.dedup_by(|later, earlier| later.key == earlier.key);
        let (doubles, found) = (given - items.len(), items.len());
        items.truncate(items_max);
        let source = &section_word(section);
        if doubles > 0 {
            let reason = format!("{doubles} entries had the name of another one and were left out.");
            self.problem(Failure::new(ProblemKind::Malformed, source, reason));
        }
        let (found, kept) = (found + self.left_out, items.len());
        if found > kept {
            let reason = format!("There are {found} entries; all but the first {kept} were left out.");
            self.problem(Failure::new(ProblemKind::Cut, source, reason));
        }
        if self.texts_cut > 0 {
            let reason = format!("{} texts were too long and were cut.", self.texts_cut);
            self.problem(Failure::new(ProblemKind::Cut, source, reason));
        }
        let problems = self.problems.into_iter().flat_map(|it| it.into_items(section)).collect();
        (items, problems)
    }
}

#[cfg(test)]
mod tests {
    use parc_wire::v1::SoftwareItem;

    use super::*;

    fn probed(keys: impl IntoIterator<Item = String>) -> Probed {
        let mut probed = Probed::default();
        for key in keys {
            probed.put(&key, &SoftwareItem::default());
        }
        probed
    }

    #[test]
    fn items_are_sorted_and_a_double_key_is_reported() {
        let (items, problems) = probed(["b", "a", "b"].map(String::from)).finish(SectionKind::Cpu);
        assert_eq!(items.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(problems[0].kind(), ProblemKind::Malformed);
    }

    #[test]
    fn items_over_the_limit_are_left_out_and_reported() {
        let (items, problems) =
            probed((0..=SECTION_ITEMS_MAX).map(|it| it.to_string())).finish(SectionKind::Cpu);
        assert_eq!(items.len(), SECTION_ITEMS_MAX);
        assert_eq!(problems[0].kind(), ProblemKind::Cut);
    }

    #[test]
    fn what_the_probe_did_not_keep_is_counted() {
        let mut probed = probed(["a", "b"].map(String::from));
        probed.leave_out(5_000);
        let (items, problems) = probed.finish(SectionKind::Software);
        assert_eq!(items.len(), 2);
        assert_eq!(problems[0].reason, "There are 5002 entries; all but the first 2 were left out.");
    }

    #[test]
    fn cut_texts_are_counted_in_one_problem() {
        let mut probed = Probed::default();
        for _ in 0..3 {
            assert_eq!(probed.version(&"9".repeat(200)).len(), VERSION_BYTES_MAX);
        }
        let (_, problems) = probed.finish(SectionKind::Software);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].reason, "3 texts were too long and were cut.");
        assert_eq!(problems[0].source, "software");
    }

    #[test]
    fn a_section_reports_a_bounded_number_of_problems() {
        let mut probed = Probed::default();
        for number in 0..100 {
            probed.problem(Failure::new(ProblemKind::Malformed, "x", number.to_string()));
        }
        assert_eq!(probed.finish(SectionKind::Os).1.len(), PROBLEMS_MAX);
    }
}
