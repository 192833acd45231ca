//! Who is at the other end, as the connection knows it. Put into every request's extensions.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use http::Extensions;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::kernel::time::UtcMicros;

/// The socket's other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

impl PeerAddress {
    /// The address of the connection a request came by.
    pub fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().copied()
    }
}

/// What limits are counted by: an IPv4 address, or the /64 a subscriber of IPv6 has for themselves.
pub fn address_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(it) => IpAddr::V4(it),
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// The client certificate of a connection. TLS proved that it comes from our root and that the peer holds
/// its key; it may be expired within the grace period, and whether its agent is still welcome is decided per
/// call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Serial number, big-endian without leading zeros.
    pub serial: Vec<u8>,
    /// Last moment of validity.
    pub not_after: UtcMicros,
    /// First URI of the subject alternative names: `urn:parc:agent:…`.
    pub uri: Option<String>,
    /// The certificate itself.
    pub der: Vec<u8>,
}

impl PeerCertificate {
    /// Reads a certificate; nothing when it is not one.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let uri = names.and_then(|it| it.value.general_names.iter().find_map(uri_of));
        Some(Self {
            serial: significant(certificate.raw_serial()).to_vec(),
            not_after: UtcMicros::from_seconds(certificate.validity().not_after.timestamp()),
            uri,
            der: der.to_vec(),
        })
    }

    /// The certificate of the connection a request came by.
    pub fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get()
    }

    /// Whether it is past its validity.
    pub fn is_expired(&self, now: UtcMicros) -> bool {
        now > self.not_after
    }
}

fn uri_of(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::URI(uri) = name { Some((*uri).to_owned()) } else { None }
}

fn significant(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|it| **it == 0).count();
    &serial[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_an_ipv6_subscriber_once() {
        let prefix = |text: &str| address_prefix(text.parse().expect("address"));
        assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:2:ffff::9"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
        assert_eq!(prefix("::ffff:192.0.2.1"), prefix("192.0.2.1"));
    }

    #[test]
    fn noise_is_no_certificate() {
        assert_eq!(PeerCertificate::parse(b"\x30\x03\x02\x01\x00"), None);
        assert_eq!(PeerCertificate::parse(&[]), None);
    }
}
