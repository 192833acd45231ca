//! The polite answer to somebody nobody has added (rule R005): the same words for everybody, in both languages,
//! since nothing is known about the reader.

use parc_mail::reading::Incoming;

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::id::InboundMailId;
use crate::kernel::text::EmailAddress;
use crate::mail::{self, Block, Letter, Origin, OutgoingMail, Recipient};
use crate::people::Language;
use crate::web::Texts;

/// Writes it into the outbox. The words of the message are not repeated: nobody shall send them through us.
pub(super) async fn refuse(
    tx: &mut Tx,
    context: &Context,
    id: InboundMailId,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    let Ok(address) = incoming.from.address.parse::<EmailAddress>() else { return Ok(()) };
    let said = |language| Block::Text { text: Texts::of(language).t("refusal-text").into_owned() };
    let french = Texts::of(Language::Fr);
    let letter = Letter {
        language: Language::Fr,
        subject: french.t("refusal-subject").into_owned(),
        title: String::new(),
        opening: String::new(),
        blocks: vec![said(Language::Fr), said(Language::En)],
        buttons: Vec::new(),
        footer: Vec::new(),
        appointment: None,
    };
    let mail = OutgoingMail {
        event: format!("inbound/{id}"),
        template: "refusal",
        to: Recipient { person_id: None, name: String::new(), address },
        organisation_id: None,
        ticket: None,
        origin: Origin::Acknowledgement,
        answers: Some(format!("<{}>", incoming.message_id)),
        merge: None,
        letter,
    };
    mail::enqueue(tx, context, mail).await.map(drop)
}
