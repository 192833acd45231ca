//! Enroll tokens: made here, shown once with the command they are for, revoked here.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::agents::{self, AgentError, EnrollToken, NewEnrollToken};
use crate::inventory::TagPolicy;
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::Permission;
use crate::kernel::page::PageRequest;
use crate::sites::{self, Organisation, Site};
use crate::web::error::{page, page_with};
use crate::web::parts::{Badge, Choice, FieldErrors, Pager};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

/// Machines one token may enroll.
const USES_MAX: u32 = 10_000;
/// Days one token may live.
const DAYS_MAX: u32 = 90;
/// Sites offered over all organisations.
const SITES_SHOWN_MAX: usize = 500;

#[derive(Debug, Template)]
#[template(path = "agents/web/tokens.html")]
struct TokensPage {
    shell: Shell,
    form: TokenForm,
    organisations: Vec<Choice>,
    sites: Vec<Choice>,
    policies: Vec<Choice>,
    errors: FieldErrors,
    /// The command with the token, shown this once.
    command: String,
    rows: Vec<TokenRow>,
    pager: Pager,
}

#[derive(Debug)]
struct TokenRow {
    id: String,
    organisation: String,
    site: String,
    policy: String,
    uses: String,
    expires: Stamp,
    created_by: String,
    status: Badge,
    live: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct TokenForm {
    organisation: String,
    site: String,
    uses: String,
    days: String,
    policy: String,
}

impl Default for TokenForm {
    fn default() -> Self {
        let text = String::from;
        Self {
            organisation: String::new(),
            site: String::new(),
            uses: text("25"),
            days: text("7"),
            policy: text("may_create"),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TokenQuery {
    cursor: String,
    done: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Nothing {}

/// What the page offers and lists.
struct Loaded {
    organisations: Vec<Organisation>,
    sites: Vec<(String, Site)>,
    rows: Vec<TokenRow>,
    next: Option<String>,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<TokenQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let loaded = load(&state, &reader, &asked.cursor).await?;
    let shell = reader.shell(reader.texts().t("nav-tokens"), Section::Tokens).with_notice(&asked.done);
    page(&tokens_page(shell, TokenForm::default(), &asked.cursor, loaded, FieldErrors::default()))
}

pub(crate) async fn create(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<TokenForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let loaded = load(&state, &reader, "").await?;
    let texts = reader.texts();
    let (new, errors) = parse(texts, &form, &loaded);
    let shell = reader.shell(texts.t("nav-tokens"), Section::Tokens);
    let Some(new) = new else {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &tokens_page(shell, form, "", loaded, errors));
    };
    let command = make(&state, &reader, new).await?;
    // The list again, with the new token in it.
    let loaded = load(&state, &reader, "").await?;
    let mut shown = tokens_page(shell, TokenForm::default(), "", loaded, FieldErrors::default());
    shown.command = command;
    page(&shown)
}

pub(crate) async fn revoke(
    State(state): State<WebState>,
    Path(token): Path<String>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.begin().await?;
    agents::revoke_enroll_token(&mut tx, &state.context, &reader.actor, &token).await?;
    tx.commit().await?;
    Ok(Redirect::to("/enroll-tokens?done=token-revoked").into_response())
}

/// Makes the token and writes the command that uses it.
async fn make(state: &WebState, reader: &Reader, new: NewEnrollToken) -> Result<String, AgentError> {
    let mut tx = state.context.db.begin().await?;
    let fingerprint = &state.authority_fingerprint;
    let token = agents::create_enroll_token(&mut tx, &state.context, &reader.actor, fingerprint, new).await?;
    tx.commit().await?;
    Ok(format!("parc-agent enroll --collector {} --token {}", state.agents_url(), token.expose_secret()))
}

async fn load(state: &WebState, reader: &Reader, cursor: &str) -> Result<Loaded, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    let mut sites = Vec::new();
    for organisation in &organisations {
        if sites.len() < SITES_SHOWN_MAX {
            let own = sites::list_sites(&mut tx, organisation.id).await?;
            sites.extend(own.into_iter().map(|it| (organisation.name.clone(), it)));
        }
    }
    let request = PageRequest::from_query(Some(cursor), None);
    let found = agents::list_enroll_tokens(&mut tx, reader.actor.scope, &request).await?;
    let rows = found.rows.iter().map(|it| token_row(lens, it)).collect();
    Ok(Loaded { organisations, sites, rows, next: found.next })
}

/// From the form, with every error at its field.
fn parse(texts: Texts, form: &TokenForm, loaded: &Loaded) -> (Option<NewEnrollToken>, FieldErrors) {
    let mut errors = FieldErrors::default();
    let mut number = |field: &'static str, text: &str, max: u32| {
        let value = text.trim().parse().ok().filter(|it| (1..=max).contains(it));
        if value.is_none() {
            let max = crate::web::numbers::integer(texts.language(), i64::from(max));
            errors.add(field, texts.t1("number-between", "max", &max));
        }
        value.unwrap_or(1)
    };
    let (uses_max, valid_days) = (number("uses", &form.uses, USES_MAX), number("days", &form.days, DAYS_MAX));
    let site = loaded.sites.iter().map(|it| &it.1).find(|it| it.id.to_string() == form.site);
    let chosen =
        loaded.organisations.iter().find(|it| it.id.to_string() == form.organisation).map(|it| it.id);
    let only = loaded.organisations.first().filter(|_| loaded.organisations.len() == 1).map(|it| it.id);
    let organisation = chosen.or(only).or(site.map(|it| it.organisation_id));
    let tag_policy = match form.policy.as_str() {
        "none" => TagPolicy::None,
        "must_exist" => TagPolicy::MustExist,
        _ => TagPolicy::MayCreate,
    };
    match organisation {
        None => errors.add("organisation", texts.t("new-organisation-missing")),
        Some(organisation) if site.is_some_and(|it| it.organisation_id != organisation) => {
            errors.add("site", texts.t("token-site-elsewhere"));
        }
        Some(_) => {}
    }
    let new = organisation.filter(|_| errors.is_empty()).map(|organisation_id| NewEnrollToken {
        organisation_id,
        site_id: site.map(|it| it.id),
        uses_max,
        valid_days,
        tag_policy,
    });
    (new, errors)
}

fn policy_code(policy: TagPolicy) -> &'static str {
    match policy {
        TagPolicy::None => "none",
        TagPolicy::MustExist => "must_exist",
        TagPolicy::MayCreate => "may_create",
    }
}

fn token_row(lens: Lens<'_>, token: &EnrollToken) -> TokenRow {
    let texts = lens.texts;
    let (tone, icon, key) = match token {
        it if it.revoked_at.is_some() => ("quiet", "close", "token-revoked"),
        it if it.expires_at <= lens.now => ("quiet", "clock", "token-expired"),
        it if it.uses >= it.uses_max => ("quiet", "ok", "token-used-up"),
        _ => ("ok", "ok", "token-valid"),
    };
    let shown = |it| crate::web::numbers::integer(texts.language(), it);
    TokenRow {
        id: token.id.clone(),
        organisation: token.organisation_name.clone(),
        site: token.site_name.clone(),
        policy: texts.word("tag-policy", policy_code(token.tag_policy)).into_owned(),
        uses: format!("{} / {}", shown(token.uses), shown(token.uses_max)),
        expires: Stamp::day(texts, lens.zone, token.expires_at),
        created_by: token.created_by.clone(),
        status: Badge { tone, icon, text: texts.t(key).into_owned(), hint: String::new() },
        live: key == "token-valid",
    }
}

fn tokens_page(
    shell: Shell,
    form: TokenForm,
    cursor: &str,
    loaded: Loaded,
    errors: FieldErrors,
) -> TokensPage {
    let texts = shell.texts;
    let several = loaded.organisations.len() > 1;
    let pick = |value: String, label: String, chosen: &str| {
        let now = value == chosen;
        Choice::new(value, label, now)
    };
    let site_label = |organisation: &str, site: &Site| {
        if several { format!("{organisation} · {}", site.name) } else { site.name.clone() }
    };
    let policies =
        [TagPolicy::MayCreate, TagPolicy::MustExist, TagPolicy::None].map(policy_code).map(|code| Choice {
            help: texts.word("tag-policy-help", code).into_owned(),
            ..Choice::new(code, texts.word("tag-policy", code), code == form.policy)
        });
    TokensPage {
        organisations: loaded
            .organisations
            .iter()
            .filter(|_| several)
            .map(|it| pick(it.id.to_string(), it.name.clone(), &form.organisation))
            .collect(),
        sites: loaded
            .sites
            .iter()
            .map(|(name, it)| pick(it.id.to_string(), site_label(name, it), &form.site))
            .collect(),
        policies: policies.to_vec(),
        errors,
        command: String::new(),
        pager: Pager::of("/enroll-tokens", cursor, loaded.next.as_deref()),
        rows: loaded.rows,
        shell,
        form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::kernel::time::days;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn token(expires_in: u64, uses: i64) -> EnrollToken {
        EnrollToken {
            id: format!("k{expires_in}{uses}"),
            organisation_id: samples::organisation_id(),
            organisation_name: "Ateliers Vaugneray".into(),
            site_name: "Lyon".into(),
            tag_policy: TagPolicy::MayCreate,
            uses_max: 25,
            uses,
            created_at: now(),
            expires_at: now() + days(expires_in),
            created_by: HOSTILE.into(),
            revoked_at: None,
        }
    }

    fn loaded(lens: Lens<'_>, tokens: &[EnrollToken]) -> Loaded {
        let (organisations, sites) = samples::places();
        let sites = sites.into_iter().map(|it| (organisations[0].name.clone(), it)).collect();
        Loaded {
            organisations,
            sites,
            rows: tokens.iter().map(|it| token_row(lens, it)).collect(),
            next: None,
        }
    }

    #[test]
    fn tokens_are_drawn_empty_listed_refused_and_just_made() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame = || shell(language, &[Role::Admin], &lens.texts.t("nav-tokens"), Section::Tokens);
            let form = TokenForm::default;
            check(
                "tokens-none",
                language,
                &tokens_page(frame(), form(), "", loaded(lens, &[]), FieldErrors::default()),
            );
            let listed = loaded(lens, &[token(7, 3), token(0, 3), token(5, 25)]);
            let mut made = tokens_page(frame(), form(), "", listed, FieldErrors::default());
            made.command = "parc-agent enroll --collector https://parc.example:8443 --token pe1_k7q2n_4f0c9a7be1d24c5f8a6b3c2d1e0f".into();
            check("tokens", language, &made);
            let asked = TokenForm { uses: "0".into(), days: HOSTILE.into(), ..form() };
            let loaded = loaded(lens, &[]);
            let (new, errors) = parse(lens.texts, &asked, &loaded);
            assert!(new.is_none() && errors.0.len() == 3, "{errors:?}");
            check("tokens-refused", language, &tokens_page(frame(), asked, "", loaded, errors));
        }
    }
}
