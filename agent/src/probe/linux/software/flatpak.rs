//! Flatpak: the system-wide installation. People's own installations lie in their homes, which are private.

use super::{Title, Titles};
use crate::probe::Failure;
use crate::root::{ReadError, Root};

const INSTALLATION: &str = "/var/lib/flatpak";
const ENTRIES_MAX: usize = 4096;
const METAINFO_BYTES_MAX: u64 = 512 * 1024;

/// Adds the deployed applications and runtimes.
pub(super) fn collect(root: &Root, titles: &mut Titles) -> Result<(), Failure> {
    for kind in ["app", "runtime"] {
        let folder = format!("{INSTALLATION}/{kind}");
        let ids = match root.list_dir(&folder, ENTRIES_MAX) {
            Ok(listing) => listing.names,
            Err(ReadError::Absent) => continue,
            Err(error) => return Err(Failure::reading(&folder, "flatpak applications", &error)),
        };
        titles.databases += 1;
        for id in ids.iter().filter(|it| !is_part(it)) {
            collect_branches(root, &format!("{folder}/{id}"), id, titles);
        }
    }
    Ok(())
}

/// Translations and debugging symbols come and go with what they belong to.
fn is_part(id: &str) -> bool {
    id.ends_with(".Locale") || id.ends_with(".Debug") || id.ends_with(".Sources")
}

/// `ID/ARCHITECTURE/BRANCH/active`; beside the architectures lies the link `current`.
fn collect_branches(root: &Root, folder: &str, id: &str, titles: &mut Titles) {
    let list = |path: &str| root.list_dir(path, ENTRIES_MAX).unwrap_or_default().names;
    for architecture in list(folder).iter().filter(|it| *it != "current") {
        for branch in list(&format!("{folder}/{architecture}")) {
            let active = format!("{folder}/{architecture}/{branch}/active");
            if !root.exists(&active) {
                continue;
            }
            let about = metainfo(root, &active, id).map(|it| About::parse(&it)).unwrap_or_default();
            titles.push(Title {
                source: "flatpak",
                id: id.to_owned(),
                name: about.name,
                version: if about.version.is_empty() { branch } else { about.version },
                publisher: about.publisher,
                architecture: architecture.clone(),
            });
        }
    }
}

fn metainfo(root: &Root, active: &str, id: &str) -> Option<String> {
    const PLACES: [&str; 2] = ["files/share", "export/share"];
    const NAMES: [(&str, &str); 2] = [("metainfo", "metainfo"), ("appdata", "appdata")];
    PLACES.iter().flat_map(|place| NAMES.iter().map(move |name| (place, name))).find_map(
        |(place, (dir, end))| {
            root.read_text(&format!("{active}/{place}/{dir}/{id}.{end}.xml"), METAINFO_BYTES_MAX).ok()
        },
    )
}

/// What `AppStream` metadata say: a scan for four elements, not an XML parser, as everything else in these
/// files is of no interest.
#[derive(Debug, Default, PartialEq, Eq)]
struct About {
    name: String,
    version: String,
    publisher: String,
}

impl About {
    fn parse(xml: &str) -> Self {
        let releases = xml.split_once("<release ").map_or("", |it| it.1);
        let release = releases.split('>').next().unwrap_or_default();
        let developer = xml.split_once("<developer").map_or("", |it| it.1);
        let developer = developer.split("</developer>").next().unwrap_or_default();
        Self {
            // The project's own name stands before the developer's.
            name: element(xml, "name"),
            version: attribute(release, "version"),
            publisher: match element(xml, "developer_name") {
                name if name.is_empty() => element(developer, "name"),
                name => name,
            },
        }
    }
}

/// The text of the first element of that name without attributes: translations have `xml:lang`.
fn element(xml: &str, name: &str) -> String {
    let open = format!("<{name}>");
    let text = xml.split_once(&open).map_or("", |it| it.1);
    plain(text.split('<').next().unwrap_or_default())
}

fn attribute(tag: &str, name: &str) -> String {
    let parts = ['"', '\''].map(|quote| {
        let value = tag.split_once(&format!("{name}={quote}"))?.1;
        value.split(quote).next()
    });
    plain(parts.into_iter().flatten().next().unwrap_or_default())
}

/// Undoes the five entities of XML.
fn plain(text: &str) -> String {
    let text = text.trim();
    if !text.contains('&') {
        return text.to_owned();
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const METAINFO: &str = r#"<?xml version="1.0"?>
<component type="desktop"><id>org.example.Editor</id>
<name xml:lang="fr">Éditeur</name><name>Editor &amp; More</name>
<developer id="org.example"><name>Example Project</name></developer>
<releases><release date="2024-05-01" version="4.2.1"><description/></release>
<release version="4.1"/></releases></component>"#;

    #[test]
    fn name_version_and_publisher_are_found() {
        let about = About::parse(METAINFO);
        assert_eq!(about.name, "Editor & More");
        assert_eq!(about.version, "4.2.1");
        assert_eq!(about.publisher, "Example Project");
        assert_eq!(About::parse("<developer_name>Jane</developer_name>").publisher, "Jane");
    }

    #[test]
    fn deployed_branches_are_listed_and_parts_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join("var/lib/flatpak").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "app/org.example.Editor/x86_64/stable/active/files/share/metainfo/org.example.Editor.metainfo.xml",
            METAINFO,
        );
        write("app/org.example.Editor/current", "");
        write("runtime/org.example.Platform/x86_64/23.08/active/metadata", "");
        write("runtime/org.example.Platform.Locale/x86_64/23.08/active/metadata", "");
        let mut titles = Titles::default();
        collect(&Root::captured(dir.path().to_owned()), &mut titles).unwrap();
        let found: Vec<_> = titles.found.iter().map(|it| (it.id.as_str(), it.version.as_str())).collect();
        assert_eq!(found, [("org.example.Editor", "4.2.1"), ("org.example.Platform", "23.08")]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_scan_panic(text in "(<release |version=|<name>|<developer|[\"'<>&;]|\\PC)*") {
            About::parse(&text);
        }
    }
}
