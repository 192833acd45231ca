//! Passwords: what is accepted, and Argon2id away from the async threads.

use std::ops::RangeInclusive;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::model::PeopleError;
use crate::kernel::entropy::Entropy;
use crate::kernel::text::{EmailAddress, search_key};

/// Characters of a password (ASVS 5.0 §6.2: long rather than intricate; the upper end bounds the work).
pub const PASSWORD_CHARS: RangeInclusive<usize> = 12..=128;

/// What people type when they are told to take twelve characters; compared without case, digits and signs
/// at the end.
const COMMON: [&str; 16] = [
    "password",
    "passwordpassword",
    "motdepasse",
    "motdepassemotdepasse",
    "administrator",
    "administrateur",
    "azertyuiop",
    "azertyuiopqs",
    "qwertyuiop",
    "qwertyuiopas",
    "letmeinletmein",
    "iloveyouiloveyou",
    "welcomewelcome",
    "bienvenue",
    "changemechangeme",
    "helpdeskhelpdesk",
];

/// Hashes computed at once: each takes 19 MiB and a core for some 30 ms.
static WORKERS: Semaphore = Semaphore::const_new(2);
/// Hashes computed or waited for. 64 in line are one second of work; more people at once are an attack.
static QUEUE: Semaphore = Semaphore::const_new(64);

/// Verified instead of a stored hash when there is none, so that an unknown address costs the same. Same
/// parameters as new hashes (a test compares them); no password is known for it.
const STAND_IN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGFyYy1zdGFuZC1pbi4uLg$mN0Zq5Yw1tE8rT3uI6oP9aS2dF4gH7jK0lZxCvBnMQs";

/// The queue for password checks is full.
#[derive(Debug)]
pub(super) struct Overloaded;

/// Whether the password may be set for the person with that address.
pub(super) fn check_rules(password: &SecretString, email: &EmailAddress) -> Result<(), PeopleError> {
    let text = password.expose_secret();
    if !PASSWORD_CHARS.contains(&text.chars().count()) {
        let (min, max) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
        return Err(PeopleError::invalid("password", format!("must have {min} to {max} characters")));
    }
    let folded = search_key(text);
    let local = email.as_str().split('@').next().unwrap_or_default();
    if folded == email.as_str() || folded.trim_end_matches(|c: char| !c.is_alphabetic()) == local {
        return Err(PeopleError::invalid("password", "must not be the e-mail address"));
    }
    if is_common(&folded) {
        return Err(PeopleError::invalid("password", "is one of the first that attackers try"));
    }
    Ok(())
}

fn is_common(folded: &str) -> bool {
    let mut characters = folded.chars();
    let first = characters.next();
    let single = characters.all(|it| Some(it) == first);
    let letters = folded.trim_end_matches(|c: char| !c.is_alphabetic());
    let counted = "1234567890123456789012345678901234567890".starts_with(folded)
        || "0123456789012345678901234567890123456789".starts_with(folded);
    single || counted || COMMON.contains(&letters)
}

/// Hashes with a fresh salt; gives a PHC string.
pub(super) async fn hash(entropy: &dyn Entropy, password: SecretString) -> Result<String, Overloaded> {
    let mut salt = [0_u8; 16];
    entropy.fill(&mut salt);
    let text = in_pool(move || {
        let hashed = Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
        hashed.map(|it: PasswordHash| it.to_string()).ok()
    });
    text.await?.ok_or(Overloaded)
}

/// Whether the password is the one behind `stored`. Without a stored hash: false, at the same cost.
pub(super) async fn verify(stored: Option<String>, password: SecretString) -> Result<bool, Overloaded> {
    in_pool(move || {
        let known = stored.is_some();
        let hash = stored.as_deref().unwrap_or(STAND_IN);
        let matches = match PasswordHash::new(hash) {
            Ok(hash) => Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok(),
            Err(_) => false,
        };
        matches && known
    })
    .await
}

async fn in_pool<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
    let _in_line = QUEUE.try_acquire().map_err(|_| Overloaded)?;
    let _worker = WORKERS.acquire().await.map_err(|_| Overloaded)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| Overloaded)
}

#[cfg(test)]
mod tests {
    use argon2::Params;

    use super::*;
    use crate::kernel::entropy::SystemEntropy;

    fn refused(password: &str) -> bool {
        let email: EmailAddress = "camille.martin@example.org".parse().expect("address");
        check_rules(&password.into(), &email).is_err()
    }

    #[test]
    fn a_password_has_twelve_to_128_characters() {
        assert!(refused("elevenchars"));
        assert!(!refused("twelve chars"));
        assert!(!refused("éèàùçôîûëïüÿ"), "characters count, not bytes");
        assert!(!refused(&"ab".repeat(64)));
        assert!(refused(&format!("{}c", "ab".repeat(64))));
    }

    #[test]
    fn a_password_everybody_tries_first_is_refused() {
        for password in [
            "Camille.Martin@example.org",
            "camille.martin2026!",
            "Administrateur1!",
            "aaaaaaaaaaaaaa",
            "123456789012",
        ] {
            assert!(refused(password), "{password}");
        }
    }

    #[test]
    fn the_stand_in_costs_what_a_real_hash_costs() {
        let stand_in = PasswordHash::new(STAND_IN).expect("well formed");
        let fresh: PasswordHash = Argon2::default().hash_password_with_salt(b"x", &[1; 16]).expect("hash");
        assert_eq!(
            Params::try_from(&stand_in).expect("parameters"),
            Params::try_from(&fresh).expect("parameters")
        );
        assert_eq!(stand_in.algorithm, fresh.algorithm);
        assert_eq!(stand_in.hash.map(|it| it.as_bytes().len()), fresh.hash.map(|it| it.as_bytes().len()));
    }

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let stored = hash(&SystemEntropy, "correct horse battery".into()).await.expect("hash");
        assert!(verify(Some(stored.clone()), "correct horse battery".into()).await.expect("verify"));
        assert!(!verify(Some(stored), "correct horse batterx".into()).await.expect("verify"));
        assert!(!verify(None, "correct horse battery".into()).await.expect("verify"));
        assert!(!verify(Some("not a hash".into()), "correct horse battery".into()).await.expect("verify"));
    }
}
