//! The mails with which people choose a password.

use secrecy::ExposeSecret;

use crate::db::Tx;
use crate::mail::{self, Block, Button, Letter, Origin, OutgoingMail, Recipient};
use crate::people::{self, LinkPurpose, Person};
use crate::web::{PageError, Texts, WebState};

/// Puts a mail with a fresh link into the outbox, in the caller's transaction.
pub(super) async fn send_link(
    tx: &mut Tx,
    state: &WebState,
    person: &Person,
    purpose: LinkPurpose,
) -> Result<(), PageError> {
    let token = people::issue_link(tx, &state.context, person.id, purpose).await?;
    let brand = state.brands.of(&state.context, person.organisation_id).await;
    let path = format!("/password/{}", token.expose_secret());
    let mail = OutgoingMail {
        event: format!("person/{}/{}", person.id, state.context.now().0),
        template: template(purpose),
        to: Recipient {
            person_id: Some(person.id),
            name: person.name.clone(),
            address: person.email.clone(),
        },
        organisation_id: person.organisation_id,
        ticket: None,
        origin: Origin::Notification,
        answers: None,
        merge: None,
        letter: letter(Texts::of(person.language), &brand.product_name, purpose, path),
    };
    mail::enqueue(tx, &state.context, mail).await?;
    Ok(())
}

fn template(purpose: LinkPurpose) -> &'static str {
    match purpose {
        LinkPurpose::First => "password-first",
        LinkPurpose::Reset => "password-reset",
    }
}

fn letter(texts: Texts, product: &str, purpose: LinkPurpose, path: String) -> Letter {
    let key = |part: &str| format!("mail-{}-{part}", template(purpose));
    let text = |part: &str| texts.t1(&key(part), "product", product).into_owned();
    Letter {
        language: texts.language(),
        subject: text("subject"),
        title: text("subject"),
        opening: text("opening"),
        blocks: vec![Block::Text { text: text("limits") }],
        buttons: vec![Button {
            label: texts.t("choose-password-title").into_owned(),
            path,
            claim: None,
            primary: true,
        }],
        appointment: None,
        footer: vec![text("why")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::rendering::LANGUAGES;

    #[test]
    fn both_mails_are_whole_in_both_languages_and_name_the_service() {
        for language in LANGUAGES {
            for purpose in [LinkPurpose::First, LinkPurpose::Reset] {
                let letter = letter(Texts::of(language), "iservices", purpose, "/password/t".into());
                let Block::Text { text: limits } = &letter.blocks[0] else { panic!("a text") };
                for text in [&letter.subject, &letter.opening, limits, &letter.footer[0]] {
                    assert!(!text.is_empty() && !text.starts_with("mail-"), "{text}");
                }
                assert!(letter.opening.contains("iservices") && letter.buttons[0].path == "/password/t");
            }
        }
    }
}
