//! `parc-collector quickstart`: the whole main job on one machine with the embedded database, for somebody
//! who wants to see it before believing it. It goes through the same doors as a real installation: agents
//! are the real program speaking gRPC over mutual TLS, tickets and machines the real use cases.
//!
//! Everything it makes lies in one folder and is marked as demonstration. A second start finds the same
//! organisation, people and machines and only opens a new ticket.

mod addresses;
mod agent_program;
mod demo_tickets;
mod organisation;
mod parc;
mod service_level;
mod ticket_text;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::app::{self, App};
use crate::config::{
    self, AgentSettings, DatabaseSettings, LogSettings, RemoteSettings, RetentionSettings, Settings,
    WebSettings,
};
use crate::inventory::{self, DeclaredField, Placement};
use crate::kernel::actor::Role;
use crate::kernel::text::AssetTag;
use crate::matching::AssetMatch;
use crate::tickets::{self, OpenedTicket};
use addresses::Addresses;
use agent_program::AgentProgram;
use organisation::DemoOrganisation;

/// What the quickstart may be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Folder everything is kept in.
    #[arg(long, value_name = "DIR", default_value = "parc-quickstart")]
    data: PathBuf,
    /// Address of the pages and the API; another free port is taken when this one is busy.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the agents' door; another free port is taken when this one is busy.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    agents: SocketAddr,
    /// Asset tag given to this machine.
    #[arg(long, value_name = "TAG", default_value = "DEMO-0001")]
    tag: String,
    /// Stop after printing the ticket.
    #[arg(long)]
    once: bool,
    /// Report this machine only.
    #[arg(long)]
    no_demo_parc: bool,
    /// The agent's program; the one beside this program by default.
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
}

/// How the quickstart tells what it does; implemented by the terminal.
pub trait Report {
    /// A step begins.
    fn step(&self, text: &str);
    /// Part of a long step is done.
    fn counted(&self, text: &str, done: usize, all: usize);
    /// Something that the quickstart can do without is missing.
    fn warning(&self, text: &str);
    /// The result.
    fn result(&self, text: &str);
}

/// Runs the quickstart; true when the ticket carries this machine.
pub async fn run(options: Options, report: &dyn Report) -> anyhow::Result<bool> {
    let tag = options.tag.parse().context("--tag")?;
    config::make_private_folder(&options.data)
        .with_context(|| format!("cannot make {}", options.data.display()))?;
    let data = options.data.canonicalize().context("cannot resolve --data")?;
    let agent_file = options.agent.clone().map_or_else(agent_program::beside_this_program, Ok)?;

    report.step("starting the collector with its embedded database");
    let settings = settings(&options, &data)?;
    let web = settings.web.listen;
    let app = App::start(settings).await?;
    Addresses { web, agents: app.agents_address }.keep(&data)?;
    let organisation = organisation::find_or_make(&app.context, &data, report).await?;
    let token = organisation::enroll_token(&app, &organisation).await?;
    let program = AgentProgram { file: agent_file, collector: app.agents_address, token };

    report.step("enrolling this machine and reporting its real inventory over mutual TLS");
    report_this_machine(&program, &data.join("this-machine"), &tag, report).await?;
    declare_this_machine(&app, &organisation, &tag).await?;
    if !options.no_demo_parc {
        parc::report_all(&app, &organisation, &program, &data, report).await?;
    }

    report.step("opening a ticket that quotes the tag");
    let opened = open_ticket(&app, &organisation, &tag).await?;
    let technician = organisation.actor(Role::TechnicianN1);
    let view = tickets::find_ticket(&app.context, &technician, &opened.number)
        .await?
        .context("the ticket is gone")?;
    let found = opened.asset_match == AssetMatch::Attached && !view.assets.is_empty();
    report.result(&ticket_text::render(&view));
    report.result(&organisation.sign_in_text(&app.public_url, &opened.number));
    if !options.once {
        report.result("The collector stays up; Ctrl+C stops it. Everything is kept in the data folder.");
        app::until_told_to_stop().await;
    }
    app.stop().await;
    Ok(found)
}

/// This machine is what the quickstart is about: an agent that was revoked, set aside or whose files were
/// damaged since the last start gets a new identity.
async fn report_this_machine(
    program: &AgentProgram,
    state: &Path,
    tag: &AssetTag,
    report: &dyn Report,
) -> anyhow::Result<()> {
    let known = agent_program::is_enrolled(state);
    match program.enroll_and_report(state, None, tag).await {
        Err(error) if known && agent_program::may_enroll_again(&error) => {
            report.warning(&format!("this machine is enrolled again: {error:#}"));
            program.enroll_again_and_report(state, tag).await
        }
        done => done,
    }
}

fn settings(options: &Options, data: &Path) -> anyhow::Result<Settings> {
    let Addresses { web, agents } = Addresses::choose(options.listen, options.agents, data)?;
    let names = vec![agents.ip().to_string(), "localhost".into()];
    Ok(Settings {
        data_dir: data.to_owned(),
        public_url: format!("http://{web}"),
        database: DatabaseSettings::default(),
        agents: AgentSettings { listen: agents, names, ..AgentSettings::default() },
        web: WebSettings { listen: web, ..WebSettings::default() },
        mail: None,
        mailboxes: Vec::new(),
        retention: RetentionSettings::default(),
        remote: RemoteSettings::default(),
        log: LogSettings::default(),
    })
}

/// A machine without firmware data cannot tell make and model; then the ticket shows what the admin
/// declared. Purchase and warranty are always the admin's.
async fn declare_this_machine(
    app: &App,
    organisation: &DemoOrganisation,
    tag: &AssetTag,
) -> anyhow::Result<()> {
    let actor = organisation.admin_actor();
    let mut tx = app.context.db.begin().await?;
    let ci = inventory::find_ci_by_tag(&mut tx, organisation.id, tag.key())
        .await?
        .context("this machine did not get its tag")?;
    let machine =
        inventory::current_machine(&mut tx, ci.id).await?.context("this machine has no inventory")?;
    let mut declared = vec![
        (DeclaredField::PurchasedOn, "2025-03-17"),
        (DeclaredField::WarrantyUntil, "2028-03-16"),
        (DeclaredField::Supplier, "Fournisseur de démonstration"),
    ];
    if machine.text(DeclaredField::Make).is_empty() {
        declared.push((DeclaredField::Make, "Démonstration"));
        declared.push((DeclaredField::Model, "Machine virtuelle d'essai"));
    }
    for (field, value) in declared {
        if machine.fact(field).is_none_or(|it| it.declared.is_none()) {
            inventory::declare(&mut tx, &app.context, &actor, ci.id, field, value).await?;
        }
    }
    let placement = Placement {
        site_id: Some(organisation.main_site),
        location: "Bureau B12".into(),
        assigned_to_id: Some(organisation.requester),
    };
    inventory::place(&mut tx, &app.context, &actor, ci.id, &placement).await?;
    tx.commit().await?;
    Ok(())
}

async fn open_ticket(
    app: &App,
    organisation: &DemoOrganisation,
    tag: &AssetTag,
) -> anyhow::Result<OpenedTicket> {
    // Typed the way people type: lower case, blanks instead of hyphens.
    let typed = tag.display().to_lowercase().replace('-', " ");
    let new = organisation.ticket(
        "Impossible de se connecter au serveur de fichiers",
        "Depuis ce matin, le lecteur réseau S: demande un mot de passe puis répond « accès refusé ».",
        &typed,
    );
    Ok(tickets::open_ticket(&app.context, &organisation.requester_actor(), new).await?)
}
