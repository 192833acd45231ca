//! gRPC spoken by hand: what a hostile, broken or simulated agent says. The real agent has its own voice
//! ([`crate::agent`]); this one may say anything.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use parc_wire::digest::{self, Digest};
use parc_wire::v1::enrollment_client::EnrollmentClient;
use parc_wire::v1::fleet_client::FleetClient;
use parc_wire::v1::{
    ContactRequest, EnrollRequest, Evidence, Item, SectionChange, SectionDigest, SectionKind,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// A key with the certificate the collector gave for it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Agent id.
    pub agent_id: String,
    certificate_der: Vec<u8>,
    key_der: Vec<u8>,
}

/// A key and the request for its certificate.
#[derive(Debug)]
pub struct Request {
    /// PKCS#10.
    pub csr_der: Vec<u8>,
    key_der: Vec<u8>,
}

impl Request {
    /// A fresh P-256 key.
    pub fn fresh() -> Self {
        Self::of_key(&KeyPair::generate().expect("a key"))
    }

    /// A request for a certificate of that key.
    pub fn of_key(key: &KeyPair) -> Self {
        let csr = CertificateParams::default().serialize_request(key).expect("a request");
        Self { csr_der: csr.der().to_vec(), key_der: key.serialize_der() }
    }

    /// The identity that a certificate makes of it.
    pub fn certified(self, agent_id: &str, certificate_der: Vec<u8>) -> Identity {
        Identity { agent_id: agent_id.to_owned(), certificate_der, key_der: self.key_der }
    }
}

/// Why there is no connection.
pub type ConnectError = Box<dyn std::error::Error + Send + Sync>;

/// Opens a connection to a collector on this machine, with a certificate or without.
///
/// # Errors
/// When TCP or TLS fails. A collector that refuses a certificate says so only at the first call (TLS 1.3).
pub async fn connect(port: u16, identity: Option<&Identity>) -> Result<Channel, ConnectError> {
    connect_from(Ipv4Addr::LOCALHOST, port, identity).await
}

/// The same from another address of the loopback network, as limits count by address.
///
/// # Errors
/// As [`connect`].
pub async fn connect_from(
    from: Ipv4Addr,
    port: u16,
    identity: Option<&Identity>,
) -> Result<Channel, ConnectError> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let tcp = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let stream = TlsConnector::from(tls(identity)?).connect(name, tcp).await?;
    let mut once = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_| {
        std::future::ready(once.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected)))
    });
    // The scheme says `http` because TLS is already there when tonic gets the stream.
    let endpoint = Endpoint::from_shared(format!("http://localhost:{port}"))?;
    let endpoint = endpoint.origin(format!("https://localhost:{port}").parse()?);
    Ok(endpoint.connect_with_connector(connector).await?)
}

fn tls(identity: Option<&Identity>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let trusting = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    let mut config = match identity {
        None => trusting.with_no_client_auth(),
        Some(identity) => trusting.with_client_auth_cert(
            vec![CertificateDer::from(identity.certificate_der.clone())],
            PrivatePkcs8KeyDer::from(identity.key_der.clone()).into(),
        )?,
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// Believes every server: whom the agent trusts is tested with the real agent.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Enrolls a machine that exists only on the wire.
///
/// # Errors
/// What the collector answered.
pub async fn enroll(port: u16, token: &str, tag: &str, evidence: Evidence) -> Result<Identity, Status> {
    let channel = connect(port, None).await.map_err(|error| Status::unavailable(error.to_string()))?;
    enroll_over(channel, token, tag, evidence).await
}

/// The same over an open connection.
///
/// # Errors
/// What the collector answered.
pub async fn enroll_over(
    channel: Channel,
    token: &str,
    tag: &str,
    evidence: Evidence,
) -> Result<Identity, Status> {
    let request = Request::fresh();
    let wish = EnrollRequest {
        token: token.to_owned(),
        attempt_id: attempt_id(&request.csr_der),
        csr_der: request.csr_der.clone(),
        evidence: Some(evidence),
        asset_tag: tag.to_owned(),
        hostname: "wire".into(),
        agent_version: "0.0.0".into(),
    };
    let answer = EnrollmentClient::new(channel).enroll(wish).await?.into_inner();
    Ok(request.certified(&answer.agent_id, answer.certificate_der))
}

/// The fleet's calls over a new connection.
///
/// # Errors
/// When there is no connection.
pub async fn fleet(port: u16, identity: &Identity) -> Result<FleetClient<Channel>, Status> {
    let channel =
        connect(port, Some(identity)).await.map_err(|error| Status::unavailable(error.to_string()))?;
    Ok(FleetClient::new(channel))
}

/// Sixteen bytes that differ for each key.
fn attempt_id(csr_der: &[u8]) -> Vec<u8> {
    csr_der.iter().rev().take(16).copied().collect()
}

/// A section as an agent holds it: items whose bodies are already encoded.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which one.
    pub kind: SectionKind,
    /// Its items.
    pub items: Vec<Item>,
}

impl Section {
    /// A section of encoded messages with their keys.
    pub fn of<M: prost::Message>(kind: SectionKind, items: impl IntoIterator<Item = (String, M)>) -> Self {
        let item = |(key, message): (String, M)| Item { key, body: message.encode_to_vec() };
        Self { kind, items: items.into_iter().map(item).collect() }
    }

    /// Its digest.
    pub fn digest(&self) -> Digest {
        digest::section_digest(self.kind, self.items.iter().map(|it| digest::item_id(self.kind, it)))
    }

    /// The whole section as a change without a base.
    pub fn whole(&self) -> SectionChange {
        SectionChange {
            kind: self.kind.into(),
            base_digest: Vec::new(),
            put: self.items.clone(),
            drop: Vec::new(),
        }
    }
}

/// A contact that claims `sections` and carries `changes`.
pub fn contact(epoch: u64, seq: u64, sections: &[Section], changes: Vec<SectionChange>) -> ContactRequest {
    let digests: Vec<(i32, Digest)> = sections.iter().map(|it| (it.kind.into(), it.digest())).collect();
    ContactRequest {
        epoch,
        seq,
        report_id: digest::report_id(epoch, seq, digests.iter().copied()).to_vec(),
        collected_at_us: 1_763_700_000_000_000,
        agent_version: "0.0.0".into(),
        boot_id: vec![7; 16],
        digests: digests
            .iter()
            .map(|(kind, it)| SectionDigest { kind: *kind, digest: it.to_vec() })
            .collect(),
        changes,
    }
}

/// A first contact: every section whole.
pub fn full_contact(epoch: u64, seq: u64, sections: &[Section]) -> ContactRequest {
    contact(epoch, seq, sections, sections.iter().map(Section::whole).collect())
}
