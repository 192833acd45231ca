//! What a caller can do about an error, whatever door it came through. Each slice's error enum maps its
//! variants to a kind; one table turns kinds into gRPC codes, one into HTTP statuses.

use std::fmt;

/// The kind of a failure, independent of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong; sending it again is useless.
    Invalid,
    /// There is no such thing, or the caller may not know that there is.
    NotFound,
    /// The state of the thing does not allow it, or somebody else was faster.
    Conflict,
    /// The caller is known and may not do this.
    Forbidden,
    /// The caller is not known.
    Unauthenticated,
    /// Too many or too much; try later.
    Exhausted,
    /// Not now: database away, shutting down.
    Unavailable,
    /// Our fault; the reader gets an incident id, the log the cause.
    Internal,
}

/// An error that can say its kind and which input field it is about.
pub trait Fault: std::error::Error {
    /// What a caller can do about it.
    fn kind(&self) -> ErrorKind;

    /// Stable machine-readable word for programs and text catalogues, such as `tag-too-long`.
    fn code(&self) -> &'static str;

    /// The input field at fault, as the caller spelt it.
    fn field(&self) -> Option<&str> {
        None
    }
}

/// An error with its causes, for one log line.
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
