//! For whom, where and by which channel a form's ticket is opened.

use std::borrow::Cow;

use super::fields::{NewForm, Parties};
use super::look_up::organisation;
use crate::db::Tx;
use crate::kernel::actor::Permission;
use crate::kernel::id::{OrganisationId, SiteId};
use crate::kernel::page::PageRequest;
use crate::kernel::text::EmailAddress;
use crate::people::{self, Person};
use crate::sites;
use crate::tickets::Channel;
use crate::web::parts::FieldErrors;
use crate::web::{PageError, Reader, Texts, WebState};

/// People named when an address fits several.
const NAMES_MAX: u32 = 5;

/// Who asks, for whom, in which organisation; what stands in the way is added to `errors`.
pub(super) async fn parties(
    state: &WebState,
    reader: &Reader,
    form: &NewForm,
    errors: &mut FieldErrors,
) -> Result<Option<Parties>, PageError> {
    let texts = reader.texts();
    let wanted = form.beneficiary.trim();
    let writes_for_others = reader.actor.may(Permission::CreateTicketForOthers);
    let beneficiary = if wanted.is_empty() {
        reader.person.clone()
    } else {
        let mut tx = state.context.db.read().await?;
        let found = if writes_for_others {
            find_person(&mut tx, reader, wanted, texts).await?
        } else {
            find_colleague(&mut tx, reader, wanted, texts).await?
        };
        match found {
            Ok(person) => person,
            Err(message) => {
                errors.add("beneficiary", message);
                return Ok(None);
            }
        }
    };
    let Some(organisation) = beneficiary.organisation_id.or_else(|| organisation(reader, &form.organisation))
    else {
        errors.add("organisation", texts.t("new-organisation-missing"));
        return Ok(None);
    };
    let for_other = beneficiary.id != reader.person.id;
    let own = reader.person.organisation_id == Some(organisation);
    let requester = if own || !for_other { reader.person.id } else { beneficiary.id };
    let by_phone = for_other && reader.actor.may(Permission::WorkTickets);
    let channel = if by_phone { Channel::Phone } else { Channel::Portal };
    let phone = if writes_for_others { beneficiary.phone.clone() } else { String::new() };
    Ok(Some(Parties { organisation, requester, beneficiary: beneficiary.id, phone, channel }))
}

/// One person by address, or by words that fit only one.
async fn find_person(
    tx: &mut Tx,
    reader: &Reader,
    wanted: &str,
    texts: Texts,
) -> Result<Result<Person, Cow<'static, str>>, PageError> {
    let request = PageRequest::from_query(None, Some(NAMES_MAX));
    let mut found = people::list_people(tx, reader.actor.scope, wanted, &request).await?.rows;
    if let Some(exact) = found.iter().position(|it| it.email.as_str().eq_ignore_ascii_case(wanted)) {
        return Ok(Ok(found.swap_remove(exact)));
    }
    if found.len() == 1 {
        return Ok(Ok(found.swap_remove(0)));
    }
    let names: Vec<&str> = found.iter().map(|it| it.email.as_str()).collect();
    Ok(Err(if names.is_empty() {
        texts.t("new-beneficiary-unknown")
    } else {
        texts.t1("new-beneficiary-several", "people", &names.join(", "))
    }))
}

/// A colleague by the whole address: who asks for help searches no directory.
async fn find_colleague(
    tx: &mut Tx,
    reader: &Reader,
    wanted: &str,
    texts: Texts,
) -> Result<Result<Person, Cow<'static, str>>, PageError> {
    let found = match wanted.parse::<EmailAddress>() {
        Ok(email) => people::find_person_by_email(tx, &email).await?,
        Err(_) => None,
    };
    let own = reader.person.organisation_id;
    let colleague = found.filter(|it| it.active && own.is_some() && it.organisation_id == own);
    Ok(colleague.ok_or_else(|| texts.t("new-beneficiary-colleague")))
}

/// The chosen site if it is one of the organisation's; nomads without a choice get the main one.
pub(super) async fn own_site(
    state: &WebState,
    form: &NewForm,
    organisation: OrganisationId,
) -> Result<Option<SiteId>, PageError> {
    let mut tx = state.context.db.read().await?;
    let all = sites::list_sites(&mut tx, organisation).await?;
    let chosen = all.iter().find(|it| it.id.to_string() == form.site);
    Ok(chosen.or_else(|| all.iter().find(|it| it.main)).map(|it| it.id))
}
