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

/// Machines of one room that may enroll at once, whatever the rate.
const BURST_PER_ADDRESS: u32 = 30;
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
    /// A service that lets `per_minute` machines of one address prefix enroll; enrolled agents first call after
    /// `next_contact_s` seconds.
    pub fn new(context: Context, authority: Arc<Authority>, per_minute: u32, next_contact_s: u32) -> Self {
        let each = Rate {
            per_second: f64::from(per_minute) / 60.0,
            burst: f64::from(per_minute.max(BURST_PER_ADDRESS)),
        };
        Self::with_rates(context, authority, next_contact_s, (each, RATE_TOTAL))
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
