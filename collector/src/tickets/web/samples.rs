//! Tickets for looking at pages.

use serde_json::json;
use uuid::Uuid;

use super::clock_mark::samples::clocks;
use super::inputs::Offers;
use crate::contracts::Coverage;
use crate::inventory::web::samples as machines;
use crate::inventory::{CiSummary, Machine};
use crate::kernel::id::{PersonId, TicketAssetId};
use crate::kernel::time::{UtcMicros, days};
use crate::matching::AssetMatch;
use crate::people::Language;
use crate::teams::{Team, TeamKind};
use crate::tickets::{
    ActionKind, AssetRole, AttachedBy, CannedReply, Channel, CoverageDecision, ImpactScope, PendingReason,
    Severity, SubKind, Ticket, TicketAsset, TicketCoverage, TicketEvent, TicketKind, TicketRow, TicketState,
    TicketView, Urgency,
};
use crate::web::rendering::{HOSTILE, now};

fn person(id: u128) -> PersonId {
    PersonId::from(Uuid::from_u128(id))
}

fn minutes_ago(count: i64) -> UtcMicros {
    UtcMicros(now().0 - count * 60_000_000)
}

#[expect(clippy::too_many_lines, reason = "one line per field of a ticket")]
pub(crate) fn ticket() -> Ticket {
    Ticket {
        number: "I202611_0042".parse().expect("number"),
        organisation_id: machines::organisation_id(),
        organisation_name: "Ateliers Vaugneray".into(),
        kind: TicketKind::Incident,
        channel: Channel::Portal,
        state: TicketState::InProgress,
        priority: 2,
        site_id: None,
        site_name: "Lyon".into(),
        location: "Bâtiment B, bureau 214".into(),
        requester_id: person(1),
        requester_name: "Luc Martin".into(),
        beneficiary_id: person(2),
        beneficiary_name: "Élodie Dupont-Ravier".into(),
        created_by: "Luc Martin".into(),
        created_by_id: None,
        owner_id: Some(person(3)),
        owner_name: "Nadia Benali".into(),
        level: 1,
        team_id: None,
        team_code: "network".into(),
        team_name: "Infrastructure et réseaux".into(),
        owned_since: None,
        sub_kind: Some(SubKind::Connection),
        declared_severity: Severity::Minor,
        declared_scope: ImpactScope::One,
        declared_urgency: Urgency::High,
        matrix_version: 1,
        priority_reason: None,
        restricted: false,
        security: false,
        major: false,
        summary: "Impossible de se connecter au serveur à distance".into(),
        description: "En télétravail aujourd’hui, je n’arrive pas à monter le VPN : « openvpn: command not found ».\nMes collègues sur site n’ont aucun problème.".into(),
        application: "VPN".into(),
        phone: "04 78 00 00 12".into(),
        availability: "Aujourd’hui avant 17 h, demain toute la matinée".into(),
        external_ref: String::new(),
        severity: Severity::Blocking,
        scope: ImpactScope::One,
        urgency: Urgency::High,
        inventory_number: "pc 4217".into(),
        asset_match: AssetMatch::Attached,
        pending_reason: None,
        pending_until: None,
        pending_note: None,
        solution: None,
        resolution_code: None,
        cause: None,
        workaround: None,
        session_on: None,
        verified_checks: None,
        verified_by: None,
        verified_at: None,
        cancel_reason: None,
        parent_number: None,
        problem_number: None,
        duplicate_of: None,
        refusals: 0,
        reopenings: 0,
        reminded_at: None,
        qualified_at: None,
        created_at: minutes_ago(190),
        updated_at: minutes_ago(20),
        resolved_at: None,
        closed_at: None,
        version: 6,
        open_visits: 0,
        open_loans: 0,
        time_zone: "Europe/Paris".into(),
    }
}

/// A list of different tickets.
pub(crate) fn rows(count: usize) -> Vec<TicketRow> {
    let summaries = [
        "Impossible de se connecter au serveur",
        "L’imprimante du deuxième étage imprime des pages vides",
        "Installer 7-Zip",
        "Écran noir au démarrage depuis la mise à jour de cette nuit, plus rien ne répond",
        "Nouveau poste pour l’arrivée de M. Keller",
    ];
    let people =
        ["Élodie Dupont-Ravier", "Luc Martin", "Jean-Baptiste de La Rochefoucauld-Montbel", "Ines Haddad"];
    (0..count)
        .map(|index| {
            let state = TicketState::ALL[index % 5];
            let owned =
                matches!(state, TicketState::InProgress | TicketState::Resolved | TicketState::Pending);
            let asset_match = [
                AssetMatch::Attached,
                AssetMatch::Attached,
                AssetMatch::Unknown,
                AssetMatch::None,
                AssetMatch::Attached,
                AssetMatch::Ambiguous,
            ][index % 6];
            let attached = asset_match == AssetMatch::Attached;
            TicketRow {
                ticket: Ticket {
                    number: format!("I202611_{:04}", 1_042 - index).parse().expect("number"),
                    state,
                    priority: [2, 3, 1, 4, 3, 5][index % 6],
                    kind: [TicketKind::Incident, TicketKind::ServiceRequest][usize::from(index % 3 == 2)],
                    summary: summaries[index % 5].into(),
                    beneficiary_name: people[index % 4].into(),
                    owner_name: if owned { "Nadia Benali".into() } else { String::new() },
                    asset_match,
                    created_at: minutes_ago(i64::try_from(index * index * 17 + 4).expect("small")),
                    ..ticket()
                },
                machine: if attached {
                    ["Dell Latitude 5420", "HP EliteBook 840 G8", "Lenovo ThinkPad T14"][index % 3].into()
                } else {
                    String::new()
                },
                machine_tag: if attached { "PC-004217".into() } else { String::new() },
                reply_count: i64::try_from(index % 4).expect("small"),
                clocks: clocks(u64::try_from(index % 7 * 100).expect("small")),
            }
        })
        .collect()
}

pub(crate) fn hostile_row() -> TicketRow {
    let text = || HOSTILE.to_owned();
    TicketRow {
        ticket: Ticket {
            summary: text(),
            beneficiary_name: text(),
            site_name: text(),
            owner_name: text(),
            inventory_number: text(),
            asset_match: AssetMatch::Unknown,
            ..ticket()
        },
        machine: String::new(),
        machine_tag: text(),
        reply_count: 2,
        clocks: Vec::new(),
    }
}

fn event(event_no: i64, minutes: i64, kind: &str, public: bool, data: serde_json::Value) -> TicketEvent {
    let actor_label =
        if matches!(kind, "created" | "asset_attached") { "Luc Martin" } else { "Nadia Benali" };
    TicketEvent {
        event_no,
        at: minutes_ago(minutes),
        kind: kind.into(),
        public,
        actor_label: actor_label.into(),
        data,
        changes: Vec::new(),
    }
}

fn events() -> Vec<TicketEvent> {
    vec![
        event(1, 190, "created", true, json!({ "channel": "portal" })),
        event(2, 190, "asset_attached", true, json!({ "machine": "Dell Latitude 5420", "tag": "PC-004217" })),
        event(3, 95, "claimed", true, json!({})),
        event(
            4,
            80,
            "task",
            false,
            json!({ "task": "pdr", "text": "Messagerie, rappel à 16 h", "duration_min": 3 }),
        ),
        event(
            5,
            60,
            "note",
            false,
            json!({ "text": "Nadia pense à la désinstallation d’openvpn d’hier soir, voir les changements." }),
        ),
        event(
            6,
            20,
            "reply",
            true,
            json!({ "text": "Bonjour, je réinstalle le client VPN à distance dans dix minutes. Pouvez-vous laisser le poste allumé ?" }),
        ),
    ]
}

fn asset(ci: CiSummary, pinned: Machine) -> TicketAsset {
    TicketAsset {
        id: TicketAssetId::from(Uuid::from_u128(5)),
        ci,
        role: AssetRole::Affected,
        attached_by: AttachedBy::Opening,
        attached_at: minutes_ago(190),
        pinned,
        changed_since: machines::changes().into_iter().take(1).collect(),
        changed_before: machines::changes(),
        contested: false,
        other_tickets: rows(3),
    }
}

pub(crate) fn attached() -> TicketView {
    use ActionKind::{
        AttachAsset, Cancel, DetachAsset, Escalate, Hold, Note, Qualify, Release, Reply, Resolve, Task,
        Transfer,
    };
    TicketView {
        ticket: ticket(),
        assets: vec![asset(machines::latitude_row(), machines::latitude())],
        events: events(),
        suggestions: Vec::new(),
        candidates: Vec::new(),
        slots: Vec::new(),
        allowed: vec![
            Resolve,
            Task,
            Hold,
            Escalate,
            Transfer,
            Release,
            Qualify,
            Cancel,
            Reply,
            Note,
            AttachAsset,
            DetachAsset,
        ],
        children: Vec::new(),
        watchers: vec!["Jade Moreau".into()],
        watched: false,
        clocks: clocks(430),
        coverage: Some(TicketCoverage {
            coverage: Coverage::Expired,
            contract_id: None,
            contract: format!("PSAI {HOSTILE}"),
            decided_at: minutes_ago(190),
            decision: Some(CoverageDecision::Billable),
            decision_by: HOSTILE.into(),
        }),
        may_decide_coverage: true,
    }
}

/// A major incident with tickets under it, and everything that can be done to one.
pub(crate) fn major() -> TicketView {
    let mut view = attached();
    view.ticket.major = true;
    view.ticket.restricted = true;
    view.ticket.open_visits = 1;
    view.ticket.problem_number = Some("I202610_0007".parse().expect("number"));
    view.children = rows(3);
    view.allowed = ActionKind::ALL.to_vec();
    view
}

/// Teams, members and reasons to choose from.
pub(crate) fn offers() -> Offers {
    let team = |code: &str, level| Team {
        id: uuid::Uuid::from_u128(level).into(),
        code: code.into(),
        name: HOSTILE.into(),
        level: i64::try_from(level).expect("small"),
        kind: TeamKind::Network,
        organisation_id: None,
        active: true,
    };
    let reason = |code: &str| PendingReason {
        code: code.into(),
        label_fr: HOSTILE.into(),
        label_en: HOSTILE.into(),
        pauses_call: true,
        pauses_resolution: true,
        requires_date: false,
        active: true,
    };
    Offers {
        teams: vec![team("network", 1), team("csn", 2)],
        members: Vec::new(),
        reasons: vec![reason("part")],
        has_children: true,
        replies: vec![CannedReply {
            code: "reboot".into(),
            title: HOSTILE.into(),
            body: HOSTILE.into(),
            language: Language::Fr,
        }],
        canned: HOSTILE.into(),
        present: Some(vec![HOSTILE.into()]),
    }
}

pub(crate) fn resolved() -> TicketView {
    let mut view = attached();
    view.ticket.state = TicketState::Resolved;
    view.ticket.solution = Some("Client VPN réinstallé, connexion vérifiée avec vous.".into());
    view.allowed = vec![ActionKind::Confirm, ActionKind::Refuse, ActionKind::Reply];
    view
}

pub(crate) fn on_virtual_machine() -> TicketView {
    let mut view = attached();
    view.assets = vec![TicketAsset {
        contested: true,
        changed_before: Vec::new(),
        changed_since: Vec::new(),
        other_tickets: Vec::new(),
        ..asset(machines::virtual_row(), machines::virtual_machine())
    }];
    view
}

pub(crate) fn hostile() -> TicketView {
    let mut view = attached();
    let text = || HOSTILE.to_owned();
    view.ticket = Ticket {
        summary: text(),
        description: text(),
        location: text(),
        phone: text(),
        availability: text(),
        owner_name: text(),
        inventory_number: text(),
        ..ticket()
    };
    view.assets = vec![asset(
        CiSummary { last_contact_at: Some(now() - days(45)), ..machines::hostile_row() },
        machines::hostile_machine(),
    )];
    view.events.push(event(7, 1, HOSTILE, true, json!({ "text": HOSTILE })));
    view.events.push(event(
        8,
        1,
        "held",
        true,
        json!({ "reason": HOSTILE, "until": HOSTILE, "text": HOSTILE }),
    ));
    view
}

pub(crate) fn unmatched(outcome: AssetMatch) -> TicketView {
    let mut view = attached();
    view.assets = Vec::new();
    view.ticket.asset_match = outcome;
    view.ticket.inventory_number = "PC-OO4217".into();
    view.ticket.state = TicketState::New;
    view.ticket.owner_name = String::new();
    view.allowed = vec![
        ActionKind::Claim,
        ActionKind::Qualify,
        ActionKind::Cancel,
        ActionKind::Reply,
        ActionKind::Note,
        ActionKind::AttachAsset,
    ];
    match outcome {
        AssetMatch::Unknown => view.suggestions = vec![machines::latitude_row(), machines::row(5)],
        AssetMatch::Ambiguous => view.candidates = vec![machines::latitude_row(), machines::hostile_row()],
        _ => {}
    }
    view
}
