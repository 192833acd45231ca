//! Toolkit of the agents' door: TLS with optional client certificates, an accept loop with limits, who the
//! peer is, which calls it may make at all, and errors as gRPC statuses. Knows no slice.
//!
//! Invariants: a call without a client certificate reaches no handler but enrollment and health (rule R1);
//! an expired certificate reaches renewal only; the peer's address is the socket's, never a header's (rule
//! R11); every connection, handshake, call and table has a limit.

mod admission;
mod connection;
mod guard;
mod peer;
mod rate;
mod server;
mod status;
mod tls;

pub use admission::ConnectionLimits;
pub use guard::Guard;
pub use peer::{PeerAddress, PeerCertificate, address_prefix};
pub use rate::{Rate, RateLimiter};
pub use server::Server;
pub use status::{push_back, status};
pub use tls::{ServerTls, TlsError, crypto_provider, server_config};
