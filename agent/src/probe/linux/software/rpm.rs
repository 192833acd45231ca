//! rpm: its database in the SQLite form (Fedora, Red Hat 9 and later) and the ndb form (SUSE), without rpm
//! itself.
//!
//! The oldest form (Berkeley DB, Red Hat 8 and before) is reported as a problem.

mod header;
mod ndb;
mod sqlite;

use parc_wire::v1::ProblemKind;

use super::super::Probed;
use super::Titles;
use crate::probe::Failure;
use crate::root::Root;
use sqlite::SqliteError;

const FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const SQLITE: &str = "rpmdb.sqlite";
const NDB: &str = "Packages.db";
const BERKELEY_DB: &str = "Packages";

/// Adds what rpm has installed. Not this machine's package manager: adds nothing.
pub(super) fn collect(root: &Root, titles: &mut Titles, probed: &mut Probed) -> Result<(), Failure> {
    for folder in FOLDERS {
        let path = format!("{folder}/{SQLITE}");
        if root.exists(&path) {
            titles.databases += 1;
            return read_sqlite(root, &path, titles);
        }
        let path = format!("{folder}/{NDB}");
        if root.exists(&path) {
            titles.databases += 1;
            return read_ndb(root, &path, titles);
        }
        let path = format!("{folder}/{BERKELEY_DB}");
        if root.exists(&path) {
            titles.databases += 1;
            let reason =
                "The rpm database has the Berkeley DB form, which is not read: rpm packages are missing.";
            probed.problem(Failure::new(ProblemKind::Unreadable, &path, reason));
            return Ok(());
        }
    }
    Ok(())
}

fn read_ndb(root: &Root, path: &str, titles: &mut Titles) -> Result<(), Failure> {
    let file = root.open(path, u64::MAX).map_err(|it| Failure::reading(path, "packages", &it))?;
    // Headers are read from where slots point to: the limits are those of the reader.
    ndb::read(&mut file.into_inner(), titles).map_err(|error| {
        let reason = format!("Packages cannot be known because the rpm database cannot be read: {error}.");
        Failure::new(ProblemKind::Unreadable, path, reason)
    })
}

fn read_sqlite(root: &Root, path: &str, titles: &mut Titles) -> Result<(), Failure> {
    sqlite::read(root, path, titles).map_err(|error| match error {
        SqliteError::Open(error) => Failure::reading(path, "packages", &error),
        error => {
            let reason =
                format!("Packages cannot be known because the rpm database cannot be read: {error}.");
            Failure::new(ProblemKind::Unreadable, path, reason)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::header::testing::header;
    use super::*;

    fn read(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
        let mut titles = Titles::default();
        collect(&Root::captured(dir.to_owned()), &mut titles, &mut Probed::default())?;
        Ok(titles.found.into_iter().map(|it| (it.id, it.version)).collect())
    }

    #[test]
    fn a_file_that_is_no_database_fails_the_section() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("var/lib/rpm")).unwrap();
        let text = "not a database, but long enough to be looked at as one. ".repeat(40);
        fs::write(dir.path().join("var/lib/rpm/rpmdb.sqlite"), text).unwrap();
        let failure = read(dir.path()).unwrap_err();
        let (_, problems) = {
            let mut probed = Probed::default();
            probed.problem(failure);
            probed.finish(parc_wire::v1::SectionKind::Software)
        };
        assert!(problems[0].reason.contains("no SQLite database of a known form"), "{problems:?}");
    }

    #[test]
    fn the_form_of_suse_is_read_too() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("usr/lib/sysimage/rpm")).unwrap();
        let bytes = super::ndb::testing::database(&[header("zypper", "1.14", "1", None)]);
        fs::write(dir.path().join("usr/lib/sysimage/rpm/Packages.db"), bytes).unwrap();
        assert_eq!(read(dir.path()).unwrap(), [("zypper".to_owned(), "1.14-1".to_owned())]);
    }

    #[test]
    fn the_form_that_is_not_read_is_a_problem() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("var/lib/rpm")).unwrap();
        fs::write(dir.path().join("var/lib/rpm/Packages"), "x").unwrap();
        let (mut titles, mut probed) = (Titles::default(), Probed::default());
        collect(&Root::captured(dir.path().to_owned()), &mut titles, &mut probed).unwrap();
        let (_, problems) = probed.finish(parc_wire::v1::SectionKind::Software);
        assert_eq!(problems[0].kind(), ProblemKind::Unreadable);
        assert!(problems[0].reason.contains("Berkeley DB"));
    }
}
