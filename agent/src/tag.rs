//! Which asset tag the machine claims: what a person set on it, else its configuration file, else the
//! firmware's chassis tag. Pure; the collector may know better and says so.

use parc_wire::tag::{AssetTag, TagRefusal};
use parc_wire::v1::{ProblemItem, ProblemKind, SectionKind, TagSource};

use crate::report;

/// The claimed tag and the texts that were no tag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// The tag that is reported.
    pub tag: Option<(AssetTag, TagSource)>,
    /// What stood where a tag should be.
    pub refused: Vec<Refused>,
}

/// A text that is no asset tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Where it stood.
    pub source: TagSource,
    /// Why it is none.
    pub reason: TagRefusal,
}

impl Refused {
    pub(crate) fn problem(&self) -> ProblemItem {
        report::problem(
            SectionKind::AssetTag,
            ProblemKind::Refused,
            place(self.source),
            self.reason.to_string(),
        )
    }
}

/// The place of a source, in words.
pub fn place(source: TagSource) -> &'static str {
    match source {
        TagSource::Configuration => "configuration",
        TagSource::Firmware => "firmware chassis asset tag",
        TagSource::Unspecified => "unknown source",
    }
}

/// Chooses the first usable text. `local` was set by `parc-agent tag`, `configured` stands in the
/// configuration file, `firmware` in the chassis table. A blank text claims nothing and is no refusal.
pub fn claim(local: Option<&str>, configured: &str, firmware: Option<&str>) -> Claim {
    let texts = [
        (local.unwrap_or_default(), TagSource::Configuration),
        (configured, TagSource::Configuration),
        (firmware.unwrap_or_default(), TagSource::Firmware),
    ];
    let mut claim = Claim::default();
    for (text, source) in texts {
        match text.parse() {
            Ok(tag) => {
                claim.tag = Some((tag, source));
                break;
            }
            Err(TagRefusal::Empty) => {}
            Err(reason) => claim.refused.push(Refused { source, reason }),
        }
    }
    claim
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(claim: &Claim) -> Option<(&str, TagSource)> {
        claim.tag.as_ref().map(|(tag, source)| (tag.display(), *source))
    }

    #[test]
    fn the_order_is_command_then_file_then_firmware() {
        let firmware = Some("FW-3");
        let from =
            |local, configured| chosen(&claim(local, configured, firmware)).map(|(tag, _)| tag.to_owned());
        assert_eq!(from(Some("CMD-1"), "FILE-2").as_deref(), Some("CMD-1"));
        assert_eq!(from(None, "FILE-2").as_deref(), Some("FILE-2"));
        assert_eq!(chosen(&claim(None, " ", firmware)), Some(("FW-3", TagSource::Firmware)));
    }

    #[test]
    fn a_refused_text_is_remembered_and_the_next_source_is_asked() {
        let claim = claim(Some("--"), "", Some("FW-3"));
        assert_eq!(chosen(&claim), Some(("FW-3", TagSource::Firmware)));
        let refused = Refused { source: TagSource::Configuration, reason: TagRefusal::NoLetterOrDigit };
        assert_eq!(claim.refused, [refused]);
    }

    #[test]
    fn nothing_anywhere_claims_nothing_and_is_no_problem() {
        assert_eq!(claim(None, "", Some("  ")), Claim::default());
    }
}
