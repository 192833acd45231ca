//! Errors as gRPC statuses: one table for all slices.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::kernel::entropy::{SystemEntropy, base32};
use crate::kernel::error::{Chain, ErrorKind, Fault};

/// Metadata key of the stable machine-readable word of an error.
const CODE_KEY: &str = "parc-code";
/// Metadata key of the field at fault.
const FIELD_KEY: &str = "parc-field";
/// Metadata key of the time to wait before trying again, milliseconds (gRPC proposal A6).
const PUSHBACK_KEY: &str = "grpc-retry-pushback-ms";
/// How long an agent waits when nobody knows better.
const PUSHBACK_DEFAULT_MS: u32 = 30_000;
/// Letters of an incident id: enough to find one line in a month of logs.
const INCIDENT_CHARS: usize = 10;

/// What the caller is told about an error. An internal one is told by an incident id only; its whole chain
/// of causes stands once in the log, under that id.
pub fn status(fault: &dyn Fault) -> Status {
    let mut status = match fault.kind() {
        ErrorKind::Internal => return internal(fault),
        ErrorKind::Unavailable => {
            tracing::warn!(code = fault.code(), error = %Chain(fault), "call not possible now");
            push_back(Status::unavailable("the collector cannot do this now"), PUSHBACK_DEFAULT_MS)
        }
        ErrorKind::Exhausted => push_back(Status::resource_exhausted(fault.to_string()), PUSHBACK_DEFAULT_MS),
        kind => Status::new(code(kind), fault.to_string()),
    };
    annotate(&mut status, CODE_KEY, fault.code());
    if let Some(field) = fault.field() {
        annotate(&mut status, FIELD_KEY, field);
    }
    status
}

/// Tells the caller to come back after `wait_ms`.
pub fn push_back(mut status: Status, wait_ms: u32) -> Status {
    annotate(&mut status, PUSHBACK_KEY, &wait_ms.to_string());
    status
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Conflict => Code::FailedPrecondition,
        ErrorKind::Forbidden => Code::PermissionDenied,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => Code::Internal,
    }
}

fn internal(fault: &dyn Fault) -> Status {
    let incident = base32(&SystemEntropy, INCIDENT_CHARS);
    tracing::error!(incident, error = %Chain(fault), "call failed");
    Status::internal(format!("internal error, incident {incident}"))
}

fn annotate(status: &mut Status, key: &'static str, value: &str) {
    if let Ok(value) = MetadataValue::try_from(value) {
        status.metadata_mut().insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the password is hunter2")]
    struct Cause;

    #[derive(Debug, thiserror::Error)]
    #[error("hostname is too long")]
    struct Example(ErrorKind, #[source] Cause);

    impl Fault for Example {
        fn kind(&self) -> ErrorKind {
            self.0
        }

        fn code(&self) -> &'static str {
            "too-long"
        }

        fn field(&self) -> Option<&str> {
            Some("hostname")
        }
    }

    #[test]
    fn an_internal_error_shows_an_incident_id_and_nothing_else() {
        let told = status(&Example(ErrorKind::Internal, Cause));
        assert_eq!(told.code(), Code::Internal);
        assert!(told.message().starts_with("internal error, incident "), "{}", told.message());
        assert!(!told.message().contains("hunter2") && !told.message().contains("hostname"));
    }

    #[test]
    fn a_refusal_names_its_code_and_field() {
        let told = status(&Example(ErrorKind::Invalid, Cause));
        assert_eq!((told.code(), told.message()), (Code::InvalidArgument, "hostname is too long"));
        let text = |key| told.metadata().get(key).and_then(|it| it.to_str().ok());
        assert_eq!(
            (text(CODE_KEY), text(FIELD_KEY), text(PUSHBACK_KEY)),
            (Some("too-long"), Some("hostname"), None)
        );
    }

    #[test]
    fn who_should_come_back_later_is_told_when() {
        for kind in [ErrorKind::Exhausted, ErrorKind::Unavailable] {
            let told = status(&Example(kind, Cause));
            let wait = told.metadata().get(PUSHBACK_KEY).and_then(|it| it.to_str().ok());
            assert_eq!(wait, Some("30000"), "{kind:?}");
        }
    }
}
