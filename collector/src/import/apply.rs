//! One line of each kind, through the use case that a form would take.

use super::model::{Kind, Problem, Reason};
use super::table::Row;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, DeclaredField, InventoryError, Lifecycle, NewCi};
use crate::kernel::actor::{Actor, Role};
use crate::kernel::error::Fault;
use crate::kernel::text::{AssetTag, EmailAddress};
use crate::people::{self, Language, NewPerson, PeopleError};
use crate::sites::{self, NewOrganisation, NewSite, Organisation, Site, SiteError};
use crate::tickets::LateAttachment;

/// Time zone of an organisation that names none.
const TIME_ZONE: &str = "Europe/Paris";

/// True when something was made, false when it is there already; otherwise everything that is wrong with the line.
type Applied = Result<bool, Vec<Problem>>;

pub(super) async fn apply(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    kind: Kind,
    row: &Row,
) -> Result<Applied, StoreError> {
    let needed = kind.columns().iter().filter(|it| it.needed && row.get(it.name).is_empty());
    let empty: Vec<Problem> = needed.map(|it| row.problem(it.name, Reason::Empty)).collect();
    if !empty.is_empty() {
        return Ok(Err(empty));
    }
    match kind {
        Kind::Organisations => organisation(tx, context, actor, row).await,
        Kind::Sites => site(tx, context, actor, row).await,
        Kind::Persons => person(tx, context, actor, row).await,
        Kind::Machines => machine(tx, context, actor, row).await,
    }
}

fn wrong(row: &Row, column: &str, reason: Reason) -> Applied {
    Err(vec![row.problem(column, reason)])
}

async fn organisation(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    row: &Row,
) -> Result<Applied, StoreError> {
    if find_organisation(tx, row.get("code")).await?.is_some() {
        return Ok(Ok(false));
    }
    let zone = row.get("time_zone");
    let new = NewOrganisation {
        code: row.get("code").to_owned(),
        name: row.get("name").to_owned(),
        time_zone: if zone.is_empty() { TIME_ZONE } else { zone }.to_owned(),
        demo: false,
    };
    of_sites(row, sites::create_organisation(tx, context, actor, new).await.map(drop))
}

async fn site(tx: &mut Tx, context: &Context, actor: &Actor, row: &Row) -> Result<Applied, StoreError> {
    let Some(organisation) = find_organisation(tx, row.get("organisation")).await? else {
        return Ok(wrong(row, "organisation", Reason::Unknown));
    };
    let Some(main) = yes_or_no(row.get("main")) else {
        return Ok(wrong(row, "main", Reason::Malformed));
    };
    if sites::find_site_by_name(tx, organisation.id, row.get("name")).await?.is_some() {
        return Ok(Ok(false));
    }
    let new = NewSite {
        organisation_id: organisation.id,
        name: row.get("name").to_owned(),
        address: row.get("address").to_owned(),
        main,
    };
    of_sites(row, sites::create_site(tx, context, actor, new).await.map(drop))
}

async fn person(tx: &mut Tx, context: &Context, actor: &Actor, row: &Row) -> Result<Applied, StoreError> {
    let mut problems = Vec::new();
    let organisation = optional_organisation(tx, row, &mut problems).await?;
    let site = optional_site(tx, row, organisation.as_ref(), &mut problems).await?;
    let email = row.get("email").parse::<EmailAddress>();
    if email.is_err() {
        problems.push(row.problem("email", Reason::Malformed));
    }
    let language = match row.get("language").to_lowercase().as_str() {
        "" | "fr" | "français" | "francais" => Language::Fr,
        "en" | "english" | "anglais" => Language::En,
        _ => {
            problems.push(row.problem("language", Reason::Malformed));
            Language::Fr
        }
    };
    let roles = roles(row.get("roles"));
    if roles.is_none() {
        problems.push(row.problem("roles", Reason::Malformed));
    }
    let (Ok(email), Some(roles), true) = (email, roles, problems.is_empty()) else {
        return Ok(Err(problems));
    };
    let organisation_id = organisation.map(|it| it.id);
    if let Some(known) = people::find_person_by_email(tx, &email).await? {
        let same = known.organisation_id == organisation_id;
        return Ok(if same { Ok(false) } else { wrong(row, "email", Reason::Taken) });
    }
    let new = NewPerson {
        organisation_id,
        email,
        name: row.get("name").to_owned(),
        phone: row.get("phone").to_owned(),
        language,
        default_site_id: site.map(|it| it.id),
        roles,
    };
    let made = match people::create_person(tx, context, actor, new).await {
        Ok(person) => person,
        Err(error) => return of_people(row, error),
    };
    match people::set_login(tx, context, actor, made.id, row.get("login")).await {
        Ok(()) => Ok(Ok(true)),
        Err(error) => of_people(row, error),
    }
}

async fn machine(tx: &mut Tx, context: &Context, actor: &Actor, row: &Row) -> Result<Applied, StoreError> {
    let mut problems = Vec::new();
    let organisation = optional_organisation(tx, row, &mut problems).await?;
    let site = optional_site(tx, row, organisation.as_ref(), &mut problems).await?;
    let tag = row.get("tag").parse::<AssetTag>();
    if tag.is_err() {
        problems.push(row.problem("tag", Reason::Malformed));
    }
    let assigned = match row.get("person") {
        "" => None,
        text => {
            let email = text.parse::<EmailAddress>().ok();
            let found = match email {
                Some(email) => people::find_person_by_email(tx, &email).await?,
                None => None,
            };
            let own = found.filter(|it| it.organisation_id == organisation.as_ref().map(|own| own.id));
            if own.is_none() {
                problems.push(row.problem("person", Reason::Unknown));
            }
            own
        }
    };
    let (Ok(tag), Some(organisation), true) = (tag, organisation, problems.is_empty()) else {
        return Ok(Err(problems));
    };
    if inventory::find_ci_by_tag(tx, organisation.id, tag.key()).await?.is_some() {
        return Ok(Ok(false));
    }
    let new = NewCi {
        organisation_id: organisation.id,
        site_id: site.map(|it| it.id),
        location: row.get("location").to_owned(),
        tag: Some(tag),
        assigned_to_id: assigned.map(|it| it.id),
        lifecycle: Lifecycle::InUse,
        declared: declared(row),
    };
    match inventory::create_ci(tx, context, actor, new, &LateAttachment { context: context.clone() }).await {
        Ok(_) => Ok(Ok(true)),
        Err(InventoryError::Store(error)) => Err(error),
        Err(error) => Ok(wrong(row, error.field().unwrap_or("tag"), Reason::Malformed)),
    }
}

fn declared(row: &Row) -> Vec<(DeclaredField, String)> {
    let fields = [
        ("make", DeclaredField::Make),
        ("model", DeclaredField::Model),
        ("serial", DeclaredField::Serial),
        ("purchased_on", DeclaredField::PurchasedOn),
        ("warranty_until", DeclaredField::WarrantyUntil),
        ("supplier", DeclaredField::Supplier),
    ];
    let given = fields.into_iter().filter(|it| !row.get(it.0).is_empty());
    given.map(|(column, field)| (field, row.get(column).to_owned())).collect()
}

async fn find_organisation(tx: &mut Tx, code: &str) -> Result<Option<Organisation>, StoreError> {
    sites::find_organisation_by_code(tx, &code.trim().to_ascii_uppercase()).await
}

async fn optional_organisation(
    tx: &mut Tx,
    row: &Row,
    problems: &mut Vec<Problem>,
) -> Result<Option<Organisation>, StoreError> {
    if row.get("organisation").is_empty() {
        return Ok(None);
    }
    let found = find_organisation(tx, row.get("organisation")).await?;
    if found.is_none() {
        problems.push(row.problem("organisation", Reason::Unknown));
    }
    Ok(found)
}

async fn optional_site(
    tx: &mut Tx,
    row: &Row,
    organisation: Option<&Organisation>,
    problems: &mut Vec<Problem>,
) -> Result<Option<Site>, StoreError> {
    if row.get("site").is_empty() {
        return Ok(None);
    }
    let found = match organisation {
        Some(organisation) => sites::find_site_by_name(tx, organisation.id, row.get("site")).await?,
        None => None,
    };
    if found.is_none() {
        problems.push(row.problem("site", Reason::Unknown));
    }
    Ok(found)
}

/// Roles separated by blanks, commas or bars; none means requester.
fn roles(text: &str) -> Option<Vec<Role>> {
    let words: Vec<String> = text
        .to_lowercase()
        .split(|it: char| it.is_whitespace() || it == '|' || it == ',' || it == '+')
        .filter(|it| !it.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    if words.is_empty() {
        return Some(vec![Role::Requester]);
    }
    words.iter().map(|word| Role::ALL.into_iter().find(|it| it.code() == word)).collect()
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "" | "no" | "non" | "false" | "faux" | "0" => Some(false),
        "yes" | "oui" | "true" | "vrai" | "1" | "x" => Some(true),
        _ => None,
    }
}

fn of_sites(row: &Row, done: Result<(), SiteError>) -> Result<Applied, StoreError> {
    match done {
        Ok(()) => Ok(Ok(true)),
        Err(SiteError::Store(error)) => Err(error),
        Err(SiteError::Taken { field, .. }) => Ok(wrong(row, field, Reason::Taken)),
        Err(SiteError::Invalid { field, .. }) => Ok(wrong(row, field, Reason::Malformed)),
    }
}

fn of_people(row: &Row, error: PeopleError) -> Result<Applied, StoreError> {
    match error {
        PeopleError::Store(error) => Err(error),
        PeopleError::Taken(_) => Ok(wrong(row, "email", Reason::Taken)),
        PeopleError::Invalid { field: "login", reason } if reason.contains("taken") => {
            Ok(wrong(row, "login", Reason::Taken))
        }
        PeopleError::Invalid { field: "organisation_id", .. } => {
            Ok(wrong(row, "organisation", Reason::Unknown))
        }
        PeopleError::Invalid { field, .. } => Ok(wrong(row, field, Reason::Malformed)),
        PeopleError::NotFound | PeopleError::Forbidden | PeopleError::Busy => {
            Ok(wrong(row, "roles", Reason::Malformed))
        }
    }
}
