//! Failures of a connection or a call, sorted by what the agent does next.

use std::io;
use std::time::Duration;

use rustls::AlertDescription;
use thiserror::Error;
use tonic::{Code, Status};

use super::stream::Fate;
use crate::schedule::Retry;
use crate::tls;

/// gRPC's own name for "not before so many milliseconds"; negative means "do not try again".
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// Why there is no answer.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Failure {
    /// No connection: name, network or nobody there.
    #[error("the collector cannot be reached: {0}")]
    Unreachable(String),
    /// The other side is not the collector that this machine trusts.
    #[error("the collector's certificate is refused: {0}")]
    Untrusted(String),
    /// The collector does not accept this machine or its certificate.
    #[error("the collector refuses this machine: {0}")]
    Rejected(String),
    /// The collector is there and has no time.
    #[error("the collector is busy: {reason}")]
    Busy {
        /// When to come back, if it said so.
        pushback: Option<Duration>,
        /// Its words.
        reason: String,
    },
    /// The message will never be accepted as it is.
    #[error("the collector refuses the message: {0}")]
    Invalid(String),
    /// The request was understood and denied: a used token, a wrong generation.
    #[error("the collector says no: {0}")]
    Denied(String),
    /// No answer in time.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// The call broke, or the collector has an error of its own.
    #[error("the call failed: {0}")]
    Broken(String),
}

impl Failure {
    /// When another try makes sense.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Busy { pushback: Some(told), .. } => Retry::After(*told),
            Self::Unreachable(_) | Self::Busy { .. } | Self::TimedOut(_) | Self::Broken(_) => Retry::BackOff,
            Self::Untrusted(_) | Self::Rejected(_) | Self::Invalid(_) | Self::Denied(_) => Retry::Seldom,
        }
    }

    /// Whether trying again unchanged can help at all.
    pub fn is_passing(&self) -> bool {
        self.retry() != Retry::Seldom
    }
}

/// A handshake that did not succeed.
pub(super) fn of_handshake(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>()) {
        Some(cause @ rustls::Error::InvalidCertificate(_)) => Failure::Untrusted(tls::explain(cause)),
        Some(rustls::Error::AlertReceived(alert)) if is_about_the_certificate(*alert) => {
            Failure::Rejected(words(*alert))
        }
        _ => Failure::Unreachable(format!("no TLS connection: {error}")),
    }
}

/// A call without an answer.
pub(super) fn of_call(status: &Status, fate: &Fate) -> Failure {
    if let Some(alert) = fate.alert().filter(|it| is_about_the_certificate(*it)) {
        return Failure::Rejected(words(alert));
    }
    let reason = words_of(status);
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => Failure::Rejected(reason),
        Code::ResourceExhausted | Code::Unavailable if fate.answered() => busy(status, reason),
        Code::InvalidArgument | Code::OutOfRange => Failure::Invalid(reason),
        Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists | Code::Unimplemented => {
            Failure::Denied(reason)
        }
        Code::DeadlineExceeded | Code::Cancelled => Failure::TimedOut("the call"),
        _ if !fate.answered() => {
            Failure::Broken("the connection ended at once, the collector may refuse this machine".into())
        }
        _ => Failure::Broken(reason),
    }
}

fn busy(status: &Status, reason: String) -> Failure {
    let told = status.metadata().get(PUSHBACK).and_then(|it| it.to_str().ok()?.trim().parse::<i64>().ok());
    let pushback = told.map(|ms| u64::try_from(ms).map_or(Duration::MAX, Duration::from_millis));
    Failure::Busy { pushback, reason }
}

/// The collector's message, or the innermost cause when the call never came to an answer.
fn words_of(status: &Status) -> String {
    let mut cause = std::error::Error::source(status);
    let mut words = status.message().to_owned();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    if words.is_empty() { status.code().to_string() } else { words }
}

fn is_about_the_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}

fn words(alert: AlertDescription) -> String {
    format!("TLS alert {alert:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered() -> Fate {
        let fate = Fate::default();
        fate.mark_answered();
        fate
    }

    fn failure(code: Code, pushback_ms: Option<&str>) -> Failure {
        let mut status = Status::new(code, "reason");
        if let Some(ms) = pushback_ms {
            status.metadata_mut().insert(PUSHBACK, ms.parse().unwrap());
        }
        of_call(&status, &answered())
    }

    #[test]
    fn a_busy_collector_is_obeyed_to_the_millisecond() {
        let retry = |code, ms| failure(code, ms).retry();
        assert_eq!(retry(Code::ResourceExhausted, Some("1500")), Retry::After(Duration::from_millis(1500)));
        assert_eq!(retry(Code::Unavailable, Some("0")), Retry::After(Duration::ZERO));
        assert_eq!(retry(Code::Unavailable, Some("soon")), Retry::BackOff);
        assert_eq!(retry(Code::Unavailable, None), Retry::BackOff);
        assert_eq!(retry(Code::Unavailable, Some("-1")), Retry::After(Duration::MAX));
    }

    #[test]
    fn what_will_not_change_by_itself_is_asked_seldom() {
        for code in
            [Code::Unauthenticated, Code::PermissionDenied, Code::InvalidArgument, Code::FailedPrecondition]
        {
            assert_eq!(failure(code, None).retry(), Retry::Seldom, "{code:?}");
        }
        for code in [Code::Internal, Code::Unknown, Code::DeadlineExceeded, Code::DataLoss] {
            assert_eq!(failure(code, None).retry(), Retry::BackOff, "{code:?}");
        }
    }

    #[test]
    fn a_line_that_breaks_before_any_answer_is_not_a_busy_collector() {
        let broken = of_call(&Status::unavailable("transport error"), &Fate::default());
        assert!(matches!(broken, Failure::Broken(_)), "{broken}");
    }
}
