//! Where a stored mail becomes a message: sender, signatures, addresses, the letter written out.

use std::sync::Arc;

use parc_mail::compose::{ComposeError, Draft, Enclosure, Origin as HeaderOrigin, Party, compose};
use parc_mail::identity::{self, LinkClaim, MessageIdentity, Signer};

use super::calendar::Appointment;
use super::letter::{Button, Letter};
use super::model::Origin;
use super::store::Leased;
use super::web::letter::{Accent, Paper, WrittenButton, html, plain};
use crate::branding::Brand;
use crate::kernel::time::UtcMicros;
use crate::people::Language;

/// What the signing key is derived for, so that no other use of the installation's secret gives the same bytes.
pub const KEY_PURPOSE: &str = "parc mail signature v1";

/// Person to whom a mail went that has no account: signatures need somebody.
const NOBODY: identity::Id = [0; 16];

/// What every mail of this installation has in common.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Signs Message-IDs, addresses and links.
    pub signer: Arc<Signer>,
    /// Address mails come from, and the name beside it; without a name, the service's.
    pub from: Party,
    /// The provider takes words after a `+` of the address.
    pub plus_addressing: bool,
    /// Addresses besides `from` that are ours: nothing is sent there.
    pub own_addresses: Vec<String>,
    /// Where people reach the pages, without a slash at the end.
    pub public_url: Arc<str>,
    /// How to reach the provider when the branding does not say it; one line each.
    pub contact: Vec<String>,
}

/// Ready for the relay.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) envelope_from: String,
    pub(super) bytes: Vec<u8>,
}

impl Desk {
    /// Whether mail to this address would come back to us.
    pub(super) fn is_own(&self, address: &str) -> bool {
        identity::is_ours(address, &self.from.address)
            || self.own_addresses.iter().any(|it| identity::is_ours(address, it))
    }

    /// The Message-ID of a mail: the same whenever it is asked for.
    pub(super) fn message_id(&self, mail: &Leased) -> String {
        self.signer.message_id(&MessageIdentity {
            ticket: mail.ticket_number.clone().unwrap_or_else(|| "account".into()),
            event: format!("{}-{}", last_part(&mail.event), mail.template),
            recipient: recipient(mail),
        })
    }

    /// The message, under the Message-ID that was set before the first attempt.
    pub(super) fn message(
        &self,
        mail: &Leased,
        letter: &Letter,
        message_id: &str,
        brand: &Brand,
    ) -> Result<Message, ComposeError> {
        let contact = self.contact(letter.language, brand);
        let paper = self.paper(mail, letter, brand, &contact);
        let subject = match &mail.ticket_number {
            Some(number) => format!("[{number}] {}", letter.subject),
            None => letter.subject.clone(),
        };
        let code = mail.organisation_code.as_deref().map(str::to_ascii_lowercase);
        let draft = Draft {
            from: Party { name: self.sender(brand).to_owned(), ..self.from.clone() },
            to: Party { name: mail.name.clone(), address: mail.address.clone() },
            reply_to: self.reply_to(mail),
            subject,
            message_id: message_id.to_owned(),
            references: self.references(mail),
            language: paper.language.to_owned(),
            list: code.map(|it| format!("{it}.{}", self.signer.domain())),
            origin: match mail.origin {
                Origin::Notification => HeaderOrigin::Notification,
                Origin::Acknowledgement => HeaderOrigin::Acknowledgement,
                Origin::Person => HeaderOrigin::Person,
            },
            instance: self.signer.instance(),
            date_s: u64::try_from(mail.created_at.seconds()).unwrap_or(0),
            plain: plain(&paper),
            html: html(&paper),
            enclosures: letter.appointment.iter().map(|it| enclosed(it, mail.created_at)).collect(),
        };
        Ok(Message { envelope_from: self.envelope_from(mail), bytes: compose(&draft)? })
    }

    /// A message that only shows that mail arrives, from nobody's outbox; with its envelope sender.
    ///
    /// # Errors
    ///
    /// `to` is not an address.
    pub fn test_message(&self, to: &str, now_s: u64) -> Result<(String, Vec<u8>), ComposeError> {
        let letter = Letter {
            language: Language::En,
            subject: "Test mail".into(),
            title: "Mail from Parc arrives".into(),
            opening: format!("The relay has taken this mail from {}.", self.from.address),
            blocks: Vec::new(),
            buttons: Vec::new(),
            footer: Vec::new(),
            appointment: None,
        };
        let paper = Paper {
            language: "en",
            letter: &letter,
            number: String::new(),
            sender: &self.from.name,
            accent: Accent::of(None),
            buttons: Vec::new(),
            contact: &self.contact,
        };
        let message_id = self.signer.message_id(&MessageIdentity {
            ticket: "test".into(),
            event: now_s.to_string(),
            recipient: NOBODY,
        });
        let draft = Draft {
            from: self.from.clone(),
            to: Party { name: String::new(), address: to.to_owned() },
            reply_to: self.from.address.clone(),
            subject: letter.subject.clone(),
            message_id,
            references: Vec::new(),
            language: "en".into(),
            list: None,
            origin: HeaderOrigin::Notification,
            instance: self.signer.instance(),
            date_s: now_s,
            plain: plain(&paper),
            html: html(&paper),
            enclosures: Vec::new(),
        };
        Ok((self.from.address.clone(), compose(&draft)?))
    }

    /// Whose name people see.
    fn sender<'a>(&'a self, brand: &'a Brand) -> &'a str {
        if self.from.name.is_empty() { &brand.product_name } else { &self.from.name }
    }

    /// How to reach the provider, on every mail (rule R153): telephone and hours, address, site.
    fn contact(&self, language: Language, brand: &Brand) -> Vec<String> {
        let contact = &brand.contact;
        let hours = contact.hours.of(language);
        let phone = match (contact.phone.as_str(), hours) {
            ("", _) => String::new(),
            (phone, "") => phone.to_owned(),
            (phone, hours) => format!("{phone} ({hours})"),
        };
        let lines = [phone, contact.mail.clone(), contact.site.clone()];
        let lines: Vec<String> = lines.into_iter().filter(|it| !it.is_empty()).collect();
        if lines.is_empty() { self.contact.clone() } else { lines }
    }

    fn paper<'a>(
        &'a self,
        mail: &Leased,
        letter: &'a Letter,
        brand: &'a Brand,
        contact: &'a [String],
    ) -> Paper<'a> {
        let written = |it: &Button| WrittenButton {
            label: it.label.clone(),
            address: self.link(mail, it),
            primary: it.primary,
        };
        Paper {
            language: match letter.language {
                Language::Fr => "fr",
                Language::En => "en",
            },
            letter,
            number: mail.ticket_number.clone().unwrap_or_default(),
            sender: self.sender(brand),
            accent: Accent::of(brand.accent),
            buttons: letter.buttons.iter().map(written).collect(),
            contact,
        }
    }

    fn link(&self, mail: &Leased, button: &Button) -> String {
        let page = format!("{}{}", self.public_url, button.path);
        let (Some(claim), Some(ticket)) = (&button.claim, &mail.ticket_number) else { return page };
        let token = self.signer.link_token(&LinkClaim {
            purpose: claim.purpose.clone(),
            ticket: ticket.clone(),
            event_no: claim.event_no,
            recipient: recipient(mail),
            until_s: claim.until_s,
        });
        format!("{page}{token}")
    }

    fn references(&self, mail: &Leased) -> Vec<String> {
        let root = mail.ticket_number.as_deref().map(|it| self.signer.root_id(it));
        root.into_iter().chain(mail.answers.clone()).collect()
    }

    fn reply_to(&self, mail: &Leased) -> String {
        match &mail.ticket_number {
            Some(number) if self.plus_addressing => {
                identity::with_token(&self.from.address, &self.signer.reply_token(number, &recipient(mail)))
            }
            _ => self.from.address.clone(),
        }
    }

    /// Where reports of non-delivery go.
    fn envelope_from(&self, mail: &Leased) -> String {
        if !self.plus_addressing {
            return self.from.address.clone();
        }
        let token = self.signer.bounce_token(mail.id.as_uuid().as_bytes());
        identity::with_token(&self.from.address, &token)
    }
}

fn enclosed(appointment: &Appointment, at: UtcMicros) -> Enclosure {
    Enclosure {
        name: "parc.ics".into(),
        media_type: appointment.media_type(),
        bytes: appointment.file(at).into_bytes(),
    }
}

fn recipient(mail: &Leased) -> identity::Id {
    mail.person_id.map_or(NOBODY, |it| *it.as_uuid().as_bytes())
}

/// `17` of `I202611_0042/17`.
fn last_part(event: &str) -> &str {
    event.rsplit('/').next().unwrap_or(event)
}
