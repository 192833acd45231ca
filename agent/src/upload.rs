//! One connection to the collector: opened, used for a few calls, ended. Every way in which it can fail
//! is told apart by what the agent has to do next.

mod failure;
mod stream;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use parc_wire::v1::enrollment_client::EnrollmentClient;
use parc_wire::v1::fleet_client::FleetClient;
use parc_wire::v1::{
    ContactRequest, ContactResponse, EnrollRequest, EnrollResponse, OpenTicketRequest, OpenTicketResponse,
    RenewRequest, RenewResponse, TicketLinkRequest, TicketLinkResponse,
};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::address::CollectorAddress;
use stream::{Fate, Watched};

pub use failure::Failure;

/// Name look-up, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One address of a host that has several, as where IPv6 leads nowhere.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(3);
/// One call: a first report over a slow line takes a while.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// Answers are a few hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An open connection. Dropping it ends the connection: an idle one would cost the collector memory for
/// each machine of the fleet.
#[derive(Clone, Debug)]
pub struct Session {
    channel: Channel,
    fate: Arc<Fate>,
}

impl Session {
    /// Connects and shakes hands. `tls` comes from [`crate::tls`].
    pub async fn open(address: &CollectorAddress, tls: Arc<ClientConfig>) -> Result<Self, Failure> {
        let opening = Self::connect(address, tls);
        tokio::time::timeout(CONNECT_TIMEOUT, opening).await.unwrap_or(Err(Failure::TimedOut("connecting")))
    }

    async fn connect(address: &CollectorAddress, tls: Arc<ClientConfig>) -> Result<Self, Failure> {
        let unreachable = |error: io::Error| Failure::Unreachable(error.to_string());
        let tcp = connect_tcp(address).await.map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        let secured = TlsConnector::from(tls).connect(address.server_name(), tcp).await;
        let (stream, fate) = Watched::new(secured.map_err(|error| failure::of_handshake(&error))?);
        let mut once = Some(TokioIo::new(stream));
        let connector = tower::service_fn(move |_| {
            let stream = once.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
            std::future::ready(stream)
        });
        let endpoint = endpoint(address).map_err(|error| Failure::Unreachable(error.to_string()))?;
        let channel = endpoint.connect_with_connector(connector).await;
        let channel = channel.map_err(|error| failure::of_call(&Status::from_error(error.into()), &fate))?;
        Ok(Self { channel, fate })
    }

    /// Trades a token for an identity.
    pub async fn enroll(&self, request: EnrollRequest) -> Result<EnrollResponse, Failure> {
        let mut client =
            EnrollmentClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        self.finish(client.enroll(timed(request)).await).map_err(|failure| match failure {
            Failure::Rejected(reason) => Failure::Denied(reason), // no certificate yet that could be meant
            other => other,
        })
    }

    /// Sends one contact; compressed when it carries items, for a bare one would only grow.
    pub async fn contact(&self, request: ContactRequest) -> Result<ContactResponse, Failure> {
        let mut client = self.fleet();
        if !request.changes.is_empty() {
            client = client.send_compressed(CompressionEncoding::Zstd);
        }
        self.finish(client.contact(timed(request)).await)
    }

    /// Asks for a certificate for a new key.
    pub async fn renew(&self, request: RenewRequest) -> Result<RenewResponse, Failure> {
        self.finish(self.fleet().renew(timed(request)).await)
    }

    /// Opens a ticket from this machine.
    pub async fn open_ticket(&self, request: OpenTicketRequest) -> Result<OpenTicketResponse, Failure> {
        self.finish(self.fleet().open_ticket(timed(request)).await)
    }

    /// Asks for the address of the portal with this machine filled in.
    pub async fn ticket_link(&self) -> Result<TicketLinkResponse, Failure> {
        self.finish(self.fleet().ticket_link(timed(TicketLinkRequest {})).await)
    }

    fn fleet(&self) -> FleetClient<Channel> {
        FleetClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    fn finish<T>(&self, answer: Result<tonic::Response<T>, Status>) -> Result<T, Failure> {
        answer.map(tonic::Response::into_inner).map_err(|status| failure::of_call(&status, &self.fate))
    }
}

/// Tries the addresses of the host one after the other; the last error is told.
async fn connect_tcp(address: &CollectorAddress) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for peer in tokio::net::lookup_host((address.host(), address.port())).await? {
        match tokio::time::timeout(ADDRESS_TIMEOUT, TcpStream::connect(peer)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure)
}

/// The scheme says `http` because TLS is already there when tonic gets the stream.
fn endpoint(address: &CollectorAddress) -> Result<Endpoint, Box<dyn std::error::Error + Send + Sync>> {
    let origin = address.to_string().parse()?;
    let endpoint = Endpoint::from_shared(format!("http://{}", address.authority()))?;
    Ok(endpoint.origin(origin).timeout(CALL_TIMEOUT))
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(CALL_TIMEOUT);
    request
}

#[cfg(test)]
mod tests {
    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::schedule::Retry;
    use crate::testing::Authority;
    use crate::tls;

    /// A listener that asks for certificates of `clients` and shows one of `server`. It answers no call.
    async fn listener(server: &Authority, clients: &Authority) -> CollectorAddress {
        let (certificate, key) = server.serve("127.0.0.1");
        let mut roots = RootCertStore::empty();
        roots.add(clients.root_der.clone().into()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![certificate.into(), server.root_der.clone().into()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(key).into(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                drop(TlsAcceptor::from(Arc::new(config.clone())).accept(tcp).await);
            }
        });
        address
    }

    async fn contact(address: &CollectorAddress, tls: Arc<ClientConfig>) -> Failure {
        match Session::open(address, tls).await {
            Ok(session) => session.contact(ContactRequest::default()).await.unwrap_err(),
            Err(failure) => failure,
        }
    }

    #[tokio::test]
    async fn a_refused_client_certificate_is_not_taken_for_a_broken_network() {
        let (server, stranger) = (Authority::new(), Authority::new());
        let address = listener(&server, &stranger).await;
        let failure = contact(&address, tls::enrolled(&server.identity()).unwrap()).await;
        assert!(matches!(failure, Failure::Rejected(_)), "{failure}");
        assert_eq!(failure.retry(), Retry::Seldom);
    }

    #[tokio::test]
    async fn a_collector_of_another_root_is_not_spoken_to() {
        let (mine, theirs) = (Authority::new(), Authority::new());
        let address = listener(&theirs, &mine).await;
        for tls in [tls::enrolled(&mine.identity()).unwrap(), tls::enrolling(mine.token().root()).unwrap()] {
            let failure = contact(&address, tls).await;
            assert!(matches!(failure, Failure::Untrusted(_)), "{failure}");
        }
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_a_network_failure() {
        let authority = Authority::new();
        let failure =
            contact(&"https://127.0.0.1:1".parse().unwrap(), tls::enrolled(&authority.identity()).unwrap())
                .await;
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure}");
        assert_eq!(failure.retry(), Retry::BackOff);
    }
}
