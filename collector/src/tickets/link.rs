//! The signed address a workstation hands its person: "a ticket for this very machine", for a quarter of an
//! hour. It carries no right: whoever opens it signs in as usual and sees what the session may see.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::kernel::id::CiId;
use crate::kernel::time::UtcMicros;

/// Bytes of the machine's id, of the moment the link ends, and of the keyed hash cut to 128 bits.
const ID_BYTES: usize = 16;
const UNTIL_BYTES: usize = 8;
const MAC_BYTES: usize = 16;

/// No link lives longer, whatever a forged moment says.
const VALID_MAX: Duration = Duration::from_hours(1);

/// Signs and checks links. All collectors of one installation derive the same key.
pub struct LinkKey([u8; 32]);

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey")
    }
}

/// What the key is derived for, so that no other use of the installation's secret gives the same bytes.
pub const KEY_PURPOSE: &str = "parc portal link v1";

impl LinkKey {
    /// From 32 secret bytes that all collectors of one installation derive alike.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The text that stands in the address.
    pub fn sign(&self, ci: CiId, until: UtcMicros) -> String {
        let mut token = Vec::with_capacity(ID_BYTES + UNTIL_BYTES + MAC_BYTES);
        token.extend_from_slice(ci.as_uuid().as_bytes());
        token.extend_from_slice(&until.0.to_be_bytes());
        let mac = blake3::keyed_hash(&self.0, &token);
        token.extend_from_slice(&mac.as_bytes()[..MAC_BYTES]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The machine, if the text was signed here and is still good.
    pub fn open(&self, token: &str, now: UtcMicros) -> Option<CiId> {
        let token: [u8; ID_BYTES + UNTIL_BYTES + MAC_BYTES] =
            URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (signed, mac) = token.split_at(ID_BYTES + UNTIL_BYTES);
        let expected = blake3::keyed_hash(&self.0, signed);
        let same =
            expected.as_bytes()[..MAC_BYTES].iter().zip(mac).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0;
        let (id, until) = signed.split_at(ID_BYTES);
        let until = UtcMicros(i64::from_be_bytes(until.try_into().ok()?));
        let id = uuid::Uuid::from_slice(id).ok()?;
        (same && now <= until && until <= now + VALID_MAX).then_some(CiId::from(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::SystemEntropy;

    const NOW: UtcMicros = UtcMicros(1_795_000_000_000_000);

    fn signed(until: UtcMicros) -> (LinkKey, CiId, String) {
        let key = LinkKey::new([7; 32]);
        let ci = CiId::generate(NOW, &SystemEntropy);
        let token = key.sign(ci, until);
        (key, ci, token)
    }

    #[test]
    fn a_link_names_its_machine_until_it_ends() {
        let (key, ci, token) = signed(NOW + Duration::from_mins(15));
        assert_eq!(key.open(&token, NOW), Some(ci));
        assert_eq!(key.open(&token, NOW + Duration::from_secs(901)), None);
    }

    #[test]
    fn a_link_of_another_installation_or_with_a_changed_letter_is_nothing() {
        let (key, _, token) = signed(NOW + Duration::from_mins(15));
        assert_eq!(LinkKey::new([8; 32]).open(&token, NOW), None);
        let changed = format!("{}{}", if token.starts_with('A') { 'B' } else { 'A' }, &token[1..]);
        assert_eq!(key.open(&changed, NOW), None);
        assert_eq!(key.open("", NOW), None);
    }

    #[test]
    fn no_link_lives_for_days() {
        let (key, _, token) = signed(NOW + Duration::from_hours(24));
        assert_eq!(key.open(&token, NOW), None);
    }
}
