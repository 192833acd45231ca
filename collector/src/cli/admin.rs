//! `parc-collector admin …`: what an installation needs before anybody can sign in.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use secrecy::{ExposeSecret, SecretString};

use super::service::{self, CalendarArguments, ContractArguments};
use crate::agents::{self, NewEnrollToken, SealKey};
use crate::app;
use crate::config::Settings;
use crate::context::Context;
use crate::db::Tx;
use crate::import::{self, IMPORT_BYTES_MAX, Kind};
use crate::inventory::{self, DeclaredField, Lifecycle, NewCi, TagPolicy};
use crate::kernel::actor::{Actor, Role};
use crate::kernel::id::AgentId;
use crate::kernel::text::EmailAddress;
use crate::people::{self, Language, NewApiKey, NewPerson};
use crate::sites::{self, NewOrganisation, NewSite, Organisation, Site};
use crate::teams::{self, NewTeam, TeamKind};
use crate::tickets::{LateAttachment, SubKind, TicketKind};

/// Longest password file that is read, bytes: far above the longest password.
const PASSWORD_FILE_BYTES_MAX: usize = 1_024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a client organisation; prints its id.
    Organisation {
        /// Short code, as mails carry it.
        #[arg(long)]
        code: String,
        /// Name.
        #[arg(long)]
        name: String,
        /// IANA time zone.
        #[arg(long, default_value = "Europe/Paris")]
        time_zone: String,
    },
    /// Make a site of an organisation; prints its id.
    Site {
        /// Organisation's code.
        #[arg(long)]
        organisation: String,
        /// Name.
        #[arg(long)]
        name: String,
        /// Postal address.
        #[arg(long, default_value = "")]
        address: String,
        /// The site people without a fixed place choose.
        #[arg(long)]
        main: bool,
    },
    /// Make a location inside a site; prints its id.
    Location {
        /// Organisation's code.
        #[arg(long)]
        organisation: String,
        /// Site's name.
        #[arg(long)]
        site: String,
        /// Building, floor, room.
        #[arg(long)]
        name: String,
    },
    /// Make a person; prints the id. Without a password file the person cannot sign in yet.
    Person(PersonArguments),
    /// Make a team of technicians; prints its id.
    Team(TeamArguments),
    /// Make those of the usual teams that are missing, with the tickets each gets first.
    DefaultTeams,
    /// Make a key for another program; prints it, this once.
    ApiKey {
        /// What the key is for.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long, value_enum)]
        role: Role,
        /// The only organisation it sees.
        #[arg(long)]
        organisation: Option<String>,
    },
    /// Make a token with which agents enroll; prints it, this once.
    EnrollToken {
        /// Organisation's code.
        #[arg(long)]
        organisation: String,
        /// Site's name.
        #[arg(long)]
        site: Option<String>,
        /// Machines that may use it, 1 to 10000.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// Days it is valid, 1 to 90.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// What a tag claimed by these agents is worth.
        #[arg(long, value_enum, default_value_t = TagPolicy::MayCreate)]
        tag_policy: TagPolicy,
    },
    /// Declare a machine in advance or one without agent; prints its id.
    Asset(Box<AssetArguments>),
    /// Hand a test mail to the configured relay, past the outbox; prints the relay's answer.
    TestMail {
        /// Address it goes to.
        #[arg(long)]
        to: EmailAddress,
    },
    /// Make a calendar of service hours; prints its id.
    Calendar(Box<CalendarArguments>),
    /// Make a maintenance contract; prints its id.
    Contract(Box<ContractArguments>),
    /// Import a list from a CSV file, whole or not at all; names every bad line and column.
    Import {
        /// What the file holds.
        #[arg(long, value_enum)]
        kind: Kind,
        /// The file; its first line names the columns.
        #[arg(long)]
        file: PathBuf,
        /// Only try.
        #[arg(long)]
        dry_run: bool,
    },
    /// Shut an agent out; effective within a minute on every collector.
    Revoke {
        /// Agent's id.
        #[arg(long)]
        agent: AgentId,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct TeamArguments {
    /// Short name, 2 to 32 of a-z, 0-9, hyphen; an existing team gets the members and routes.
    #[arg(long)]
    code: String,
    /// Name as shown; the code if left out.
    #[arg(long)]
    name: Option<String>,
    /// Support level, 1 or 2.
    #[arg(long, default_value_t = 1)]
    level: i64,
    /// What it is good at.
    #[arg(long, value_enum, default_value_t = TeamKind::Other)]
    kind: TeamKind,
    /// Code of the only organisation it works for.
    #[arg(long)]
    organisation: Option<String>,
    /// E-mail address of a technician in it; may be given several times.
    #[arg(long = "member")]
    members: Vec<String>,
    /// Tickets it gets first, as `incident`, `incident/connection` or `incident@Payroll`; may be given several times.
    #[arg(long = "first-for")]
    first_for: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PersonArguments {
    /// E-mail address, the name to sign in with.
    #[arg(long)]
    email: String,
    /// Name as shown.
    #[arg(long)]
    name: String,
    /// What the person may do; may be given several times.
    #[arg(long = "role", value_enum, required = true)]
    roles: Vec<Role>,
    /// Organisation's code; nothing for the service provider's own staff.
    #[arg(long)]
    organisation: Option<String>,
    /// Telephone number.
    #[arg(long, default_value = "")]
    phone: String,
    /// Language of pages and mails.
    #[arg(long, value_enum, default_value_t = Language::Fr)]
    language: Language,
    /// Usual site's name.
    #[arg(long)]
    site: Option<String>,
    /// File whose first line is the password.
    #[arg(long)]
    password_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct AssetArguments {
    /// Organisation's code.
    #[arg(long)]
    organisation: String,
    /// Asset tag, as on the sticker.
    #[arg(long)]
    tag: String,
    /// Site's name.
    #[arg(long)]
    site: Option<String>,
    /// Building, floor, room.
    #[arg(long, default_value = "")]
    location: String,
    /// E-mail address of the person it is given to.
    #[arg(long)]
    person: Option<String>,
    /// Make.
    #[arg(long)]
    make: Option<String>,
    /// Model.
    #[arg(long)]
    model: Option<String>,
    /// Serial number.
    #[arg(long)]
    serial: Option<String>,
    /// Date of purchase, YYYY-MM-DD.
    #[arg(long)]
    purchased_on: Option<String>,
    /// End of warranty, YYYY-MM-DD.
    #[arg(long)]
    warranty_until: Option<String>,
    /// Supplier.
    #[arg(long)]
    supplier: Option<String>,
}

/// Carries one command out in one transaction and returns the line to print.
pub(super) async fn carry_out(
    context: &Context,
    settings: &Settings,
    what: Command,
) -> anyhow::Result<String> {
    let what = match what {
        Command::Person(arguments) => return make_person(context, arguments).await,
        Command::TestMail { to } => {
            let seal = SealKey::open_or_create(&settings.seal_key_file())?;
            let now_s = u64::try_from(context.now().seconds()).unwrap_or(0);
            return app::send_test_mail(settings, &seal, to.as_str(), now_s).await;
        }
        Command::Import { kind, file, dry_run } => return import_list(context, kind, &file, dry_run).await,
        other => other,
    };
    // The authority opens its own transaction, so it comes first.
    let fingerprint = match what {
        Command::EnrollToken { .. } => {
            agents::open_authority(context, &settings.seal_key_file()).await?.0.fingerprint().to_owned()
        }
        _ => String::new(),
    };
    let mut tx = context.db.begin().await?;
    let line = carry_out_in(&mut tx, context, &fingerprint, what).await?;
    tx.commit().await?;
    Ok(line)
}

async fn carry_out_in(
    tx: &mut Tx,
    context: &Context,
    fingerprint: &str,
    what: Command,
) -> anyhow::Result<String> {
    let actor = Actor::system();
    match what {
        Command::Organisation { code, name, time_zone } => {
            let new = NewOrganisation { code, name, time_zone, demo: false };
            Ok(sites::create_organisation(tx, context, &actor, new).await?.id.to_string())
        }
        Command::Site { organisation, name, address, main } => {
            let organisation_id = organisation_of(tx, &organisation).await?.id;
            let new = NewSite { organisation_id, name, address, main };
            Ok(sites::create_site(tx, context, &actor, new).await?.id.to_string())
        }
        Command::Location { organisation, site, name } => {
            let organisation = organisation_of(tx, &organisation).await?;
            let site = site_of(tx, &organisation, &site).await?;
            Ok(sites::create_location(tx, context, &site, &name).await?.id.to_string())
        }
        Command::ApiKey { name, role, organisation } => {
            let organisation_id = optional_organisation(tx, organisation.as_deref()).await?.map(|it| it.id);
            let new = NewApiKey { name, role, organisation_id, expires_at: None };
            let (_, secret) = people::create_api_key(tx, context, &actor, new).await?;
            Ok(secret.expose_secret().to_owned())
        }
        Command::Team(arguments) => make_team(tx, context, arguments).await,
        Command::DefaultTeams => {
            Ok(format!("{} teams made", teams::make_default_teams(tx, context, &actor).await?))
        }
        Command::EnrollToken { organisation, site, uses, days, tag_policy } => {
            let organisation = organisation_of(tx, &organisation).await?;
            let site_id = optional_site(tx, &organisation, site.as_deref()).await?.map(|it| it.id);
            let new = NewEnrollToken {
                organisation_id: organisation.id,
                site_id,
                uses_max: uses,
                valid_days: days,
                tag_policy,
            };
            let token = agents::create_enroll_token(tx, context, &actor, fingerprint, new).await?;
            Ok(token.expose_secret().to_owned())
        }
        Command::Asset(arguments) => declare_asset(tx, context, *arguments).await,
        Command::Calendar(arguments) => {
            let organisation = optional_organisation(tx, arguments.organisation.as_deref()).await?;
            service::make_calendar(tx, context, organisation.as_ref(), *arguments).await
        }
        Command::Contract(arguments) => {
            let organisation = organisation_of(tx, &arguments.organisation).await?;
            service::make_contract(tx, context, &organisation, *arguments).await
        }
        Command::Revoke { agent, reason } => {
            agents::revoke_agent(tx, context, &actor, agent, &reason).await?;
            Ok(format!("agent {agent} is revoked"))
        }
        Command::Person(_) | Command::Import { .. } | Command::TestMail { .. } => {
            bail!("not work for a transaction")
        }
    }
}

/// Imports a list, or says everything that is wrong with it.
async fn import_list(context: &Context, kind: Kind, file: &Path, dry_run: bool) -> anyhow::Result<String> {
    let size = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    anyhow::ensure!(
        size <= IMPORT_BYTES_MAX as u64,
        "{} has more than {IMPORT_BYTES_MAX} bytes",
        file.display()
    );
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let outcome = import::run(context, &Actor::system(), kind, &bytes, dry_run).await?;
    if outcome.problems.is_empty() {
        let verb = if dry_run { "would make" } else { "made" };
        return Ok(format!("{verb} {}, {} known already", outcome.made, outcome.known));
    }
    let mut told: Vec<String> = outcome.problems.iter().map(ToString::to_string).collect();
    if outcome.more_problems > 0 {
        told.push(format!("and {} more", outcome.more_problems));
    }
    bail!("nothing was imported:\n{}", told.join("\n"))
}

/// Hashing a password takes long, so the person is made first and the password set after the commit.
async fn make_person(context: &Context, arguments: PersonArguments) -> anyhow::Result<String> {
    let password = arguments.password_file.as_deref().map(read_password).transpose()?;
    let actor = Actor::system();
    let mut tx = context.db.begin().await?;
    let organisation = optional_organisation(&mut tx, arguments.organisation.as_deref()).await?;
    let default_site_id = match &organisation {
        Some(organisation) => {
            optional_site(&mut tx, organisation, arguments.site.as_deref()).await?.map(|it| it.id)
        }
        None => None,
    };
    let new = NewPerson {
        organisation_id: organisation.map(|it| it.id),
        email: arguments.email.parse().context("--email")?,
        name: arguments.name,
        phone: arguments.phone,
        language: arguments.language,
        default_site_id,
        roles: arguments.roles,
    };
    let person = people::create_person(&mut tx, context, &actor, new).await?;
    tx.commit().await?;
    if let Some(password) = password {
        people::set_password(context, &actor, person.id, password).await?;
    }
    Ok(person.id.to_string())
}

async fn make_team(tx: &mut Tx, context: &Context, arguments: TeamArguments) -> anyhow::Result<String> {
    let actor = Actor::system();
    let organisation_id = optional_organisation(tx, arguments.organisation.as_deref()).await?.map(|it| it.id);
    let team = if let Some(known) = teams::find_team_by_code(tx, &arguments.code).await? {
        known
    } else {
        let name = arguments.name.unwrap_or_else(|| arguments.code.clone());
        let TeamArguments { code, level, kind, .. } = arguments;
        teams::create_team(tx, context, &actor, NewTeam { code, name, level, kind, organisation_id }).await?
    };
    for email in &arguments.members {
        let person = people::find_person_by_email(tx, &email.parse().context("--member")?).await?;
        let person = person.with_context(|| format!("there is no person {email}"))?;
        teams::set_member(tx, context, &actor, (team.id, person.id), true).await?;
    }
    for wish in &arguments.first_for {
        let (tickets, application) = wish.split_once('@').unwrap_or((wish, ""));
        let (kind, sub_kind) = tickets.split_once('/').unwrap_or((tickets, ""));
        let kind = TicketKind::from_code(kind).with_context(|| format!("there is no ticket type {kind}"))?;
        let known = SubKind::from_code(sub_kind).is_some_and(|it| it.kind() == kind);
        anyhow::ensure!(sub_kind.is_empty() || known, "{} has no sub-kind {sub_kind}", kind.code());
        teams::add_route(tx, context, &actor, team.id, (kind.code(), sub_kind, application)).await?;
    }
    Ok(team.id.to_string())
}

async fn declare_asset(tx: &mut Tx, context: &Context, arguments: AssetArguments) -> anyhow::Result<String> {
    let organisation = organisation_of(tx, &arguments.organisation).await?;
    let site_id = optional_site(tx, &organisation, arguments.site.as_deref()).await?.map(|it| it.id);
    let assigned_to_id = match &arguments.person {
        Some(email) => {
            let person = people::find_person_by_email(tx, &email.parse().context("--person")?).await?;
            Some(person.with_context(|| format!("there is no person {email}"))?.id)
        }
        None => None,
    };
    let declared = [
        (DeclaredField::Make, arguments.make),
        (DeclaredField::Model, arguments.model),
        (DeclaredField::Serial, arguments.serial),
        (DeclaredField::PurchasedOn, arguments.purchased_on),
        (DeclaredField::WarrantyUntil, arguments.warranty_until),
        (DeclaredField::Supplier, arguments.supplier),
    ];
    let new = NewCi {
        organisation_id: organisation.id,
        site_id,
        location: arguments.location,
        tag: Some(arguments.tag.parse().context("--tag")?),
        assigned_to_id,
        lifecycle: Lifecycle::InUse,
        declared: declared.into_iter().filter_map(|(field, value)| value.map(|it| (field, it))).collect(),
    };
    let listener = LateAttachment { context: context.clone() };
    Ok(inventory::create_ci(tx, context, &Actor::system(), new, &listener).await?.to_string())
}

async fn organisation_of(tx: &mut Tx, code: &str) -> anyhow::Result<Organisation> {
    let found = sites::find_organisation_by_code(tx, &code.trim().to_ascii_uppercase()).await?;
    found.with_context(|| format!("there is no organisation {code}"))
}

async fn optional_organisation(tx: &mut Tx, code: Option<&str>) -> anyhow::Result<Option<Organisation>> {
    match code {
        Some(code) => organisation_of(tx, code).await.map(Some),
        None => Ok(None),
    }
}

async fn site_of(tx: &mut Tx, organisation: &Organisation, name: &str) -> anyhow::Result<Site> {
    let found = sites::find_site_by_name(tx, organisation.id, name.trim()).await?;
    found.with_context(|| format!("{} has no site {name}", organisation.code))
}

async fn optional_site(
    tx: &mut Tx,
    organisation: &Organisation,
    name: Option<&str>,
) -> anyhow::Result<Option<Site>> {
    match name {
        Some(name) => site_of(tx, organisation, name).await.map(Some),
        None => Ok(None),
    }
}

fn read_password(file: &std::path::Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    anyhow::ensure!(text.len() <= PASSWORD_FILE_BYTES_MAX, "{} is too long for a password", file.display());
    Ok(text.lines().next().unwrap_or_default().to_owned().into())
}
