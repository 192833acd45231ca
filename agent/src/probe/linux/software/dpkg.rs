//! dpkg: `/var/lib/dpkg/status`, and `status.d` of images without dpkg itself.

use std::io::{self, BufRead, BufReader, Read};

use parc_wire::v1::ProblemKind;

use super::{Title, Titles, without_address};
use crate::probe::Failure;
use crate::root::{ReadError, Root};

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";
/// 980 packages take 900 KiB; this is room for 70,000.
const STATUS_BYTES_MAX: u64 = 64 * 1024 * 1024;
const STATUS_FILES_MAX: usize = 5_000;
/// The fields read here are short; of longer lines the rest is passed over.
const LINE_BYTES_MAX: u64 = 1024;

/// Adds what dpkg has installed. Not this machine's package manager: adds nothing.
pub(super) fn collect(root: &Root, titles: &mut Titles) -> Result<(), Failure> {
    match root.open(STATUS, STATUS_BYTES_MAX) {
        Ok(file) => {
            titles.databases += 1;
            read_stanzas(BufReader::with_capacity(64 * 1024, file), titles)
                .map_err(|error| Failure::reading(STATUS, "packages", &error.into()))?;
        }
        Err(ReadError::Absent) => {}
        Err(error) => return Err(Failure::reading(STATUS, "packages", &error)),
    }
    let Ok(listing) = root.list_dir(STATUS_FOLDER, STATUS_FILES_MAX) else {
        return Ok(());
    };
    for name in listing.names.iter().filter(|it| !it.ends_with(".md5sums")) {
        let path = format!("{STATUS_FOLDER}/{name}");
        let file =
            root.open(&path, STATUS_BYTES_MAX).map_err(|it| Failure::reading(&path, "packages", &it))?;
        titles.databases = titles.databases.max(1);
        read_stanzas(BufReader::new(file), titles)
            .map_err(|error| Failure::reading(&path, "packages", &error.into()))?;
    }
    if listing.cut {
        let reason = format!("There are more than {STATUS_FILES_MAX} package files.");
        return Err(Failure::new(ProblemKind::Cut, STATUS_FOLDER, reason));
    }
    Ok(())
}

/// Reads stanzas line by line, so that memory does not grow with the file.
fn read_stanzas(mut reader: impl BufRead, titles: &mut Titles) -> io::Result<()> {
    let mut line = Vec::with_capacity(256);
    let mut stanza = Stanza::default();
    while read_line(&mut reader, &mut line)? {
        if line.iter().all(u8::is_ascii_whitespace) {
            titles.extend(std::mem::take(&mut stanza).finish());
        } else {
            stanza.take_line(&line);
        }
    }
    titles.extend(stanza.finish());
    Ok(())
}

/// The beginning of the next line; `false` at the end of the file.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(true);
    }
    reader.skip_until(b'\n')?;
    Ok(true)
}

/// The fields of one package that matter.
#[derive(Debug, Default)]
struct Stanza {
    title: Title,
    not_installed: bool,
}

impl Stanza {
    fn take_line(&mut self, line: &[u8]) {
        // Most lines are dependencies, file lists and descriptions: pass them over by their first letter.
        if !matches!(line.first(), Some(b'P' | b'V' | b'A' | b'M' | b'S')) {
            return;
        }
        let Some(colon) = line.iter().position(|it| *it == b':') else {
            return;
        };
        let (field, value) = line.split_at(colon);
        let value = || String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned();
        match field {
            b"Package" => self.title.id = value(),
            b"Version" => self.title.version = value(),
            b"Architecture" => self.title.architecture = value(),
            b"Maintainer" => without_address(&value()).clone_into(&mut self.title.publisher),
            b"Status" => self.not_installed = !is_installed(&value()),
            _ => {}
        }
    }

    /// A stanza without a status is one of `status.d`, which lists installed packages only.
    fn finish(self) -> Option<Title> {
        let complete = !self.title.id.is_empty() && !self.title.version.is_empty();
        (complete && !self.not_installed).then_some(Title { source: "dpkg", ..self.title })
    }
}

/// dpkg's three words: what is wanted, whether it is damaged, what it is.
fn is_installed(status: &str) -> bool {
    let mut words = status.split_ascii_whitespace();
    let wanted = matches!(words.next(), Some("install" | "hold"));
    let state = words.nth(1);
    wanted && matches!(state, Some("installed" | "triggers-awaited" | "triggers-pending"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Vec<Title> {
        let mut titles = Titles::default();
        read_stanzas(text, &mut titles).unwrap();
        titles.found
    }

    const STATUS: &str = "\
Package: bash
Status: install ok installed
Maintainer: Bash Team <bash@packages.example>
Architecture: amd64
Version: 5.2.15-2+b7
Conffiles:
 /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d
Description: shell
 Package: this line belongs to the description
 .
 More words.

Package: old-tool
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: kept
Status: hold ok installed
Architecture: all
Version: 2:1.0~rc1-1
";

    #[test]
    fn installed_and_held_packages_are_listed_and_removed_ones_are_not() {
        let titles = read(STATUS.as_bytes());
        let names: Vec<_> = titles.iter().map(|it| (it.id.as_str(), it.version.as_str())).collect();
        assert_eq!(names, [("bash", "5.2.15-2+b7"), ("kept", "2:1.0~rc1-1")]);
        assert_eq!((titles[0].publisher.as_str(), titles[0].architecture.as_str()), ("Bash Team", "amd64"));
    }

    #[test]
    fn a_stanza_without_status_is_installed() {
        assert_eq!(read(b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n").len(), 1);
    }

    #[test]
    fn an_endless_line_costs_no_memory_and_hides_nothing() {
        let text = format!(
            "Package: a\nVersion: 1\nStatus: install ok installed\nDepends: {}\n\nPackage: b\nVersion: 2\n",
            "x".repeat(100_000)
        );
        assert_eq!(read(text.as_bytes()).len(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            read(&bytes);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "((Package|Version|Status|Maintainer): ?|install ok installed|<|\"|@|\n|\\PC)*") {
            read(text.as_bytes());
        }
    }
}
