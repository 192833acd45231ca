//! The `Enrollment` service: the one door for machines without an identity.

use std::sync::Arc;
use std::time::Duration;

use parc_wire::limits::ENROLL_BYTES_MAX;
use parc_wire::v1::enrollment_server::{Enrollment, EnrollmentServer};
use parc_wire::v1::{EnrollRequest, EnrollResponse};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

use super::authority::Authority;
use super::enroll::enroll;
use crate::context::Context;
use crate::rpc::{PeerAddress, Rate, RateLimiter, push_back, status};

/// Enrollments of one address prefix: thirty machines of a room at once, then five a minute.
const RATE_PER_ADDRESS: Rate = Rate { per_second: 5.0 / 60.0, burst: 30.0 };
/// Enrollments altogether: each costs a signature and a transaction of several tables.
const RATE_TOTAL: Rate = Rate { per_second: 20.0, burst: 40.0 };

/// Enrolls machines that bring a token.
#[derive(Debug)]
pub struct EnrollmentService {
    context: Context,
    authority: Arc<Authority>,
    limiter: RateLimiter,
    next_contact_s: u32,
}

impl EnrollmentService {
    /// A service with the default rates; enrolled agents first call after `next_contact_s` seconds.
    pub fn new(context: Context, authority: Arc<Authority>, next_contact_s: u32) -> Self {
        Self::with_rates(context, authority, next_contact_s, (RATE_PER_ADDRESS, RATE_TOTAL))
    }

    /// A service with other rates, per address prefix and in total: for load tests and mass roll-outs from
    /// behind one address.
    pub fn with_rates(
        context: Context,
        authority: Arc<Authority>,
        next_contact_s: u32,
        (per_address, total): (Rate, Rate),
    ) -> Self {
        let limiter = RateLimiter::new(per_address, total, context.now());
        Self { context, authority, limiter, next_contact_s }
    }

    /// The service with its limits on the wire.
    pub fn into_server(self) -> EnrollmentServer<Self> {
        EnrollmentServer::new(self)
            .max_decoding_message_size(ENROLL_BYTES_MAX)
            .accept_compressed(CompressionEncoding::Zstd)
    }
}

#[tonic::async_trait]
impl Enrollment for EnrollmentService {
    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let Some(PeerAddress(address)) = request.extensions().get::<PeerAddress>().copied() else {
            return Err(Status::internal("the connection has no address"));
        };
        self.limiter.take(address.ip(), self.context.now()).map_err(slow_down)?;
        enroll(&self.context, &self.authority, request.into_inner(), self.next_contact_s)
            .await
            .map(Response::new)
            .map_err(|error| status(&error))
    }
}

fn slow_down(wait: Duration) -> Status {
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    push_back(Status::resource_exhausted("too many enrollments; try again later"), wait_ms)
}
