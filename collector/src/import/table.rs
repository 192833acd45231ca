//! From bytes to lines with named values: what spreadsheets write, in French and English. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use super::model::{IMPORT_BYTES_MAX, IMPORT_ROWS_MAX, ImportError, Kind, Problem, Reason};
use crate::kernel::text::search_key;

/// Characters of a value that a problem repeats.
const VALUE_CHARS_SHOWN: usize = 80;

/// A list as read.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    pub(super) problems: Vec<Problem>,
}

/// One line.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) line: usize,
    values: HashMap<&'static str, String>,
}

impl Row {
    /// The value of a column, empty without one.
    pub(super) fn get(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }

    /// What is wrong with a column of this line.
    pub(super) fn problem(&self, column: &str, reason: Reason) -> Problem {
        let value = self.get(column).chars().take(VALUE_CHARS_SHOWN).collect();
        Problem { line: self.line, column: column.to_owned(), value, reason }
    }
}

/// Reads a list. Lines that are wholly empty are passed over.
pub(super) fn read(kind: Kind, bytes: &[u8]) -> Result<Table, ImportError> {
    if bytes.len() > IMPORT_BYTES_MAX {
        return Err(ImportError::TooLarge);
    }
    // With both signs of a line end the reader counts lines from one too few.
    let text = decoded(bytes).replace("\r\n", "\n");
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.matches(';').count() >= first.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let heading = records.next().and_then(Result::ok).ok_or(ImportError::Unreadable)?;
    let mut table = Table::default();
    let columns = columns(kind, &heading, &mut table.problems);
    for record in records {
        let record = record.map_err(|_| ImportError::Unreadable)?;
        if record.iter().all(|it| it.trim().is_empty()) {
            continue;
        }
        if table.rows.len() == IMPORT_ROWS_MAX {
            return Err(ImportError::TooLarge);
        }
        let line = record.position().map_or(0, |it| usize::try_from(it.line()).unwrap_or(usize::MAX));
        if record.len() != columns.len() {
            let (column, value) = (String::new(), String::new());
            table.problems.push(Problem { line, column, value, reason: Reason::Cells });
        }
        let cells = columns.iter().zip(record.iter());
        let values = cells.filter_map(|(name, cell)| name.map(|it| (it, cell.trim().to_owned()))).collect();
        table.rows.push(Row { line, values });
    }
    Ok(table)
}

/// UTF-8, or one byte a letter as old spreadsheets on Windows write it.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| western(byte)).collect()),
    }
}

/// A letter of windows-1252; the few places that differ from Latin-1 hold typographic signs.
fn western(byte: u8) -> char {
    match byte {
        0x80 => '€',
        0x8c => 'Œ',
        0x91 | 0x92 => '\u{2019}',
        0x93 => '“',
        0x94 => '”',
        0x96 => '–',
        0x97 => '—',
        0x9c => 'œ',
        byte => char::from(byte),
    }
}

/// The known column behind each heading; what is missing, unknown or there twice is a problem of the first line.
fn columns(
    kind: Kind,
    heading: &csv::StringRecord,
    problems: &mut Vec<Problem>,
) -> Vec<Option<&'static str>> {
    let mut found: Vec<Option<&'static str>> = Vec::with_capacity(heading.len());
    let mut wrong = |column: &str, reason| {
        problems.push(Problem { line: 1, column: column.to_owned(), value: String::new(), reason });
    };
    for title in heading {
        let key = folded(title);
        let known = kind.columns().iter().find(|it| it.is_named(&key)).map(|it| it.name);
        match known {
            Some(name) if found.contains(&Some(name)) => wrong(title, Reason::Twice),
            None if !key.is_empty() => wrong(title, Reason::ColumnUnknown),
            _ => {}
        }
        found.push(known);
    }
    for column in kind.columns().iter().filter(|it| it.needed && !found.contains(&Some(it.name))) {
        wrong(column.name, Reason::ColumnMissing);
    }
    found
}

/// `N° de série` and `serie` are one: without accents, case, signs and small words.
fn folded(title: &str) -> String {
    let words: String =
        search_key(title).chars().map(|it| if it.is_alphanumeric() { it } else { ' ' }).collect();
    let small = ["n", "no", "de", "d", "du", "l", "la", "le"];
    let kept: Vec<&str> = words.split_whitespace().filter(|it| !small.contains(it)).collect();
    if kept.is_empty() { words.split_whitespace().collect::<Vec<_>>().join("_") } else { kept.join("_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(text: &[u8]) -> Table {
        read(Kind::Sites, text).expect("read")
    }

    #[test]
    fn spreadsheets_of_both_languages_are_read() {
        let french = "\u{feff}Organisation;Nom;Adresse;Principal\r\nDUPONT;Lyon;1, rue Neuve;oui\r\n;;;\r\n";
        let english = "main,address,organisation,name\nyes,\"1, rue Neuve\",DUPONT,Lyon\n";
        let western = b"Organisation;Nom\nDUPONT;Ch\xe2teauroux\n";
        for text in [french.as_bytes(), english.as_bytes()] {
            let table = sites(text);
            assert!(table.problems.is_empty(), "{:?}", table.problems);
            assert_eq!((table.rows.len(), table.rows[0].line), (1, 2));
            assert_eq!((table.rows[0].get("address"), table.rows[0].get("name")), ("1, rue Neuve", "Lyon"));
        }
        assert_eq!(sites(western).rows[0].get("name"), "Châteauroux");
    }

    #[test]
    fn headings_that_are_missing_or_mean_nothing_are_named_together() {
        let table = sites(b"organisation;colour\nX;red;more\n");
        let told: Vec<(usize, &str, Reason)> =
            table.problems.iter().map(|it| (it.line, it.column.as_str(), it.reason)).collect();
        let wanted = [
            (1, "colour", Reason::ColumnUnknown),
            (1, "name", Reason::ColumnMissing),
            (2, "", Reason::Cells),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_heading_is_known_by_its_words() {
        for (title, key) in [
            ("N° de série", "serie"),
            ("Numéro d'inventaire", "numero_inventaire"),
            ("Time zone", "time_zone"),
            ("N°", "n"),
        ] {
            assert_eq!(folded(title), key);
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(matches!(read(Kind::Sites, b""), Err(ImportError::Unreadable)));
        assert!(matches!(read(Kind::Sites, &vec![b'x'; IMPORT_BYTES_MAX + 1]), Err(ImportError::TooLarge)));
        let many = format!("organisation;name\n{}", "A;b\n".repeat(IMPORT_ROWS_MAX + 1));
        assert!(matches!(read(Kind::Sites, many.as_bytes()), Err(ImportError::TooLarge)));
    }
}
