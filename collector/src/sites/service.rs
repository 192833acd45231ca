//! Making organisations, sites and locations.

use serde_json::json;

use super::model::{Location, NewOrganisation, NewSite, Organisation, Site, SiteError};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::Actor;
use crate::kernel::id::{LocationId, OrganisationId, SiteId};
use crate::kernel::text;
use crate::kernel::time::Zone;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;
/// Characters of a postal address.
const ADDRESS_CHARS_MAX: usize = 240;

/// Applications of one organisation: a list people still read.
const APPLICATIONS_MAX: usize = 300;

/// Makes an organisation.
pub async fn create_organisation(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewOrganisation,
) -> Result<Organisation, SiteError> {
    let code = organisation_code(&new.code)?;
    let name = text::line(&new.name, NAME_CHARS_MAX).map_err(|it| invalid("name", it.to_string()))?;
    if Zone::named(&new.time_zone).is_none() {
        return Err(invalid("time_zone", "is not a known time zone"));
    }
    let id = OrganisationId::generate(context.now(), context.entropy.as_ref());
    let organisation = Organisation { id, code, name, time_zone: new.time_zone, demo: new.demo };
    if !store::insert_organisation(tx, &organisation, context.now()).await? {
        return Err(SiteError::Taken { field: "code", value: organisation.code });
    }
    let detail = json!({ "code": &organisation.code });
    audit::record(
        tx,
        context,
        actor,
        deed(id, "organisation.created", "organisation", id.to_string(), detail),
    )
    .await?;
    Ok(organisation)
}

/// Makes a site; a new main site replaces the old one.
pub async fn create_site(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewSite,
) -> Result<Site, SiteError> {
    let name = text::line(&new.name, NAME_CHARS_MAX).map_err(|it| invalid("name", it.to_string()))?;
    let address = text::optional_line(&new.address, ADDRESS_CHARS_MAX)
        .map_err(|it| invalid("address", it.to_string()))?;
    let id = SiteId::generate(context.now(), context.entropy.as_ref());
    let site = Site {
        id,
        organisation_id: new.organisation_id,
        name,
        address: address.unwrap_or_default(),
        main: new.main,
    };
    if site.main {
        store::clear_main(tx, site.organisation_id).await?;
    }
    if !store::insert_site(tx, &site, context.now()).await? {
        return Err(SiteError::Taken { field: "name", value: site.name });
    }
    let detail = json!({ "name": &site.name });
    audit::record(
        tx,
        context,
        actor,
        deed(site.organisation_id, "site.created", "site", id.to_string(), detail),
    )
    .await?;
    Ok(site)
}

/// Makes a location inside a site; an existing one of that name is returned.
pub async fn create_location(
    tx: &mut Tx,
    context: &Context,
    site: &Site,
    name: &str,
) -> Result<Location, SiteError> {
    let name = text::line(name, NAME_CHARS_MAX).map_err(|it| invalid("name", it.to_string()))?;
    let location = Location {
        id: LocationId::generate(context.now(), context.entropy.as_ref()),
        site_id: site.id,
        name,
    };
    Ok(store::insert_location(tx, location).await?)
}

/// Replaces the applications an organisation's people choose from (rule R021), one a line.
pub async fn set_applications(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    organisation: OrganisationId,
    lines: &str,
) -> Result<Vec<String>, SiteError> {
    let mut names = Vec::new();
    for line in lines.lines() {
        let name = text::optional_line(line, NAME_CHARS_MAX)
            .map_err(|it| invalid("applications", it.to_string()))?;
        names.extend(name.filter(|it| !names.contains(it)));
    }
    if names.len() > APPLICATIONS_MAX {
        return Err(invalid("applications", format!("must be at most {APPLICATIONS_MAX}")));
    }
    store::replace_applications(tx, organisation, &names).await?;
    let detail = json!({ "count": names.len() });
    let id = organisation.to_string();
    audit::record(
        tx,
        context,
        actor,
        deed(organisation, "organisation.applications_set", "organisation", id, detail),
    )
    .await?;
    Ok(names)
}

fn organisation_code(text: &str) -> Result<String, SiteError> {
    let code = text.trim().to_ascii_uppercase();
    let plain = code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    if !plain || !(2..=16).contains(&code.len()) {
        return Err(invalid("code", "must be 2 to 16 letters, digits or hyphens"));
    }
    Ok(code)
}

fn invalid(field: &'static str, reason: impl Into<String>) -> SiteError {
    SiteError::Invalid { field, reason: reason.into() }
}

fn deed(
    organisation: OrganisationId,
    action: &'static str,
    subject_kind: &'static str,
    subject_id: String,
    detail: serde_json::Value,
) -> Deed<'static> {
    Deed { organisation_id: Some(organisation), action, subject_kind, subject_id, detail }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::db::Db;
    use crate::db_test;
    use crate::kernel::actor::Scope;
    use crate::kernel::entropy::SystemEntropy;
    use crate::kernel::time::{ManualClock, UtcMicros};

    fn context(db: Db) -> Context {
        let clock = Arc::new(ManualClock::at(UtcMicros::from_seconds(1_700_000_000)));
        Context { db, clock, entropy: Arc::new(SystemEntropy) }
    }

    fn acme() -> NewOrganisation {
        NewOrganisation {
            code: " acme ".into(),
            name: "Acme".into(),
            time_zone: "Europe/Paris".into(),
            demo: false,
        }
    }

    db_test! {
        async fn an_organisation_has_one_main_site_and_its_locations(db: Db) {
            let context = context(db);
            let mut tx = context.db.begin().await.expect("begin");
            let actor = Actor::system();
            let organisation = create_organisation(&mut tx, &context, &actor, acme()).await.expect("organisation");
            assert_eq!(organisation.code, "ACME");
            for name in ["Lyon", "Paris"] {
                let new = NewSite { organisation_id: organisation.id, name: name.into(), address: String::new(), main: true };
                create_site(&mut tx, &context, &actor, new).await.expect("site");
            }
            let sites = store::list_sites(&mut tx, organisation.id).await.expect("sites");
            let main: Vec<&str> = sites.iter().filter(|it| it.main).map(|it| it.name.as_str()).collect();
            assert_eq!(main, ["Paris"]);
            let lyon = store::find_site_by_name(&mut tx, organisation.id, "Lyon").await.expect("find").expect("some");
            let shouted = store::find_site_by_name(&mut tx, organisation.id, "LYON").await.expect("find").expect("some");
            assert_eq!(shouted.id, lyon.id);
            let first = create_location(&mut tx, &context, &lyon, "B12").await.expect("location");
            let again = create_location(&mut tx, &context, &lyon, "B12").await.expect("location");
            assert_eq!(first.id, again.id);
            assert_eq!(store::list_locations(&mut tx, lyon.id).await.expect("list").len(), 1);
            assert_eq!(store::find_site(&mut tx, lyon.id).await.expect("find").map(|it| it.name), Some("Lyon".into()));
            let all = store::list_organisations(&mut tx, Scope::All).await.expect("list");
            assert_eq!(all.len(), 1);
            assert!(store::find_organisation(&mut tx, organisation.id).await.expect("find").is_some());
        }
    }

    db_test! {
        async fn a_code_is_taken_once(db: Db) {
            let context = context(db);
            let mut tx = context.db.begin().await.expect("begin");
            let actor = Actor::system();
            create_organisation(&mut tx, &context, &actor, acme()).await.expect("first");
            let error = create_organisation(&mut tx, &context, &actor, acme()).await.expect_err("second");
            assert!(matches!(error, SiteError::Taken { field: "code", .. }));
            let found = store::find_organisation_by_code(&mut tx, "ACME").await.expect("find");
            assert!(found.is_some());
        }
    }
}
