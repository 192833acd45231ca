//! Small pieces many pages are made of.

use std::borrow::Cow;

/// A short mark: a word with a tone; the tone's shape is drawn beside it, so colour is never alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    /// `ok`, `warn`, `danger`, `info` or `quiet`.
    pub tone: &'static str,
    /// Name of an icon.
    pub icon: &'static str,
    /// What it says.
    pub text: String,
    /// The whole sentence, shown when pointed at and read aloud.
    pub hint: String,
}

/// A label and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    /// What it is.
    pub label: String,
    /// The value.
    pub value: String,
}

impl Pair {
    /// A pair.
    pub(crate) fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// One choice of a select, a radio group or a row of filter links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Explained under the label, may be empty.
    pub help: String,
    /// Chosen now.
    pub chosen: bool,
}

impl Choice {
    /// A choice without help.
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Self {
        Self { value: value.into(), label: label.into(), help: String::new(), chosen }
    }
}

/// A filter that holds, and the address without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chip {
    /// `État : nouveau`.
    pub label: String,
    /// The same list without this filter.
    pub remove: String,
}

/// A link that filters, with how many it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tab {
    /// What it shows.
    pub label: String,
    /// How many, when that is known.
    pub count: Option<String>,
    /// Where it leads.
    pub href: String,
    /// Shown now.
    pub current: bool,
}

/// Links under a list that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pager {
    /// Back to the beginning, when this is not it.
    pub first: Option<String>,
    /// The next page, when there is one.
    pub next: Option<String>,
}

impl Pager {
    /// From a list's address without cursor, the cursor asked for and the next one.
    pub(crate) fn of(list: &str, asked: &str, next: Option<&str>) -> Self {
        Self {
            first: (!asked.is_empty()).then(|| list.to_owned()),
            next: next.map(|cursor| super::links::with_query(list, &[("cursor", cursor)])),
        }
    }
}

/// A field at fault, for the summary above a form and the line under the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// Name of the input, which is also its `id`.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: Cow<'static, str>,
}

/// The errors of one form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Adds one.
    pub(crate) fn add(&mut self, field: &'static str, message: Cow<'static, str>) {
        self.0.push(FieldError { field, message });
    }

    /// The message for a field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|it| it.field == field).map(|it| it.message.as_ref())
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
