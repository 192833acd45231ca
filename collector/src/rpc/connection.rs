//! One connection: handshake, HTTP/2, deadlines.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tonic::Status;
use tower::ServiceExt;

use super::admission::{ConnectionLimits, Permit};
use super::peer::{PeerAddress, PeerCertificate};
use super::server::Server;
use super::status::push_back;

/// Calls at once on one connection; an agent makes one.
const STREAMS_MAX: u32 = 8;
/// Bytes of a call's headers.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Streams a peer opened and reset before we looked at them (the rapid reset attack).
const PENDING_RESETS_MAX: usize = 20;
/// Streams we reset because of the peer's errors.
const ERROR_RESETS_MAX: usize = 256;
/// Bytes in flight per call and per connection: a contact of ordinary size without a stall.
const WINDOW_BYTES: u32 = 256 * 1024;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a peer without calls under way to take note that the connection ends.
const QUIET_GRACE: Duration = Duration::from_secs(1);
/// What a caller waits who found no place: long enough for the backlog, short beside an agent's interval.
const NO_PLACE_PUSHBACK_MS: u32 = 15_000;

/// An admitted connection.
pub(super) struct Connection {
    pub(super) server: Server,
    pub(super) permit: Permit,
    pub(super) places: Places,
    pub(super) address: SocketAddr,
    pub(super) stopping: watch::Receiver<bool>,
}

/// Places for calls under way, of all connections together.
#[derive(Clone)]
pub(super) struct Places {
    agents: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(limits: &ConnectionLimits) -> Self {
        Self {
            agents: Arc::new(Semaphore::new(limits.calls)),
            strangers: Arc::new(Semaphore::new(limits.stranger_calls)),
        }
    }
}

/// Why a connection ended early. For the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the socket failed: {0}")]
    Socket(#[from] std::io::Error),
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    #[error("the peer does not speak HTTP/2")]
    Protocol,
    #[error("the client certificate cannot be read")]
    Certificate,
    #[error("HTTP/2 failed: {0}")]
    Http(Box<dyn std::error::Error + Send + Sync>),
    #[error("a deadline passed")]
    Deadline,
}

impl Connection {
    pub(super) async fn run(mut self, stream: TcpStream) -> Result<(), Ended> {
        let limits = self.server.limits;
        stream.set_nodelay(true)?;
        let acceptor = TlsAcceptor::from(self.server.tls.current());
        let tls = tokio::time::timeout(limits.handshake_timeout, acceptor.accept(stream))
            .await
            .map_err(|_| Ended::HandshakeTimeout)??;
        let (_, session) = tls.get_ref();
        if session.alpn_protocol() != Some(b"h2") {
            return Err(Ended::Protocol);
        }
        let certificate = match session.peer_certificates().and_then(<[_]>::first) {
            Some(der) => Some(Arc::new(PeerCertificate::parse(der).ok_or(Ended::Certificate)?)),
            None => None,
        };
        if certificate.is_some() {
            self.permit.prove();
        }
        let activity = Arc::new(Activity::new(Instant::now()));
        let places = if certificate.is_some() { self.places.agents } else { self.places.strangers };
        let calls = Calls {
            server: self.server.clone(),
            places,
            address: PeerAddress(self.address),
            certificate,
            activity: Arc::clone(&activity),
        };
        let service = service_fn(move |request| calls.clone().answer(request));
        let builder = http2();
        let mut http = pin!(builder.serve_connection(TokioIo::new(tls), service));
        tokio::select! {
            ended = http.as_mut() => return ended.map_err(Ended::Http),
            () = activity.until_over(&limits) => {}
            _ = self.stopping.wait_for(|it| *it) => {}
        }
        http.as_mut().graceful_shutdown();
        let grace = if activity.is_quiet() { limits.age_grace.min(QUIET_GRACE) } else { limits.age_grace };
        match tokio::time::timeout(grace, http).await {
            Ok(ended) => ended.map_err(Ended::Http),
            Err(_) => Err(Ended::Deadline),
        }
    }
}

fn http2() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(ERROR_RESETS_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    builder
}

/// What every call of a connection shares.
#[derive(Clone)]
struct Calls {
    server: Server,
    places: Arc<Semaphore>,
    address: PeerAddress,
    certificate: Option<Arc<PeerCertificate>>,
    activity: Arc<Activity>,
}

impl Calls {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, std::convert::Infallible> {
        let _under_way = self.activity.begin();
        let mut request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(self.address);
        if let Some(certificate) = self.certificate {
            extensions.insert(certificate);
        }
        if let Err(refusal) = self.server.guard.check(request.uri(), request.extensions()) {
            return Ok(refusal.into_http());
        }
        // While it waits, its message stays outside, held back by the flow-control window.
        let Ok(Ok(_place)) =
            tokio::time::timeout(self.server.limits.call_queue_timeout, self.places.acquire()).await
        else {
            let refusal = Status::resource_exhausted("too many calls under way");
            return Ok(push_back(refusal, NO_PLACE_PUSHBACK_MS).into_http());
        };
        let call = self.server.router.oneshot(request);
        match tokio::time::timeout(self.server.limits.call_timeout, call).await {
            Ok(response) => response,
            Err(_) => Ok(Status::deadline_exceeded("the call took too long").into_http()),
        }
    }
}

/// When a connection was last of use.
struct Activity {
    accepted: Instant,
    state: Mutex<ActivityState>,
}

struct ActivityState {
    under_way: usize,
    calls: u64,
    last: Instant,
}

/// One call; dropping it ends it.
struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way -= 1;
        state.last = Instant::now();
    }
}

impl Activity {
    fn new(now: Instant) -> Self {
        Self { accepted: now, state: Mutex::new(ActivityState { under_way: 0, calls: 0, last: now }) }
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way += 1;
        state.calls += 1;
        UnderWay(Arc::clone(self))
    }

    fn is_quiet(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).under_way == 0
    }

    /// Ready when the connection is too old, idle for too long, or without a first call for too long.
    async fn until_over(&self, limits: &ConnectionLimits) {
        loop {
            let deadline = self.deadline(limits);
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }

    fn deadline(&self, limits: &ConnectionLimits) -> Instant {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = self.accepted + limits.age_max;
        match (state.calls, state.under_way) {
            (0, _) => oldest.min(self.accepted + limits.first_call_timeout),
            (_, 0) => oldest.min(state.last + limits.idle_timeout),
            // Looked at again when the calls under way could have ended and idled.
            _ => oldest.min(Instant::now() + limits.idle_timeout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_without_a_call_when_idle_and_with_age() {
        let limits = ConnectionLimits::default();
        let start = Instant::now();
        let silent = Arc::new(Activity::new(start));
        silent.until_over(&limits).await;
        assert_eq!(start.elapsed().as_secs(), 10);

        let start = Instant::now();
        let idle = Arc::new(Activity::new(start));
        drop(idle.begin());
        idle.until_over(&limits).await;
        assert_eq!(start.elapsed().as_secs(), 60);

        let start = Instant::now();
        let busy = Arc::new(Activity::new(start));
        let _call = busy.begin();
        busy.until_over(&limits).await;
        assert_eq!(start.elapsed().as_secs(), 600);
    }
}
