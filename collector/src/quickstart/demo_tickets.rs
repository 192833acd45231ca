//! The demonstration queue: each way an inventory number may end, and each place a ticket may stand at on an
//! ordinary morning.

use super::organisation::DemoOrganisation;
use crate::app::App;
use crate::kernel::actor::Role;
use crate::kernel::time::days;
use crate::tickets::{self, Check, Resolution, ResolutionCode, TaskKind, TicketAction};

/// Days an ordered part takes.
const PART_DAYS: u64 = 3;

/// Tags of the machines that tickets are about, as they stand on the stickers.
#[derive(Debug)]
pub(super) struct TypedNumbers<'a> {
    /// Its memory and its software changed lately.
    pub(super) changed: &'a str,
    /// Its disk is nearly full.
    pub(super) full: &'a str,
    /// Two machines claim it.
    pub(super) contested: &'a str,
    /// Typed with letters for its zeros.
    pub(super) mistyped: &'a str,
}

/// A request, and what was done about it since.
struct Story {
    summary: &'static str,
    description: &'static str,
    number: String,
    actions: Vec<TicketAction>,
}

/// Opens the tickets as the requester; the technician then does what there is to do.
pub(super) async fn open_all(
    app: &App,
    organisation: &DemoOrganisation,
    numbers: &TypedNumbers<'_>,
) -> anyhow::Result<()> {
    let requester = organisation.requester_actor();
    let technician = organisation.actor(Role::TechnicianN1);
    for story in started(app, numbers).into_iter().chain(waiting(numbers)) {
        let new = organisation.ticket(story.summary, story.description, &story.number);
        let opened = tickets::open_ticket(&app.context, &requester, new).await?;
        let mut version = opened.version;
        for action in story.actions {
            let view =
                tickets::act_on_ticket(&app.context, &technician, &opened.number, version, action).await?;
            version = view.ticket.version;
        }
    }
    Ok(())
}

/// Tickets that somebody works on, waits with or has solved.
fn started(app: &App, numbers: &TypedNumbers<'_>) -> [Story; 3] {
    let task = |kind: TaskKind, text: &str, minutes| TicketAction::Task {
        kind,
        text: text.into(),
        duration_min: Some(minutes),
        next_attempt: None,
        before: String::new(),
        after: String::new(),
    };
    [
        Story {
            summary: "Le portable redémarre tout seul",
            description: "Trois fois depuis hier, toujours pendant une visioconférence.",
            number: numbers.changed.replace('-', "").to_lowercase(),
            actions: vec![
                TicketAction::Claim,
                TicketAction::Reply {
                    text: "Bonjour, une barrette de mémoire vient d'être ajoutée à ce poste. Je passe la vérifier à 14 h.".into(),
                },
                task(TaskKind::Diagnosis, "Barrette ajoutée récemment : test de mémoire à faire sur place.", 15),
            ],
        },
        Story {
            summary: "L'écran externe reste noir",
            description: "Depuis le changement de bureau, rien ne s'affiche sur l'écran.",
            number: numbers.contested.into(),
            actions: vec![
                TicketAction::Claim,
                TicketAction::Hold {
                    reason: "part".into(),
                    until: Some(app.context.now() + days(PART_DAYS)),
                    note: "Câble DisplayPort défectueux, un câble neuf est commandé.".into(),
                },
            ],
        },
        Story {
            summary: "Plus de place sur le disque",
            description: "Un message dit que le disque est plein à chaque enregistrement.",
            number: numbers.full.into(),
            actions: vec![
                TicketAction::Claim,
                task(TaskKind::Call, "Avec l'utilisatrice : anciens téléchargements triés ensemble.", 20),
                TicketAction::Resolve(Resolution {
                    solution: "Téléchargements et corbeille vidés ; les archives sont sur le serveur de fichiers.".into(),
                    code: Some(ResolutionCode::Fixed),
                    cause: "Disque plein de téléchargements jamais triés.".into(),
                    checks: vec![Check::Tested, Check::SeenByUser],
                    ..Resolution::default()
                }),
            ],
        },
    ]
}

/// Tickets that nobody has looked at.
fn waiting(numbers: &TypedNumbers<'_>) -> [Story; 3] {
    [
        (
            "Impossible d'ouvrir la messagerie",
            "Le logiciel se ferme juste après le démarrage.",
            numbers.mistyped.replace('0', "O"),
        ),
        (
            "Nouveau poste de l'accueil à préparer",
            "Le poste est arrivé ce matin, il n'est pas encore branché.",
            "FIX-LYO-0999".into(),
        ),
        ("Imprimante en panne", "Bourrage papier permanent au deuxième étage.", String::new()),
    ]
    .map(|(summary, description, number)| Story { summary, description, number, actions: Vec::new() })
}
