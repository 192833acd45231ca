//! `[[mailboxes]]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parc_mail::imap::ImapDoor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;
use serde::Deserialize;

use super::{SettingsError, invalid};
use crate::kernel::text::EmailAddress;

/// Mailboxes of one installation; each holds a connection.
const MAILBOXES_MAX: usize = 20;
/// Characters of a mailbox' name, as journals show it.
const NAME_CHARS_MAX: usize = 40;
/// Programs that may open tickets by automatic mails.
const MONITORING_SENDERS_MAX: usize = 200;
/// Longest credentials or authority file, bytes: a chain of certificates fits.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// How the line to a server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineSecurity {
    /// Encrypted from the first byte (RFC 8314).
    #[default]
    Tls,
    /// Not at all; for a server on the same machine only.
    None,
}

/// A mailbox that is fetched by IMAP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxSettings {
    /// What it is called here.
    pub name: String,
    /// Address people write to; mails from it are our own.
    pub address: String,
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    #[serde(default = "imaps")]
    pub port: u16,
    /// `tls`, or `none` for a server on the same machine.
    #[serde(default)]
    pub security: LineSecurity,
    /// PEM file of the only authority to trust; without it the public ones are.
    pub authority_file: Option<PathBuf>,
    /// File with the account on its first and the password on its second line.
    pub credentials_file: PathBuf,
    /// Folder new mail arrives in.
    #[serde(default = "inbox")]
    pub folder: String,
    /// Folder that takes messages once they are stored here; it is made when missing.
    #[serde(default = "stored")]
    pub stored_folder: String,
    /// Longest wait between two looks, seconds, 10 to 1500; a server that can tells of news at once.
    #[serde(default = "minutely")]
    pub poll_s: u64,
    /// Name under which our own mail server writes `Authentication-Results` (RFC 8601); without it nobody is
    /// verified, and staff's mails become notes.
    #[serde(default)]
    pub authentication_server: String,
    /// Programs whose automatic mails open tickets.
    #[serde(default)]
    pub monitoring_senders: Vec<String>,
}

fn imaps() -> u16 {
    993
}

fn inbox() -> String {
    "INBOX".into()
}

fn stored() -> String {
    "Parc".into()
}

fn minutely() -> u64 {
    60
}

/// Checks them one by one and together.
pub(super) fn check(mailboxes: &[MailboxSettings]) -> Result<(), SettingsError> {
    if mailboxes.len() > MAILBOXES_MAX {
        return Err(invalid("mailboxes", format!("must be at most {MAILBOXES_MAX}")));
    }
    for (place, mailbox) in mailboxes.iter().enumerate() {
        mailbox.check()?;
        if mailboxes[..place].iter().any(|it| it.name == mailbox.name) {
            return Err(invalid("mailboxes.name", format!("{} is there twice", mailbox.name)));
        }
    }
    Ok(())
}

impl MailboxSettings {
    fn check(&self) -> Result<(), SettingsError> {
        if self.name.trim().is_empty() || self.name.chars().count() > NAME_CHARS_MAX {
            return Err(invalid("mailboxes.name", format!("must have 1 to {NAME_CHARS_MAX} characters")));
        }
        if self.address.parse::<EmailAddress>().is_err() {
            return Err(invalid("mailboxes.address", "must be an e-mail address"));
        }
        if self.host.trim().is_empty() {
            return Err(invalid("mailboxes.host", "must name the server"));
        }
        if self.security == LineSecurity::None && !is_local(&self.host) {
            return Err(invalid("mailboxes.security", "may be none for a server on the same machine only"));
        }
        if self.folder == self.stored_folder || self.folder.is_empty() || self.stored_folder.is_empty() {
            return Err(invalid(
                "mailboxes.stored_folder",
                "must be another folder than the one mail arrives in",
            ));
        }
        if !(10..=1500).contains(&self.poll_s) {
            return Err(invalid("mailboxes.poll_s", "must be between 10 and 1500"));
        }
        let senders = &self.monitoring_senders;
        if senders.len() > MONITORING_SENDERS_MAX
            || senders.iter().any(|it| it.parse::<EmailAddress>().is_err())
        {
            let reason = format!("must hold at most {MONITORING_SENDERS_MAX} e-mail addresses");
            return Err(invalid("mailboxes.monitoring_senders", reason));
        }
        Ok(())
    }

    /// Server and account; reads the files.
    pub fn imap(&self) -> Result<ImapDoor, SettingsError> {
        let (user, password) = credentials(&self.credentials_file)?;
        let tls = match self.security {
            LineSecurity::None => None,
            LineSecurity::Tls => Some(Arc::new(self.tls()?)),
        };
        Ok(ImapDoor {
            host: self.host.clone(),
            port: self.port,
            tls,
            user,
            password,
            folder: self.folder.clone(),
        })
    }

    /// Longest wait between two looks.
    pub fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_s)
    }

    fn tls(&self) -> Result<rustls::ClientConfig, SettingsError> {
        let mut roots = rustls::RootCertStore::empty();
        match &self.authority_file {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let pem = read(file)?;
                let refused = || invalid("mailboxes.authority_file", "must hold certificates in PEM form");
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    roots.add(certificate.map_err(|_| refused())?).map_err(|_| refused())?;
                }
                if roots.is_empty() {
                    return Err(refused());
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| invalid("mailboxes.security", "cannot be had with this cryptography"))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn credentials(file: &Path) -> Result<(String, SecretString), SettingsError> {
    let text = read(file)?;
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
            Ok((name.to_owned(), password.to_owned().into()))
        }
        _ => {
            Err(invalid("mailboxes.credentials_file", "must hold the account and the password on two lines"))
        }
    }
}

fn read(file: &Path) -> Result<String, SettingsError> {
    let failed = |cause| SettingsError::Read { path: file.to_owned(), cause };
    if std::fs::metadata(file).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(invalid(
            "mailboxes",
            format!("{} is longer than {FILE_BYTES_MAX} bytes", file.display()),
        ));
    }
    std::fs::read_to_string(file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(more: &str) -> MailboxSettings {
        toml::from_str(&format!(
            "name = \"support\"\naddress = \"support@example.org\"\nhost = \"imap.example.org\"\n\
             credentials_file = \"/etc/parc/imap\"\n{more}"
        ))
        .expect("valid")
    }

    #[test]
    fn four_keys_are_enough_and_mean_an_encrypted_line() {
        let mailbox = mailbox("");
        check(std::slice::from_ref(&mailbox)).expect("usable");
        assert_eq!((mailbox.port, mailbox.security), (993, LineSecurity::Tls));
        assert!(mailbox.tls().is_ok());
    }

    #[test]
    fn a_password_goes_in_the_clear_only_inside_one_machine() {
        let open = mailbox("security = \"none\"");
        assert!(open.check().expect_err("refused").to_string().starts_with("mailboxes.security"));
        let local = MailboxSettings { host: "127.0.0.1".into(), ..open };
        local.check().expect("usable");
    }

    #[test]
    fn two_mailboxes_of_one_name_are_refused() {
        let twice = [mailbox(""), mailbox("")];
        assert!(check(&twice).expect_err("refused").to_string().contains("twice"));
    }
}
