//! Which calls reach a handler at all: by default none without a valid client certificate.

use std::sync::Arc;

use http::{Extensions, uri::Uri};
use tonic::Status;

use super::peer::PeerCertificate;
use crate::kernel::time::{Clock, days};

/// The calls a machine without identity may make (`enrollment.proto`).
const ENROLL_PATH: &str = "/parc.v1.Enrollment/Enroll";
/// Health, for load balancers.
const HEALTH_PREFIX: &str = "/grpc.health.v1.Health/";
/// The only call an expired certificate may make (`fleet.proto`).
const RENEW_PATH: &str = "/parc.v1.Fleet/Renew";

/// Stands before every handler; a new RPC is closed to strangers until this file says otherwise.
#[derive(Clone, Debug)]
pub struct Guard {
    clock: Arc<dyn Clock>,
    renew_grace_days: u64,
}

impl Guard {
    /// A guard that lets certificates expired for at most `renew_grace_days` renew.
    pub fn new(clock: Arc<dyn Clock>, renew_grace_days: u64) -> Self {
        Self { clock, renew_grace_days }
    }

    /// Whether a call may go to its handler. The certificate's dates are looked at here again because a
    /// resumed TLS session and a long connection do not repeat the handshake's checks.
    pub fn check(&self, uri: &Uri, extensions: &Extensions) -> Result<(), Status> {
        let path = uri.path();
        if path == ENROLL_PATH || path.starts_with(HEALTH_PREFIX) {
            return Ok(());
        }
        let Some(certificate) = PeerCertificate::of(extensions) else {
            return Err(Status::unauthenticated("this call needs the agent's client certificate"));
        };
        let now = self.clock.now();
        if now > certificate.not_after + days(self.renew_grace_days) {
            return Err(Status::unauthenticated("the certificate expired too long ago; enroll again"));
        }
        if certificate.is_expired(now) && path != RENEW_PATH {
            return Err(Status::unauthenticated("the certificate expired; it may only renew itself"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::kernel::time::{ManualClock, UtcMicros};

    const NOT_AFTER: UtcMicros = UtcMicros(1_800_000_000_000_000);

    fn allowed(path: &str, past: Option<Duration>) -> bool {
        let mut extensions = Extensions::new();
        if past.is_some() {
            let certificate =
                PeerCertificate { serial: vec![1], not_after: NOT_AFTER, uri: None, der: vec![] };
            extensions.insert(Arc::new(certificate));
        }
        let clock = ManualClock::at(NOT_AFTER + past.unwrap_or_default());
        Guard::new(Arc::new(clock), 14).check(&path.parse().expect("path"), &extensions).is_ok()
    }

    #[test]
    fn strangers_enroll_and_ask_for_health_and_nothing_else() {
        assert!(allowed(ENROLL_PATH, None));
        assert!(allowed("/grpc.health.v1.Health/Check", None));
        for path in [
            RENEW_PATH,
            "/parc.v1.Fleet/Contact",
            "/",
            "/metrics",
            "/parc.v1.Enrollment/EnrollAll",
            "/grpc.health.v1.HealthX/Check",
        ] {
            assert!(!allowed(path, None), "{path}");
        }
    }

    #[test]
    fn an_expired_certificate_renews_for_fourteen_days() {
        let contact = "/parc.v1.Fleet/Contact";
        assert!(allowed(contact, Some(Duration::ZERO)));
        assert!(!allowed(contact, Some(Duration::from_micros(1))));
        assert!(allowed(RENEW_PATH, Some(days(14))));
        assert!(!allowed(RENEW_PATH, Some(days(14) + Duration::from_micros(1))));
    }
}
