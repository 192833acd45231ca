//! The reader against databases that SQLite itself wrote.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use super::super::header::testing::header;
use super::*;

const FILE: &str = "/rpmdb.sqlite";

fn create(dir: &Path, first: &str) -> Connection {
    let connection = Connection::open(dir.join("rpmdb.sqlite")).unwrap();
    connection.execute_batch(first).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE Name (key TEXT NOT NULL, hnum INTEGER); CREATE INDEX by_name ON Name (key);
             CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)",
        )
        .unwrap();
    connection
}

fn insert(connection: &Connection, blob: &[u8]) {
    connection.execute("INSERT INTO Packages (blob) VALUES (?1)", [blob]).unwrap();
}

/// A package whose header has `bytes` more behind what is read of it, as file lists are.
fn package(name: &str, bytes: usize) -> Vec<u8> {
    let mut blob = header(name, "1.0", "1", None);
    let store = u32::from_be_bytes(blob[4..8].try_into().unwrap()) + u32::try_from(bytes).unwrap();
    blob[4..8].copy_from_slice(&store.to_be_bytes());
    blob.resize(blob.len() + bytes, b'f');
    blob
}

fn names(dir: &Path) -> Result<Vec<String>, SqliteError> {
    let mut titles = Titles::default();
    read(&Root::captured(dir.to_owned()), FILE, &mut titles)?;
    Ok(titles.found.into_iter().map(|it| it.id).collect())
}

#[test]
fn packages_are_read_and_a_damaged_header_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let connection = create(dir.path(), "");
    for blob in [
        header("bash", "5.2.26", "3.fc40", None),
        vec![1, 2, 3],
        header("kernel", "6.8.5", "301.fc40", Some(1)),
    ] {
        insert(&connection, &blob);
    }
    connection.execute("INSERT INTO Packages (blob) VALUES ('a text')", ()).unwrap();
    drop(connection);
    let mut titles = Titles::default();
    read(&Root::captured(dir.path().to_owned()), FILE, &mut titles).unwrap();
    let found: Vec<_> = titles.found.iter().map(|it| (it.id.as_str(), it.version.as_str())).collect();
    assert_eq!(found, [("bash", "5.2.26-3.fc40"), ("kernel", "1:6.8.5-301.fc40")]);
}

#[test]
fn rows_of_every_length_come_back_in_order_for_every_size_of_page() {
    for page_bytes in [512, 1024, 4096, 65_536] {
        let dir = tempfile::tempdir().unwrap();
        let connection = create(dir.path(), &format!("PRAGMA page_size = {page_bytes}"));
        let mut expected = Vec::new();
        connection.execute_batch("BEGIN").unwrap();
        // Lengths around every limit between a leaf and the pages behind it, then enough for a deep tree.
        for (number, bytes) in (0..600).map(|it| it * 7).chain([70_000, 300_000]).enumerate() {
            expected.push(format!("package-{number}"));
            insert(&connection, &package(&expected[number], bytes));
        }
        connection.execute_batch("COMMIT").unwrap();
        drop(connection);
        assert_eq!(names(dir.path()).unwrap(), expected, "pages of {page_bytes} bytes");
    }
}

#[test]
fn a_row_over_the_limit_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let connection = create(dir.path(), "");
    insert(&connection, &package("huge", ROW_BYTES_MAX));
    insert(&connection, &package("small", 10));
    drop(connection);
    assert_eq!(names(dir.path()).unwrap(), ["small"]);
}

#[test]
fn a_view_in_the_place_of_the_table_is_not_run() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path(), "")
        .execute_batch("DROP TABLE Packages; CREATE VIEW Packages AS SELECT zeroblob(9) AS blob")
        .unwrap();
    assert!(matches!(names(dir.path()), Err(SqliteError::NoTable)));
}

#[test]
fn what_still_lies_in_the_log_is_read_once_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let writer = create(dir.path(), "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    insert(&writer, &package("bash", 9_000));
    writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    insert(&writer, &package("vim", 9_000));
    writer.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
    // More than the cache holds goes to the log before its commit.
    insert(&writer, &package("not yet", 500_000));
    assert_eq!(names(dir.path()).unwrap(), ["bash", "vim"]);
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(names(dir.path()).unwrap(), ["bash", "vim", "not yet"]);
}

#[test]
fn a_log_that_is_cut_or_damaged_counts_up_to_its_last_whole_commit() {
    let dir = tempfile::tempdir().unwrap();
    let writer = create(dir.path(), "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    insert(&writer, &package("bash", 10));
    let log = dir.path().join("rpmdb.sqlite-wal");
    let whole = fs::read(&log).unwrap();
    insert(&writer, &package("vim", 10));
    let mut bytes = fs::read(&log).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    for damaged in [&bytes[..last], &bytes[..], &whole[..]] {
        let copy = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join("rpmdb.sqlite"), copy.path().join("rpmdb.sqlite")).unwrap();
        fs::write(copy.path().join("rpmdb.sqlite-wal"), damaged).unwrap();
        assert_eq!(names(copy.path()).unwrap(), ["bash"]);
    }
}

#[test]
fn a_file_of_another_kind_beside_the_database_is_no_log() {
    let dir = tempfile::tempdir().unwrap();
    insert(&create(dir.path(), ""), &package("bash", 10));
    fs::write(dir.path().join("rpmdb.sqlite-wal"), "not a log, and longer than the head of one").unwrap();
    assert_eq!(names(dir.path()).unwrap(), ["bash"]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_change_that_was_never_finished_is_not_read_over() {
    let dir = tempfile::tempdir().unwrap();
    let writer = create(dir.path(), "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1");
    insert(&writer, &package("bash", 10));
    writer.execute_batch("BEGIN").unwrap();
    insert(&writer, &package("half", 500_000));
    // As after a loss of power: the file has half a change, and its journal says how to undo it.
    let copy = tempfile::tempdir().unwrap();
    for name in ["rpmdb.sqlite", "rpmdb.sqlite-journal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    assert!(matches!(names(copy.path()), Err(SqliteError::Busy)));
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(names(dir.path()).unwrap(), ["bash"]);
}

#[test]
fn a_tree_that_leads_back_to_itself_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let connection = create(dir.path(), "PRAGMA page_size = 512");
    (0..100).for_each(|number| insert(&connection, &package(&number.to_string(), 300)));
    let page: u32 = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'Packages'", (), |row| row.get(0))
        .unwrap();
    drop(connection);
    let path = dir.path().join("rpmdb.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let head = (page as usize - 1) * 512;
    assert_eq!(bytes[head], INTERIOR);
    bytes[head + 8..head + 12].copy_from_slice(&page.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    assert!(matches!(names(dir.path()), Err(SqliteError::Damaged(_))));
}

fn small_database() -> &'static [u8] {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let connection = create(dir.path(), "PRAGMA page_size = 512");
        (0..20).for_each(|number| insert(&connection, &package(&number.to_string(), number * 100)));
        drop(connection);
        fs::read(dir.path().join("rpmdb.sqlite")).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_mutation_makes_the_reader_panic_or_find_more(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = small_database().to_vec();
        for (at, value) in places {
            let index = at.index(bytes.len());
            bytes[index] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("rpmdb.sqlite"), bytes).unwrap();
        if let Ok(names) = names(dir.path()) {
            prop_assert!(names.len() <= 21, "{names:?}");
        }
    }
}
