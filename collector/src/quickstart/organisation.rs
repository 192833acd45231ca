//! The demonstration organisation: two sites, a few locations, one person per role.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::SecretString;

use super::{Report, service_level};
use crate::agents::{self, NewEnrollToken};
use crate::app::App;
use crate::branding::{self, Localised};
use crate::context::Context;
use crate::db::Tx;
use crate::inventory::TagPolicy;
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{OrganisationId, PersonId, SiteId};
use crate::people::{self, Language, NewPerson, Person};
use crate::sites::{self, NewOrganisation, NewSite};
use crate::teams;
use crate::tickets::{Channel, ImpactScope, NewTicket, Severity, TicketKind, TicketNumber, Urgency};

const CODE: &str = "DEMO";
const SIGN_IN_FILE: &str = "sign-in.txt";

/// One person per role: whether they belong to the client organisation, address, name.
const PEOPLE: [(Role, bool, &str, &str); 9] = [
    (Role::Requester, true, "lea.martin@demo.example", "Léa Martin"),
    (Role::Referent, true, "hugo.bernard@demo.example", "Hugo Bernard"),
    (Role::Peu, false, "ines.petit@parc.example", "Inès Petit"),
    (Role::TechnicianN1, false, "noe.durand@parc.example", "Noé Durand"),
    (Role::TechnicianN2, false, "jade.moreau@parc.example", "Jade Moreau"),
    (Role::Lead, false, "lucas.roux@parc.example", "Lucas Roux"),
    (Role::Mssi, false, "camille.fournier@parc.example", "Camille Fournier"),
    (Role::Admin, false, "admin@parc.example", "Admin Parc"),
    (Role::Auditor, false, "audit@parc.example", "Alix Garnier"),
];

/// Who is in which team.
const TEAMS: &[(&str, &[&str])] = &[
    ("service-desk", &["noe.durand@parc.example", "lucas.roux@parc.example"]),
    ("maintenance", &["noe.durand@parc.example", "lucas.roux@parc.example"]),
    ("network", &["noe.durand@parc.example", "lucas.roux@parc.example"]),
    ("servers", &["jade.moreau@parc.example", "lucas.roux@parc.example"]),
    ("application", &["jade.moreau@parc.example", "lucas.roux@parc.example"]),
    ("training", &["noe.durand@parc.example", "lucas.roux@parc.example"]),
    ("security", &["camille.fournier@parc.example"]),
    ("csn", &["jade.moreau@parc.example", "lucas.roux@parc.example"]),
];
/// What the demo's people choose from when they ask for help.
const APPLICATIONS: &str = "Messagerie\nSuite bureautique\nVPN\nPaie\nGestion commerciale";

/// What the rest of the quickstart needs to know of it.
#[derive(Debug)]
pub(super) struct DemoOrganisation {
    pub(super) id: OrganisationId,
    pub(super) main_site: SiteId,
    pub(super) second_site: SiteId,
    pub(super) requester: PersonId,
    people: Vec<Person>,
    password: String,
    sign_in_file: PathBuf,
}

/// Finds what an earlier start made, or makes it.
pub(super) async fn find_or_make(
    context: &Context,
    data: &Path,
    report: &dyn Report,
) -> anyhow::Result<DemoOrganisation> {
    let sign_in_file = data.join(SIGN_IN_FILE);
    let mut tx = context.db.begin().await?;
    let known = sites::find_organisation_by_code(&mut tx, CODE).await?;
    if known.is_none() {
        report.step("making a demonstration organisation with two sites and one person per role");
        make(&mut tx, context).await?;
    }
    let organisation =
        sites::find_organisation_by_code(&mut tx, CODE).await?.context("the organisation is gone")?;
    let main =
        sites::find_site_by_name(&mut tx, organisation.id, "Lyon").await?.context("site Lyon is gone")?;
    let second =
        sites::find_site_by_name(&mut tx, organisation.id, "Nantes").await?.context("site Nantes is gone")?;
    let mut people = Vec::with_capacity(PEOPLE.len());
    for (_, _, email, _) in PEOPLE {
        people.push(
            people::find_person_by_email(&mut tx, &email.parse()?).await?.context("a demo person is gone")?,
        );
    }
    tx.commit().await?;
    let password = password(context, &sign_in_file, &people).await?;
    let requester = people.iter().find(|it| it.roles.contains(&Role::Requester)).context("no requester")?.id;
    Ok(DemoOrganisation {
        id: organisation.id,
        main_site: main.id,
        second_site: second.id,
        requester,
        people,
        password,
        sign_in_file,
    })
}

async fn make(tx: &mut Tx, context: &Context) -> anyhow::Result<()> {
    let actor = Actor::system();
    let new = NewOrganisation {
        code: CODE.into(),
        name: "Entreprise de démonstration".into(),
        time_zone: "Europe/Paris".into(),
        demo: true,
    };
    let organisation = sites::create_organisation(tx, context, &actor, new).await?;
    let places: [(&str, &str, bool, &[&str]); 2] = [
        (
            "Lyon",
            "12 rue de la Démonstration, 69003 Lyon",
            true,
            &["Bureau B12", "Bureau B14", "Accueil", "Salle serveurs"],
        ),
        ("Nantes", "4 quai de l'Exemple, 44000 Nantes", false, &["Bureau 101", "Bureau 102", "Atelier"]),
    ];
    for (name, address, main, locations) in places {
        let new =
            NewSite { organisation_id: organisation.id, name: name.into(), address: address.into(), main };
        let site = sites::create_site(tx, context, &actor, new).await?;
        for location in locations {
            sites::create_location(tx, context, &site, location).await?;
        }
    }
    service_level::make(tx, context, organisation.id).await?;
    sites::set_applications(tx, context, &actor, organisation.id, APPLICATIONS).await?;
    branding::save(tx, context, &actor, Some(organisation.id), look(), None).await?;
    for (role, of_client, email, name) in PEOPLE {
        let new = NewPerson {
            organisation_id: of_client.then_some(organisation.id),
            email: email.parse()?,
            name: name.into(),
            phone: "04 72 00 00 00".into(),
            language: Language::Fr,
            default_site_id: None,
            roles: vec![role],
        };
        people::create_person(tx, context, &actor, new).await?;
    }
    make_teams(tx, context).await
}

/// The usual teams; the demonstration's technicians work in several, as in a small provider.
async fn make_teams(tx: &mut Tx, context: &Context) -> anyhow::Result<()> {
    let actor = Actor::system();
    teams::make_default_teams(tx, context, &actor).await?;
    for (code, emails) in TEAMS {
        let team = teams::find_team_by_code(tx, code).await?.context("a usual team is gone")?;
        for email in *emails {
            let person =
                people::find_person_by_email(tx, &email.parse()?).await?.context("a demo person is gone")?;
            teams::set_member(tx, context, &actor, (team.id, person.id), true).await?;
        }
    }
    Ok(())
}

/// What the demo's requesters see: its own name, and whom to phone.
fn look() -> branding::Settings {
    branding::Settings {
        product_name: "iservices".into(),
        hotline_phone: "04 72 00 00 00".into(),
        hotline_hours: Localised {
            fr: "du lundi au vendredi, 8 h – 18 h".into(),
            en: "Monday to Friday, 8 am – 6 pm".into(),
        },
        support_mail: "support@parc.example".into(),
        ..branding::Settings::default()
    }
}

/// The demo's one password: made at the first start, kept in a file only its owner reads.
async fn password(context: &Context, file: &Path, people: &[Person]) -> anyhow::Result<String> {
    if let Ok(kept) = std::fs::read_to_string(file) {
        return Ok(kept.trim().to_owned());
    }
    let password = random_password(context.entropy.as_ref());
    for person in people {
        people::set_password(context, &Actor::system(), person.id, SecretString::from(password.clone()))
            .await?;
    }
    write_private(file, &password).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(password)
}

fn random_password(entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567899";
    let mut random = [0_u8; 16];
    entropy.fill(&mut random);
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    letters
        .enumerate()
        .flat_map(|(at, letter)| (at > 0 && at % 4 == 0).then_some('-').into_iter().chain([letter]))
        .collect()
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(format!("{text}\n").as_bytes())
}

/// A fresh token for this start; those of earlier starts expire by themselves.
pub(super) async fn enroll_token(app: &App, organisation: &DemoOrganisation) -> anyhow::Result<SecretString> {
    let mut tx = app.context.db.begin().await?;
    let new = NewEnrollToken {
        organisation_id: organisation.id,
        site_id: Some(organisation.main_site),
        uses_max: 100,
        valid_days: 1,
        tag_policy: TagPolicy::MayCreate,
    };
    let actor = organisation.admin_actor();
    let token =
        agents::create_enroll_token(&mut tx, &app.context, &actor, app.authority.fingerprint(), new).await?;
    tx.commit().await?;
    Ok(token)
}

impl DemoOrganisation {
    pub(super) fn admin_actor(&self) -> Actor {
        self.actor(Role::Admin)
    }

    pub(super) fn requester_actor(&self) -> Actor {
        self.actor(Role::Requester)
    }

    pub(super) fn actor(&self, role: Role) -> Actor {
        let person = self.people.iter().find(|it| it.roles.contains(&role));
        person.map_or_else(Actor::system, |person| Actor {
            kind: ActorKind::Person(person.id),
            label: person.name.clone(),
            scope: person.organisation_id.map_or(Scope::All, Scope::Organisation),
            roles: person.roles.clone(),
        })
    }

    /// A ticket of the demo requester.
    pub(super) fn ticket(&self, summary: &str, description: &str, inventory_number: &str) -> NewTicket {
        NewTicket {
            organisation_id: self.id,
            kind: TicketKind::Incident,
            channel: Channel::Portal,
            site_id: Some(self.main_site),
            location: "Bureau B12".into(),
            requester_id: self.requester,
            beneficiary_id: self.requester,
            summary: summary.into(),
            description: description.into(),
            application: String::new(),
            phone: "04 72 00 00 00".into(),
            availability: "Le matin avant 11 h".into(),
            external_ref: String::new(),
            sub_kind: None,
            severity: Severity::Blocking,
            scope: ImpactScope::One,
            urgency: Urgency::Medium,
            inventory_number: inventory_number.into(),
            machine: None,
            request_id: None,
            slots: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The address and one sign-in per role.
    pub(super) fn sign_in_text(&self, public_url: &str, number: &TicketNumber) -> String {
        let mut text = format!("Open {public_url}/tickets/{number}\n\nSign in as\n");
        for (role, _, email, name) in PEOPLE {
            let _ = writeln!(text, "  {:<14} {email:<32} {name}", role.code());
        }
        let _ = write!(text, "with the password {} (kept in {})", self.password, self.sign_in_file.display());
        text
    }
}
