//! The enroll token: what an administrator hands out, and the only thing that is trusted before a
//! machine has an identity.
//!
//! `parc1.<id>.<secret>.<root fingerprint>`. The fingerprint is the first half of SHA-256 over the
//! collector's root certificate, so that nobody between agent and collector can pose as the collector,
//! not even the first time.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

const PREFIX: &str = "parc1";
const ID_CHARS: usize = 10;
const SECRET_CHARS: usize = 32;
const FINGERPRINT_BYTES: usize = 16;

/// First 16 bytes of SHA-256 over a root certificate's DER.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RootFingerprint([u8; FINGERPRINT_BYTES]);

/// A token of the right shape; only the collector knows whether it is valid.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    root: RootFingerprint,
}

/// Why a text is not an enroll token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TokenError {
    /// Another number of parts than four.
    #[error("an enroll token has four parts joined by dots, this has {0}: was it copied whole?")]
    Parts(usize),
    /// Of another program or a later version.
    #[error("the token begins with `{0}`, this agent understands `{PREFIX}`")]
    Prefix(String),
    /// Too short or too long.
    #[error("the token's {part} has {found} characters instead of {wanted}: was it copied whole?")]
    Length {
        /// Which part.
        part: &'static str,
        /// Characters found.
        found: usize,
        /// Characters that belong there.
        wanted: usize,
    },
    /// A character that no token has.
    #[error("the token's {part} contains `{character}`, which no token does")]
    Character {
        /// Which part.
        part: &'static str,
        /// The first wrong character.
        character: char,
    },
}

impl RootFingerprint {
    /// Fingerprint of a certificate.
    pub fn of(certificate_der: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate_der);
        let mut first = [0; FINGERPRINT_BYTES];
        first.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Self(first)
    }
}

impl fmt::Display for RootFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RootFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootFingerprint({self})")
    }
}

impl Token {
    /// As it goes to the collector.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The public part that names the token in logs and on the collector's pages.
    pub fn id(&self) -> &str {
        self.text.split('.').nth(1).unwrap_or_default()
    }

    /// The root to trust.
    pub fn root(&self) -> RootFingerprint {
        self.root
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, secret not shown)", self.id())
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let parts: Vec<&str> = text.split('.').collect();
        let [prefix, id, secret, fingerprint] = parts[..] else {
            return Err(TokenError::Parts(parts.len()));
        };
        if prefix != PREFIX {
            return Err(TokenError::Prefix(prefix.chars().take(ID_CHARS).collect()));
        }
        check("id", id, ID_CHARS, is_base32)?;
        check("secret", secret, SECRET_CHARS, is_base32)?;
        check("root fingerprint", fingerprint, FINGERPRINT_BYTES * 2, is_hex)?;
        Ok(Self { text: text.to_owned(), root: RootFingerprint(from_hex(fingerprint)) })
    }
}

fn check(part: &'static str, text: &str, wanted: usize, allowed: fn(char) -> bool) -> Result<(), TokenError> {
    if let Some(character) = text.chars().find(|it| !allowed(*it)) {
        return Err(TokenError::Character { part, character });
    }
    match text.chars().count() {
        found if found == wanted => Ok(()),
        found => Err(TokenError::Length { part, found, wanted }),
    }
}

fn is_base32(c: char) -> bool {
    matches!(c, 'a'..='z' | '2'..='7')
}

fn is_hex(c: char) -> bool {
    matches!(c, '0'..='9' | 'a'..='f')
}

fn from_hex(text: &str) -> [u8; FINGERPRINT_BYTES] {
    let value = u128::from_str_radix(text, 16).unwrap_or_default(); // 32 hex digits, checked before
    value.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "abcdefghijklmnopqrstuvwxyz234567";

    fn text() -> String {
        format!("parc1.abcdefgh23.{SECRET}.000102030405060708090a0b0c0d0e0f")
    }

    fn refusal(text: &str) -> TokenError {
        text.parse::<Token>().unwrap_err()
    }

    #[test]
    fn a_whole_token_gives_its_id_and_fingerprint() {
        let token: Token = format!(" {}\n", text()).parse().unwrap();
        assert_eq!(token.id(), "abcdefgh23");
        assert_eq!(token.text(), text());
        assert_eq!(token.root().to_string(), "000102030405060708090a0b0c0d0e0f");
    }

    #[test]
    fn a_refused_token_says_what_is_wrong() {
        assert_eq!(refusal("parc1.abcdefgh23"), TokenError::Parts(2));
        assert_eq!(refusal(&text().replace("parc1", "inv1")), TokenError::Prefix("inv1".into()));
        let cut = TokenError::Length { part: "root fingerprint", found: 31, wanted: 32 };
        assert_eq!(refusal(&text()[..text().len() - 1]), cut);
        let upper = TokenError::Character { part: "secret", character: 'Z' };
        assert_eq!(refusal(&text().replace("yz2", "yZ2")), upper);
        assert!(matches!(refusal(&text().replace("0f", "0g")), TokenError::Character { character: 'g', .. }));
    }

    #[test]
    fn the_secret_stays_out_of_debug_output() {
        let token: Token = text().parse().unwrap();
        assert!(!format!("{token:?}").contains(SECRET));
    }

    #[test]
    fn a_fingerprint_is_the_first_half_of_sha_256() {
        let of_abc = RootFingerprint::of(b"abc").to_string();
        assert_eq!(of_abc, "ba7816bf8f01cfea414140de5dae2223");
    }
}
