//! rpm: its database in the SQLite form (Fedora, Red Hat 9 and later) and the ndb form (SUSE), without rpm
//! itself.
//!
//! The database is opened read-only. A database in write-ahead mode then needs a folder that may be written
//! (for its shared memory); where it may not, the file is read as it lies on disk, which can miss a change
//! of the last seconds, and a problem says so. A captured tree is never written: its database is always read
//! as it lies there, and SQLite, which knows nothing of the root, opens no file beside it.
//!
//! The oldest form (Berkeley DB, Red Hat 8 and before) is reported as a problem.

mod header;
mod ndb;

use std::path::Path;

use parc_wire::v1::ProblemKind;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::Probed;
use super::Titles;
use crate::probe::Failure;
use crate::root::Root;

const FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const SQLITE: &str = "rpmdb.sqlite";
const NDB: &str = "Packages.db";
const BERKELEY_DB: &str = "Packages";
/// A kernel with its file list takes 2 MiB.
const HEADER_BYTES_MAX: i64 = 16 * 1024 * 1024;
/// Pages SQLite may keep, KiB: the table is read once, front to back.
const CACHE_KIB: i64 = 256;

/// Adds what rpm has installed. Not this machine's package manager: adds nothing.
pub(super) fn collect(root: &Root, titles: &mut Titles, probed: &mut Probed) -> Result<(), Failure> {
    for folder in FOLDERS {
        let path = format!("{folder}/{SQLITE}");
        if root.exists(&path) {
            titles.databases += 1;
            return read_database(root, &path, titles, probed);
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

fn read_database(root: &Root, inner: &str, titles: &mut Titles, probed: &mut Probed) -> Result<(), Failure> {
    let unreadable = |error: rusqlite::Error| {
        let reason = format!("Packages cannot be known because the rpm database cannot be read: {error}.");
        Failure::new(ProblemKind::Unreadable, inner, reason)
    };
    let path = root.path(inner);
    let has_log = if root.is_live() {
        let before = (titles.found.len(), titles.left_out);
        match read_all(&path, "mode=ro", titles) {
            Ok(()) => return Ok(()),
            Err(error) if !is_about_the_folder(&error) => return Err(unreadable(error)),
            Err(_) => {
                titles.found.truncate(before.0);
                titles.left_out = before.1;
            }
        }
        true
    } else {
        root.metadata(&format!("{inner}-wal")).is_ok_and(|it| it.len() > 0)
    };
    read_all(&path, "immutable=1", titles).map_err(unreadable)?;
    if has_log {
        let reason = "The rpm database was read without its log, so the latest change may be missing.";
        probed.problem(Failure::new(ProblemKind::Unreadable, inner, reason));
    }
    Ok(())
}

/// Whether only the shared memory beside the database could not be made. Anything else (a writer at work,
/// a damaged file) would be no better without the log.
fn is_about_the_folder(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

fn read_all(path: &Path, mode: &str, titles: &mut Titles) -> rusqlite::Result<()> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path, mode), flags)?;
    connection.execute_batch(&format!("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -{CACHE_KIB}"))?;
    // A view of that name would be somebody else's program.
    let is_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'Packages'";
    if connection.query_row(is_table, (), |row| row.get::<_, i64>(0))? == 0 {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    let mut query = connection.prepare("SELECT blob FROM Packages WHERE length(blob) <= ?1")?;
    let mut rows = query.query([HEADER_BYTES_MAX])?;
    while let Some(row) = rows.next()? {
        if let Ok(blob) = row.get_ref(0)?.as_blob()
            && let Some(title) = header::parse(blob)
        {
            titles.push(title);
        }
    }
    Ok(())
}

/// `file:` URI of a path; everything SQLite would understand as part of the URI is escaped.
fn uri(path: &Path, mode: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/.-_".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let digits = [byte >> 4, byte & 0xF].map(|it| char::from(HEX[usize::from(it)]));
            uri.push('%');
            uri.extend(digits);
        }
    }
    uri + "?" + mode
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::header::testing::header;
    use super::*;

    fn database(dir: &Path) -> std::path::PathBuf {
        let folder = dir.join("var/lib/rpm");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(SQLITE);
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = DELETE; CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
            .unwrap();
        for blob in [
            header("bash", "5.2.26", "3.fc40", None),
            header("kernel", "6.8.5", "301.fc40", Some(1)),
            vec![1, 2, 3],
        ] {
            connection.execute("INSERT INTO Packages (blob) VALUES (?1)", [blob]).unwrap();
        }
        path
    }

    fn read(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
        let mut titles = Titles::default();
        collect(&Root::captured(dir.to_owned()), &mut titles, &mut Probed::default())?;
        Ok(titles.found.into_iter().map(|it| (it.id, it.version)).collect())
    }

    #[test]
    fn packages_are_read_and_a_damaged_header_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        database(dir.path());
        let expected = [("bash", "5.2.26-3.fc40"), ("kernel", "1:6.8.5-301.fc40")];
        assert_eq!(
            read(dir.path()).unwrap(),
            expected.map(|(id, version)| (id.to_owned(), version.to_owned()))
        );
    }

    #[test]
    fn a_file_that_is_no_database_fails_the_section() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(database(dir.path()), "not a database, but long enough to be looked at as one").unwrap();
        assert!(read(dir.path()).is_err());
    }

    #[test]
    fn a_view_in_the_place_of_the_table_is_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(database(dir.path())).unwrap();
        connection
            .execute_batch("DROP TABLE Packages; CREATE VIEW Packages AS SELECT zeroblob(9) AS blob")
            .unwrap();
        assert!(read(dir.path()).is_err());
    }

    #[test]
    fn what_still_lies_in_the_log_of_a_live_database_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = database(dir.path());
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
        writer.execute("INSERT INTO Packages (blob) VALUES (?1)", [header("vim", "9.1", "1", None)]).unwrap();
        let count = |mode: &str| {
            let mut titles = Titles::default();
            read_all(&path, mode, &mut titles).unwrap();
            titles.found.len()
        };
        assert_eq!((count("mode=ro"), count("immutable=1")), (3, 2));
    }

    #[test]
    fn a_captured_log_is_not_opened_but_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(database(dir.path()).with_file_name("rpmdb.sqlite-wal"), "not a log").unwrap();
        let (mut titles, mut probed) = (Titles::default(), Probed::default());
        collect(&Root::captured(dir.path().to_owned()), &mut titles, &mut probed).unwrap();
        let (_, problems) = probed.finish(parc_wire::v1::SectionKind::Software);
        assert_eq!(titles.found.len(), 2);
        assert!(problems[0].reason.contains("without its log"), "{problems:?}");
        assert_eq!(fs::read_dir(dir.path().join("var/lib/rpm")).unwrap().count(), 2);
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

    #[test]
    fn a_path_is_escaped_in_the_uri() {
        assert_eq!(uri(Path::new("/a b/c?d#e%"), "mode=ro"), "file:/a%20b/c%3Fd%23e%25?mode=ro");
    }
}
