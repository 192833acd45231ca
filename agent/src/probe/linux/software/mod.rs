//! Installed software, from the package databases themselves.
//!
//! A database that is not there is simply not this machine's. One that is there and cannot be read fails
//! the whole section: a list that lacks a thousand titles would look like a thousand removals.

mod dpkg;
mod flatpak;
mod rpm;
mod snap;

use std::collections::BTreeMap;

use parc_wire::limits::SOFTWARE_ITEMS_MAX;
use parc_wire::v1::{ProblemKind, SoftwareItem};

use super::{Failure, Probed};
use crate::root::Root;

/// One installed title as its database names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Title {
    source: &'static str,
    /// What tells it from others of its source; the package name, mostly also the displayed name.
    id: String,
    name: String,
    version: String,
    publisher: String,
    architecture: String,
}

/// Titles in the making. No more are kept than the wire carries; the rest is counted. What a database may
/// cost is bounded by the bytes each reader takes.
#[derive(Debug, Default)]
struct Titles {
    found: Vec<Title>,
    left_out: usize,
    databases: usize,
}

impl Titles {
    fn push(&mut self, title: Title) {
        if title.id.is_empty() {
            return;
        }
        if self.found.len() < SOFTWARE_ITEMS_MAX {
            self.found.push(title);
        } else {
            self.left_out += 1;
        }
    }

    fn extend(&mut self, titles: impl IntoIterator<Item = Title>) {
        titles.into_iter().for_each(|it| self.push(it));
    }
}

/// Reads the SOFTWARE section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let mut probed = Probed::default();
    let mut titles = Titles::default();
    dpkg::collect(root, &mut titles)?;
    rpm::collect(root, &mut titles, &mut probed)?;
    flatpak::collect(root, &mut titles)?;
    snap::collect(root, &mut titles)?;
    if titles.databases == 0 {
        let reason =
            "No dpkg, rpm, flatpak or snap database was found, so installed software cannot be known.";
        return Err(Failure::new(ProblemKind::Absent, "/var/lib", reason));
    }
    put_all(&mut probed, titles.found);
    probed.leave_out(titles.left_out);
    Ok(probed)
}

/// Keys are `source:id:architecture`; where several versions are installed side by side each has its
/// version behind it.
fn put_all(probed: &mut Probed, titles: Vec<Title>) {
    let key = |it: &Title| format!("{}:{}:{}", it.source, it.id, it.architecture);
    let mut times = BTreeMap::<String, usize>::new();
    for title in &titles {
        *times.entry(key(title)).or_default() += 1;
    }
    for title in titles {
        let mut key = key(&title);
        if times.get(&key).is_some_and(|it| *it > 1) {
            key = format!("{key}:{}", title.version);
        }
        let item = SoftwareItem {
            name: probed.text(if title.name.is_empty() { &title.id } else { &title.name }),
            version: probed.version(&title.version),
            publisher: probed.text(&title.publisher),
            architecture: probed.text(&title.architecture),
            source: title.source.into(),
        };
        probed.put(&key, &item);
    }
}

/// A maintainer's or packager's name without the address behind it.
fn without_address(text: &str) -> &str {
    let name = text.split('<').next().unwrap_or_default().trim().trim_matches('"');
    if name.contains('@') { "" } else { name.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_side_by_side_have_a_key_each() {
        let title = |id: &str, version: &str| Title {
            source: "rpm",
            id: id.into(),
            version: version.into(),
            architecture: "x86_64".into(),
            ..Title::default()
        };
        let mut probed = Probed::default();
        put_all(&mut probed, vec![title("kernel", "6.1"), title("bash", "5.2"), title("kernel", "6.2")]);
        let (items, problems) = probed.finish(parc_wire::v1::SectionKind::Software);
        let keys: Vec<_> = items.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["rpm:bash:x86_64", "rpm:kernel:x86_64:6.1", "rpm:kernel:x86_64:6.2"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn a_publisher_has_no_mail_address() {
        assert_eq!(
            without_address("Debian Bash Maintainers <bash@packages.example>"),
            "Debian Bash Maintainers"
        );
        assert_eq!(without_address("\"Jane, Doe\" <jane@example.org>"), "Jane, Doe");
        assert_eq!(without_address("jane@example.org"), "");
        assert_eq!(without_address("Red Hat, Inc."), "Red Hat, Inc.");
    }
}
