//! Names of files: whatever a sender wrote becomes one harmless line.

use unicode_normalization::UnicodeNormalization;

use crate::kernel::text::is_control_or_format;

/// Characters of a name, its extension included: fits every file system people download to.
const NAME_CHARS_MAX: usize = 120;
/// Characters of an extension that is kept when a name is cut.
const EXTENSION_CHARS_MAX: usize = 10;
/// What file systems or shells take for something else.
const FORBIDDEN: &str = "<>:\"|?*;%";
/// Names that Windows gives to its ports.
const PORTS: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];
/// The name of what came without one.
const NAMELESS: &str = "file";

/// The last part of a path, without control, bidi and reserved characters, at most 120 characters.
pub fn file_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .nfc()
        .filter(|it| !is_control_or_format(*it))
        .map(|it| if FORBIDDEN.contains(it) { '_' } else { it })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = cut(clean.trim_matches(|it| it == '.' || it == ' '));
    let stem = clean.split('.').next().unwrap_or_default().to_lowercase();
    if PORTS.contains(&stem.as_str()) {
        return format!("_{clean}");
    }
    if clean.is_empty() { NAMELESS.into() } else { clean }
}

/// Cuts the middle out, so that the extension stays.
fn cut(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let extension =
        name.rsplit_once('.').map(|it| it.1).filter(|it| it.chars().count() <= EXTENSION_CHARS_MAX);
    let extension = extension.map(|it| format!(".{it}")).unwrap_or_default();
    let stem: String = name.chars().take(NAME_CHARS_MAX - extension.chars().count()).collect();
    format!("{}{extension}", stem.trim_end())
}

/// The extension in lower case, empty without one.
pub(super) fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|it| it.1.to_ascii_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_harmless_line() {
        for (sent, kept) in [
            ("C:\\Users\\léa\\capture d\u{2019}écran.png", "capture d\u{2019}écran.png"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie_ x.png"),
            ("facture\u{202E}fdp.exe", "facturefdp.exe"),
            ("  . ", "file"),
            ("", "file"),
            ("nul.txt", "_nul.txt"),
            ("e\u{301}cran.png", "écran.png"),
        ] {
            assert_eq!(file_name(sent), kept, "{sent:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let kept = file_name(&format!("{}.docx", "é".repeat(400)));
        assert_eq!(kept.chars().count(), NAME_CHARS_MAX);
        assert_eq!(extension(&kept), "docx");
    }
}
