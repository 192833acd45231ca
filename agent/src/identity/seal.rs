//! Binds an identity to the machine it was issued on, so that a cloned disk does not speak with its
//! master's voice.

use parc_wire::v1::Evidence;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const CONTEXT: &str = "parc agent identity seal";

/// Hashes of what a copy to other hardware, or a reset of the system's identity, changes. Empty when
/// the value is not known.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Seal {
    machine: String,
    firmware: String,
}

/// The identity on this disk was issued on another machine.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "the identity on this disk was issued on another machine (its {0} differs): it looks like a cloned image. \
     Run `parc-agent seal-image`, then enroll with a new token"
)]
pub struct SealBroken(&'static str);

impl Seal {
    /// Seal of the machine that shows this evidence.
    pub fn of(evidence: &Evidence) -> Self {
        Self { machine: hash(&evidence.machine_fingerprint), firmware: hash(&evidence.smbios_uuid) }
    }

    /// Compares the sealed machine with the present one. A value that was or is unreadable decides
    /// nothing: a failed probe must not cost a machine its identity.
    pub fn check(&self, present: &Self) -> Result<(), SealBroken> {
        let differs = |sealed: &str, now: &str| !sealed.is_empty() && !now.is_empty() && sealed != now;
        if differs(&self.firmware, &present.firmware) {
            return Err(SealBroken("SMBIOS UUID"));
        }
        if differs(&self.machine, &present.machine) {
            return Err(SealBroken("machine id"));
        }
        Ok(())
    }
}

fn hash(value: &str) -> String {
    match value.trim() {
        "" => String::new(),
        known => blake3::Hash::from_bytes(blake3::derive_key(CONTEXT, known.to_ascii_lowercase().as_bytes()))
            .to_hex()
            .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(machine: &str, firmware: &str) -> Seal {
        let (machine_fingerprint, smbios_uuid) = (machine.into(), firmware.into());
        Seal::of(&Evidence { machine_fingerprint, smbios_uuid, ..Evidence::default() })
    }

    #[test]
    fn a_clone_on_other_hardware_or_with_a_new_machine_id_is_noticed() {
        let sealed = seal("m1", "4C4C4544-0042");
        assert_eq!(sealed.check(&seal("m1", "4c4c4544-0042")), Ok(()));
        assert_eq!(sealed.check(&seal("m1", "4c4c4544-0099")), Err(SealBroken("SMBIOS UUID")));
        assert_eq!(sealed.check(&seal("m2", "4c4c4544-0042")), Err(SealBroken("machine id")));
    }

    #[test]
    fn what_cannot_be_read_decides_nothing() {
        assert_eq!(seal("m1", "u1").check(&seal("", "")), Ok(()));
        assert_eq!(seal("", "u1").check(&seal("m2", "u1")), Ok(()));
    }
}
