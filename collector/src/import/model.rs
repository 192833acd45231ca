//! Types of the slice.

use std::fmt;

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};

/// Bytes of a file.
pub const IMPORT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Lines of a file: all of them are written in one transaction.
pub const IMPORT_ROWS_MAX: usize = 10_000;
/// Problems that are named; more are counted.
const PROBLEMS_MAX: usize = 500;

/// What a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[clap(rename_all = "snake_case")]
pub enum Kind {
    /// Client organisations.
    Organisations,
    /// Their sites.
    Sites,
    /// People who may contact support, and staff.
    Persons,
    /// Machines with their stickers.
    Machines,
}

impl Kind {
    /// Every kind, in the order in which one needs the other.
    pub const ALL: [Self; 4] = [Self::Organisations, Self::Sites, Self::Persons, Self::Machines];

    /// Word in addresses, on the command line and in text keys.
    pub fn code(self) -> &'static str {
        match self {
            Self::Organisations => "organisations",
            Self::Sites => "sites",
            Self::Persons => "persons",
            Self::Machines => "machines",
        }
    }

    /// From that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Columns: name, whether it must be there, and what French lists call it.
    pub(super) fn columns(self) -> &'static [Column] {
        const fn column(name: &'static str, needed: bool, french: &'static str) -> Column {
            Column { name, needed, french }
        }
        match self {
            Self::Organisations => {
                const {
                    &[
                        column("code", true, "code"),
                        column("name", true, "nom"),
                        column("time_zone", false, "fuseau"),
                    ]
                }
            }
            Self::Sites => {
                const {
                    &[
                        column("organisation", true, "organisation"),
                        column("name", true, "nom"),
                        column("address", false, "adresse"),
                        column("main", false, "principal"),
                    ]
                }
            }
            Self::Persons => {
                const {
                    &[
                        column("organisation", false, "organisation"),
                        column("email", true, "mail|adresse_mail|e_mail|courriel"),
                        column("name", true, "nom"),
                        column("phone", false, "telephone"),
                        column("language", false, "langue"),
                        column("site", false, "site"),
                        column("roles", false, "roles"),
                        column("login", false, "identifiant"),
                    ]
                }
            }
            Self::Machines => {
                const {
                    &[
                        column("organisation", true, "organisation"),
                        column("tag", true, "numero|inventaire|numero_inventaire|n"),
                        column("site", false, "site"),
                        column("location", false, "emplacement"),
                        column("person", false, "personne"),
                        column("make", false, "marque"),
                        column("model", false, "modele"),
                        column("serial", false, "serie"),
                        column("purchased_on", false, "achete|date_achat"),
                        column("warranty_until", false, "garantie|garantie_jusqu_au|fin_garantie"),
                        column("supplier", false, "fournisseur"),
                    ]
                }
            }
        }
    }

    /// The first line of such a list, to begin with.
    pub fn heading(self) -> String {
        self.columns().iter().map(|it| it.name).collect::<Vec<_>>().join(";")
    }
}

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) needed: bool,
    /// Folded words French lists use, separated by bars.
    pub(super) french: &'static str,
}

impl Column {
    /// Whether a folded heading names it.
    pub(super) fn is_named(self, key: &str) -> bool {
        self.name == key || self.french.split('|').any(|it| it == key)
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The column itself is not in the file.
    ColumnMissing,
    /// The file has a column that means nothing.
    ColumnUnknown,
    /// More or fewer values than columns.
    Cells,
    /// Needed and empty.
    Empty,
    /// Not what it should look like, or too long.
    Malformed,
    /// Names something that is not there.
    Unknown,
    /// Somebody or something else has it.
    Taken,
    /// Twice in this file.
    Twice,
}

impl Reason {
    /// Text key of pages.
    pub fn code(self) -> &'static str {
        match self {
            Self::ColumnMissing => "column-missing",
            Self::ColumnUnknown => "column-unknown",
            Self::Cells => "cells",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Taken => "taken",
            Self::Twice => "twice",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::ColumnMissing => "is not in the file",
            Self::ColumnUnknown => "is not a column of such a list",
            Self::Cells => "the line has more or fewer values than the first one",
            Self::Empty => "must not be empty",
            Self::Malformed => "is not valid",
            Self::Unknown => "names nothing that is known",
            Self::Taken => "belongs to something else",
            Self::Twice => "is in this file twice",
        }
    }
}

/// A value that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file; the first one is 1.
    pub line: usize,
    /// Name of the column, empty when it is the whole line.
    pub column: String,
    /// The value as it stands there, at most 80 characters.
    pub value: String,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", {}", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, " {:?}", self.value)?;
        }
        write!(f, " {}", self.reason.words())
    }
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Lines besides the first.
    pub rows: usize,
    /// Lines that make something new.
    pub made: usize,
    /// Lines whose thing is there already.
    pub known: usize,
    /// Values that stand in the way, at most 500.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: usize,
    /// The database was changed.
    pub kept: bool,
}

impl Outcome {
    pub(super) fn add(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            if self.problems.len() < PROBLEMS_MAX {
                self.problems.push(problem);
            } else {
                self.more_problems += 1;
            }
        }
    }
}

/// Why a file was not even looked at line by line.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Only administrators of everything import.
    #[error("importing is not permitted")]
    Forbidden,
    /// More than [`IMPORT_BYTES_MAX`] or [`IMPORT_ROWS_MAX`].
    #[error("the file must have at most {IMPORT_BYTES_MAX} bytes and {IMPORT_ROWS_MAX} lines")]
    TooLarge,
    /// No list of values.
    #[error("the file is not a readable CSV list")]
    Unreadable,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for ImportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden => ErrorKind::Forbidden,
            Self::TooLarge | Self::Unreadable => ErrorKind::Invalid,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::TooLarge => "too-large",
            Self::Unreadable => "malformed",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::TooLarge | Self::Unreadable => Some("file"),
            Self::Forbidden | Self::Store(_) => None,
        }
    }
}
