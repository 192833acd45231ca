//! The key file that seals the authority's private key in the database: a copy of the database alone can
//! issue nothing. All collectors of one database use the same file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::model::AuthorityError;
use crate::kernel::entropy::{Entropy, SystemEntropy};

/// A 256-bit key for AES-256-GCM, and the secret other keys of the installation are derived from.
pub struct SealKey {
    sealing: LessSafeKey,
    secret: [u8; 32],
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// Reads the key file; makes it, readable by its owner only, when it is missing. Several processes may do
    /// so at once: one file wins.
    pub fn open_or_create(path: &Path) -> Result<Self, AuthorityError> {
        if !path.exists() {
            create(path).map_err(|source| AuthorityError::SealKeyFile { path: path.to_owned(), source })?;
        }
        Self::read(path)
    }

    /// Reads the key file, 64 hexadecimal digits.
    pub fn read(path: &Path) -> Result<Self, AuthorityError> {
        let file_error = |source| AuthorityError::SealKeyFile { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(file_error)?;
        if exposed(path).map_err(file_error)? {
            return Err(AuthorityError::SealKeyExposed { path: path.to_owned() });
        }
        let bytes = from_hex(text.trim())
            .ok_or_else(|| AuthorityError::SealKeyMalformed { path: path.to_owned() })?;
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8; 32]) -> Result<Self, AuthorityError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| AuthorityError::SealKeyWrong)?;
        Ok(Self { sealing: LessSafeKey::new(key), secret: *bytes })
    }

    /// A key for another purpose, the same on every collector with this file. `purpose` is a fixed text of
    /// the program (BLAKE3's derive-key mode).
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.secret)
    }

    /// Encrypts `plain`; `bound` must be shown again to open it. The nonce is random and comes first: a key
    /// seals a handful of values in its life.
    pub(super) fn seal(
        &self,
        entropy: &dyn Entropy,
        bound: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, AuthorityError> {
        let mut nonce = [0_u8; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut body = plain.to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut body)
            .map_err(|_| AuthorityError::SealKeyWrong)?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// Decrypts what [`Self::seal`] made with this key and the same `bound`.
    pub(super) fn open(&self, bound: &[u8], sealed: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(AuthorityError::SealKeyWrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| AuthorityError::SealKeyWrong)?;
        let mut body = body.to_vec();
        let plain = self
            .sealing
            .open_in_place(nonce, Aad::from(bound), &mut body)
            .map_err(|_| AuthorityError::SealKeyWrong)?;
        Ok(plain.to_vec())
    }
}

/// Writes a new key beside `path` and links it into place, so that nobody ever reads half a key and a
/// second process cannot replace the first one's.
fn create(path: &Path) -> io::Result<()> {
    let mut bytes = [0_u8; 32];
    SystemEntropy.fill(&mut bytes);
    let mut suffix = [0_u8; 8];
    SystemEntropy.fill(&mut suffix);
    let draft = path.with_added_extension(to_hex(&suffix));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(format!("{}\n", to_hex(&bytes)).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// Elsewhere access is a matter of the folder's access list.
#[cfg(not(unix))]
fn exposed(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Lower-case hexadecimal digits.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_file_is_its_owners_only_and_opens_again() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("seal.key");
        let first = SealKey::open_or_create(&path).expect("made");
        let sealed = first.seal(&SystemEntropy, b"bound", b"secret").expect("sealed");
        let again = SealKey::open_or_create(&path).expect("read");
        assert_eq!(again.open(b"bound", &sealed).expect("opened"), b"secret");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1, "no draft stays");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
            let error = SealKey::open_or_create(&path).expect_err("exposed");
            assert!(matches!(error, AuthorityError::SealKeyExposed { .. }));
        }
    }

    #[test]
    fn another_key_another_binding_or_a_flipped_bit_opens_nothing() {
        let key = SealKey::from_bytes(&[7; 32]).expect("key");
        let sealed = key.seal(&SystemEntropy, b"bound", b"secret").expect("sealed");
        let refused = |key: &SealKey, bound: &[u8], sealed: &[u8]| key.open(bound, sealed).is_err();
        assert!(refused(&SealKey::from_bytes(&[8; 32]).expect("key"), b"bound", &sealed));
        assert!(refused(&key, b"other", &sealed));
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert!(refused(&key, b"bound", &flipped), "byte {index}");
        }
        assert!(refused(&key, b"bound", &sealed[..5]));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("seal.key");
        create(&path).expect("made");
        for text in ["", "zz", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            fs::write(&path, text).expect("write");
            let error = SealKey::open_or_create(&path).expect_err("malformed");
            assert!(matches!(error, AuthorityError::SealKeyMalformed { .. }), "{text}");
        }
    }
}
