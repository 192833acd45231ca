//! Snap: the current revision of every snap. Version and architecture stand in the mounted snap; when it is
//! not mounted (a captured tree), the revision takes the place of the version: `r1265`.

use super::{Title, Titles};
use crate::probe::Failure;
use crate::root::{ReadError, Root};

const DATABASE: &str = "/var/lib/snapd/snaps";
/// Where distributions mount snaps.
const MOUNTS: [&str; 2] = ["/snap", "/var/lib/snapd/snap"];
const SNAPS_MAX: usize = 4096;
const YAML_BYTES_MAX: u64 = 256 * 1024;

/// Adds the installed snaps.
pub(super) fn collect(root: &Root, titles: &mut Titles) -> Result<(), Failure> {
    let files = match root.list_dir(DATABASE, SNAPS_MAX) {
        Ok(listing) => listing.names,
        Err(ReadError::Absent) => return Ok(()),
        Err(error) => return Err(Failure::reading(DATABASE, "snaps", &error)),
    };
    titles.databases += 1;
    for (name, revision) in files.iter().filter_map(|it| split(it)) {
        // Older revisions are kept for going back; the link tells the one in use.
        let current = MOUNTS.iter().find_map(|it| root.link(&format!("{it}/{name}/current")));
        if current.is_some_and(|it| it.rsplit('/').next() != Some(revision)) {
            continue;
        }
        let yaml = MOUNTS.iter().find_map(|it| {
            root.read_text(&format!("{it}/{name}/{revision}/meta/snap.yaml"), YAML_BYTES_MAX).ok()
        });
        let yaml = yaml.unwrap_or_default();
        titles.push(Title {
            source: "snap",
            id: name.to_owned(),
            version: scalar(&yaml, "version").unwrap_or_else(|| format!("r{revision}")),
            architecture: architecture(&yaml).unwrap_or_default(),
            ..Title::default()
        });
    }
    Ok(())
}

/// `NAME_REVISION.snap`.
fn split(file: &str) -> Option<(&str, &str)> {
    let (name, revision) = file.strip_suffix(".snap")?.rsplit_once('_')?;
    (!name.is_empty() && !revision.is_empty()).then_some((name, revision))
}

/// A plain or quoted value of a top-level key.
fn scalar(yaml: &str, key: &str) -> Option<String> {
    let value = yaml.lines().find_map(|it| it.strip_prefix(key)?.strip_prefix(':'))?;
    let value = unquoted(value);
    (!value.is_empty()).then(|| value.to_owned())
}

/// The first of a list, written on one line or one entry per line.
fn architecture(yaml: &str) -> Option<String> {
    let mut lines = yaml.lines().skip_while(|it| !it.starts_with("architectures:"));
    let inline = unquoted(lines.next()?.strip_prefix("architectures:")?);
    let first = if inline.is_empty() {
        lines.next()?.trim().strip_prefix('-')?
    } else {
        inline.trim_matches(['[', ']']).split(',').next()?
    };
    let first = unquoted(first);
    (!first.is_empty()).then(|| first.to_owned())
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'']).trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn file_names_hold_name_and_revision() {
        assert_eq!(split("kde-frameworks-5_32.snap"), Some(("kde-frameworks-5", "32")));
        assert_eq!(split("local_x1.snap"), Some(("local", "x1")));
        assert_eq!(split("partial"), None);
        assert_eq!(split("_1.snap"), None);
    }

    #[test]
    fn version_and_architecture_are_read_in_both_spellings() {
        let block = "name: x\nversion: '2.42'\narchitectures:\n- amd64\n- arm64\n";
        assert_eq!(scalar(block, "version").as_deref(), Some("2.42"));
        assert_eq!(architecture(block).as_deref(), Some("amd64"));
        assert_eq!(architecture("architectures: [\"arm64\", all]\n").as_deref(), Some("arm64"));
        assert_eq!(architecture("name: x\n"), None);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_revision_in_use_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("var/lib/snapd/snaps/core18_1264.snap", "");
        write("var/lib/snapd/snaps/core18_1265.snap", "");
        write("var/lib/snapd/snaps/other_7.snap", "");
        write("snap/core18/1265/meta/snap.yaml", "name: core18\nversion: 20191030\n");
        std::os::unix::fs::symlink("1265", dir.path().join("snap/core18/current")).unwrap();
        let mut titles = Titles::default();
        collect(&Root::captured(dir.path().to_owned()), &mut titles).unwrap();
        let found: Vec<_> = titles.found.iter().map(|it| (it.id.as_str(), it.version.as_str())).collect();
        assert_eq!(found, [("core18", "20191030"), ("other", "r7")]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_scan_panic(text in "(version:|architectures:|[-\\[\\]'\",]|\n|\\PC)*") {
            scalar(&text, "version");
            architecture(&text);
        }
    }
}
