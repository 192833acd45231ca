//! `[mail]`

use std::path::PathBuf;
use std::time::Duration;

use parc_mail::smtp::{RelaySettings, Security};
use secrecy::SecretString;
use serde::Deserialize;

use super::{SettingsError, invalid};
use crate::kernel::text::EmailAddress;

/// Characters before the `@` of our address: with the longest word after a `+`, RFC 5321 §4.5.3.1.1 allows 64.
const LOCAL_CHARS_MAX: usize = 16;
/// Longest credentials or authority file, bytes: a chain of certificates fits.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Longest wait for one answer of the relay.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Mail that leaves: the relay, whose name it carries, limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// Name or address of the relay.
    pub host: String,
    /// Its port.
    #[serde(default = "submission_port")]
    pub port: u16,
    /// `start_tls`, `tls`, or `none` for a relay on the same machine.
    #[serde(default)]
    pub security: Security,
    /// PEM file of an authority to trust besides the public ones.
    pub authority_file: Option<PathBuf>,
    /// File with the name on its first and the password on its second line.
    pub credentials_file: Option<PathBuf>,
    /// Address mails come from and answers go to.
    pub from: String,
    /// Name beside it; left out, it is the name of the service as the branding has it.
    #[serde(default)]
    pub from_name: String,
    /// The mail system delivers `support+word@…` to `support@…`: answers and reports of non-delivery are then
    /// recognised by their address.
    #[serde(default = "yes")]
    pub plus_addressing: bool,
    /// Other addresses of ours; nothing is sent there.
    #[serde(default)]
    pub own_addresses: Vec<String>,
    /// How to reach the helpdesk, on every mail, where the branding does not say it; at most six lines.
    #[serde(default)]
    pub contact: Vec<String>,
    /// Mails to one address in an hour, 1 to 10000; more wait.
    #[serde(default = "hourly")]
    pub hourly_per_address: u32,
}

fn submission_port() -> u16 {
    587
}

fn yes() -> bool {
    true
}

fn hourly() -> u32 {
    60
}

impl MailSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if self.host.trim().is_empty() {
            return Err(invalid("mail.host", "must name the relay"));
        }
        let from: EmailAddress =
            self.from.parse().map_err(|_| invalid("mail.from", "must be an e-mail address"))?;
        let local_chars = from.as_str().split('@').next().map_or(0, str::len);
        if self.plus_addressing && local_chars > LOCAL_CHARS_MAX {
            let reason = format!(
                "must have at most {LOCAL_CHARS_MAX} characters before the @, or plus_addressing be off"
            );
            return Err(invalid("mail.from", reason));
        }
        if self.own_addresses.iter().any(|it| it.parse::<EmailAddress>().is_err()) {
            return Err(invalid("mail.own_addresses", "must hold e-mail addresses"));
        }
        if self.contact.len() > 6 || self.contact.iter().any(|it| it.chars().count() > 120) {
            return Err(invalid("mail.contact", "must hold at most 6 lines of 120 characters"));
        }
        if !(1..=10_000).contains(&self.hourly_per_address) {
            return Err(invalid("mail.hourly_per_address", "must be between 1 and 10000"));
        }
        Ok(())
    }

    /// What the connection needs; reads the files. `hello_name` is what we call ourselves.
    pub fn relay(&self, hello_name: &str) -> Result<RelaySettings, SettingsError> {
        let authority_pem = self.authority_file.as_ref().map(read).transpose()?;
        Ok(RelaySettings {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            authority_pem: authority_pem.map(String::into_bytes),
            credentials: self.credentials_file.as_ref().map(credentials).transpose()?,
            hello_name: hello_name.to_owned(),
            timeout: TIMEOUT,
        })
    }

    /// The domain of the address mails come from.
    pub fn domain(&self) -> &str {
        self.from.rsplit('@').next().unwrap_or_default()
    }
}

fn credentials(file: &PathBuf) -> Result<(String, SecretString), SettingsError> {
    let text = read(file)?;
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
            Ok((name.to_owned(), password.to_owned().into()))
        }
        _ => Err(invalid("mail.credentials_file", "must hold the name and the password on two lines")),
    }
}

fn read(file: &PathBuf) -> Result<String, SettingsError> {
    let failed = |cause| SettingsError::Read { path: file.clone(), cause };
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > FILE_BYTES_MAX {
        return Err(invalid("mail", format!("{} is longer than {FILE_BYTES_MAX} bytes", file.display())));
    }
    std::fs::read_to_string(file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn settings(more: &str) -> MailSettings {
        toml::from_str(&format!("host = \"mail.example.org\"\nfrom = \"support@example.org\"\n{more}"))
            .expect("valid")
    }

    #[test]
    fn two_keys_are_enough_and_mean_an_encrypted_connection() {
        let settings = settings("");
        settings.check().expect("usable");
        assert_eq!((settings.port, settings.security), (587, Security::StartTls));
        assert_eq!(settings.domain(), "example.org");
    }

    #[test]
    fn an_address_too_long_for_signed_words_is_refused_unless_they_are_off() {
        let mut settings = settings("");
        settings.from = "assistance-informatique@example.org".into();
        assert!(settings.check().expect_err("too long").to_string().starts_with("mail.from"));
        settings.plus_addressing = false;
        settings.check().expect("usable");
    }

    #[test]
    fn name_and_password_come_from_a_file_and_are_not_shown() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("smtp");
        std::fs::write(&file, "parc\nsecret word\n").expect("write");
        let settings = settings(&format!("credentials_file = {:?}", file.display().to_string()));
        let relay = settings.relay("parc.example.org").expect("read");
        assert!(!format!("{relay:?}").contains("secret word"));
        let (name, password) = relay.credentials.expect("given");
        assert_eq!((name.as_str(), password.expose_secret()), ("parc", "secret word"));
        std::fs::write(&file, "parc\n").expect("write");
        assert!(settings.relay("x").is_err());
    }
}
