//! Stories of tickets with machines.

use super::*;
use crate::inventory::{self, DeclaredField, TagBound, TagListener};
use crate::kernel::id::{CiId, OrganisationId, TagConflictId};
use crate::kernel::text::AssetTag;
use crate::sql;
use crate::tickets::service::LateAttachment;
use crate::tickets::{AssetRole, AttachedBy};

fn quoting(desk: &Desk, number: &str) -> NewTicket {
    NewTicket { inventory_number: number.into(), ..desk.incident() }
}

fn tag(text: &str) -> AssetTag {
    text.parse().expect("tag")
}

async fn bind(desk: &Desk, ci: CiId, text: &str) {
    let mut tx = desk.context.db.begin().await.expect("begin");
    let listener = LateAttachment { context: desk.context.clone() };
    let actor = Actor::system();
    inventory::assign_tag(&mut tx, &desk.context, &actor, ci, Some(tag(text)), &listener)
        .await
        .expect("bound");
    tx.commit().await.expect("commit");
}

async fn contest(desk: &Desk, organisation: OrganisationId, text: &str, holder: CiId, claimant: CiId) {
    let mut tx = desk.context.db.begin().await.expect("begin");
    let now = desk.context.now();
    let id = TagConflictId::generate(now, desk.context.entropy.as_ref());
    sql!(&mut tx, |conn| sqlx::query(
        "INSERT INTO inventory_tag_conflict (id, organisation_id, tag, tag_key, holder_ci_id, claimant_ci_id, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(id).bind(organisation).bind(text).bind(tag(text).key()).bind(holder).bind(claimant).bind(now)
    .execute(conn).await.map(drop)).expect("conflict");
    tx.commit().await.expect("commit");
}

db_test! {
    async fn a_quoted_number_becomes_the_attached_machine(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        let number = opened(&desk, quoting(&desk, " inv 004217 ")).await;
        let view = seen(&desk, &actor(&desk.technician), &number).await.expect("some");
        assert_eq!(view.ticket.asset_match, AssetMatch::Attached);
        let asset = &view.assets[0];
        assert_eq!((asset.role, asset.attached_by), (AssetRole::Affected, AttachedBy::Opening));
        assert_eq!(asset.pinned.text(DeclaredField::Model), "Latitude 5420");
        assert_eq!(asset.pinned.location, "B12");
        assert_eq!(view.events[1].kind, "asset_attached");
        let again = opened(&desk, quoting(&desk, "INV-004217")).await;
        let second = seen(&desk, &actor(&desk.technician), &again).await.expect("some");
        assert_eq!(second.assets[0].other_tickets[0].ticket.number, number);
        let filter = TicketFilter { tag: Some("inv004217".into()), ..TicketFilter::default() };
        let list = list_tickets(&desk.context, &actor(&desk.technician), &filter, &PageRequest::first()).await.expect("list");
        assert_eq!(list.rows.len(), 2);
        assert_eq!(list.rows[0].machine, "Dell Inc. Latitude 5420");
    }
}

db_test! {
    async fn what_was_pinned_stays_as_it_was(db: Db) {
        let desk = Desk::open(db).await;
        let ci = desk.machine(&desk.acme, "INV-004217").await;
        let number = opened(&desk, quoting(&desk, "INV-004217")).await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        inventory::declare(&mut tx, &desk.context, &Actor::system(), ci, DeclaredField::Model, "OptiPlex 7090").await.expect("declared");
        tx.commit().await.expect("commit");
        let view = seen(&desk, &actor(&desk.technician), &number).await.expect("some");
        assert_eq!(view.assets[0].pinned.text(DeclaredField::Model), "Latitude 5420");
        assert_eq!(view.assets[0].ci.model, "OptiPlex 7090");
    }
}

db_test! {
    async fn a_requester_sees_which_machine_it_is_and_not_what_is_in_it(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        let number = opened(&desk, quoting(&desk, "INV-004217")).await;
        let view = seen(&desk, &actor(&desk.requester), &number).await.expect("own");
        let asset = &view.assets[0];
        assert_eq!(asset.pinned.text(DeclaredField::Make), "Dell Inc.");
        assert_eq!(asset.pinned.text(DeclaredField::Serial), "");
        assert_eq!(asset.ci.serial, "");
    }
}

db_test! {
    async fn a_near_miss_is_suggested_and_never_linked(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        desk.machine(&desk.acme, "INV-004271").await;
        for typed in ["INV-OO4217", "INV-4217", "INV-àà'é&è"] {
            let made = open_ticket(&desk.context, &Actor::system(), quoting(&desk, typed)).await.expect("opened");
            assert_eq!(made.asset_match, AssetMatch::Unknown, "{typed}");
            assert_eq!(made.suggestions.first().and_then(|it| it.tag.as_deref()), Some("INV-004217"), "{typed}");
            let view = seen(&desk, &actor(&desk.requester), &made.number).await.expect("some");
            assert!(view.assets.is_empty());
        }
    }
}

db_test! {
    async fn only_staff_of_all_organisations_learn_that_a_number_is_foreign(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.umbrella, "INV-004217").await;
        let number = opened(&desk, quoting(&desk, "INV-004217")).await;
        let rita = seen(&desk, &actor(&desk.requester), &number).await.expect("own");
        assert_eq!(rita.ticket.asset_match, AssetMatch::Unknown);
        assert!(rita.candidates.is_empty() && rita.suggestions.is_empty());
        assert_eq!(rita.events[1].kind, "asset_unknown");
        let tom = seen(&desk, &actor(&desk.technician), &number).await.expect("staff");
        assert_eq!(tom.ticket.asset_match, AssetMatch::Foreign);
        assert_eq!(tom.candidates[0].organisation_id, desk.umbrella.id);
        let referent = actor(&desk.person(Some(desk.acme.id), "ref@acme.example", Role::Referent).await);
        for (outcome, expected) in [(AssetMatch::Unknown, 1), (AssetMatch::Foreign, 0)] {
            let filter = TicketFilter { asset_match: Some(outcome), ..TicketFilter::default() };
            let list = list_tickets(&desk.context, &referent, &filter, &PageRequest::first()).await.expect("list");
            assert_eq!(list.rows.len(), expected, "{outcome:?}");
            assert!(list.rows.iter().all(|it| it.ticket.asset_match == AssetMatch::Unknown));
        }
    }
}

db_test! {
    async fn a_contested_number_is_a_persons_decision(db: Db) {
        let desk = Desk::open(db).await;
        let holder = desk.machine(&desk.acme, "INV-004217").await;
        let claimant = desk.machine(&desk.acme, "INV-009999").await;
        contest(&desk, desk.acme.id, "INV-004217", holder, claimant).await;
        let number = opened(&desk, quoting(&desk, "INV-004217")).await;
        let tom = actor(&desk.technician);
        let view = seen(&desk, &tom, &number).await.expect("some");
        assert_eq!(view.ticket.asset_match, AssetMatch::Ambiguous);
        let candidates: Vec<CiId> = view.candidates.iter().map(|it| it.id).collect();
        assert_eq!(candidates, [holder, claimant]);
        let chosen = TicketAction::AttachCi { ci: claimant, role: AssetRole::Affected };
        let refused = act(&desk, &actor(&desk.requester), &number, chosen.clone()).await;
        assert!(matches!(refused, Err(TicketError::Forbidden)));
        let view = act(&desk, &tom, &number, chosen).await.expect("attached");
        assert_eq!(view.ticket.asset_match, AssetMatch::Attached);
        assert_eq!(view.assets[0].ci.id, claimant);
    }
}

db_test! {
    async fn a_ticket_that_waits_gets_the_machine_made_by_hand(db: Db) {
        let desk = Desk::open(db).await;
        let number = opened(&desk, quoting(&desk, "INV-004217")).await;
        let ci = desk.machine(&desk.acme, "INV-004217").await;
        let view = seen(&desk, &actor(&desk.technician), &number).await.expect("some");
        assert_eq!((view.ticket.asset_match, view.assets[0].ci.id), (AssetMatch::Attached, ci));
    }
}

db_test! {
    async fn keeping_the_holder_of_a_contested_number_wakes_its_tickets(db: Db) {
        let desk = Desk::open(db).await;
        let holder = desk.machine(&desk.acme, "INV-004217").await;
        let claimant = desk.machine(&desk.acme, "INV-009999").await;
        contest(&desk, desk.acme.id, "INV-004217", holder, claimant).await;
        let number = opened(&desk, quoting(&desk, "INV-004217")).await;
        let mut tx = desk.context.db.read().await.expect("read");
        let conflict = inventory::find_open_conflict(&mut tx, desk.acme.id, "INV004217").await.expect("read").expect("open");
        drop(tx);
        let listener = LateAttachment { context: desk.context.clone() };
        let keep = inventory::ConflictResolution::KeepHolder;
        inventory::resolve_conflict(&desk.context, &Actor::system(), conflict.id, keep, "sticker seen", &listener)
            .await
            .expect("settled");
        let view = seen(&desk, &actor(&desk.technician), &number).await.expect("some");
        assert_eq!((view.ticket.asset_match, view.assets[0].ci.id), (AssetMatch::Attached, holder));
    }
}

db_test! {
    async fn dashes_where_the_number_belongs_mean_that_there_is_none(db: Db) {
        let desk = Desk::open(db).await;
        for (typed, expected) in [("---", AssetMatch::None), (" - ", AssetMatch::None), ("-_è", AssetMatch::Unknown)] {
            let number = opened(&desk, quoting(&desk, typed)).await;
            let view = seen(&desk, &actor(&desk.technician), &number).await.expect("some");
            assert_eq!(view.ticket.asset_match, expected, "{typed}");
        }
    }
}

db_test! {
    async fn a_ticket_that_waits_gets_its_machine_once(db: Db) {
        let desk = Desk::open(db).await;
        let waiting = opened(&desk, quoting(&desk, "inv 004217")).await;
        let cancelled = opened(&desk, quoting(&desk, "INV-004217")).await;
        let elsewhere = opened(&desk, NewTicket {
            organisation_id: desk.umbrella.id, requester_id: desk.stranger.id, beneficiary_id: desk.stranger.id,
            ..quoting(&desk, "INV-004217")
        }).await;
        act(&desk, &actor(&desk.lead), &cancelled, TicketAction::Cancel { code: None, reason: "duplicate".into() }).await.expect("cancelled");
        let ci = desk.machine(&desk.acme, "INV-000001").await;
        desk.clock.advance(Duration::from_mins(10));
        bind(&desk, ci, "INV-004217").await;
        let tom = actor(&desk.technician);
        let open = seen(&desk, &tom, &waiting).await.expect("some");
        assert_eq!(open.ticket.asset_match, AssetMatch::Attached);
        assert_eq!((open.assets[0].attached_by, open.assets[0].attached_at), (AttachedBy::Late, desk.context.now()));
        assert_eq!(open.events.last().map(|it| it.kind.as_str()), Some("asset_attached_late"));
        let closed = seen(&desk, &tom, &cancelled).await.expect("some");
        assert_eq!(closed.assets.len(), 1);
        let note = closed.events.last().expect("an event");
        assert_eq!((note.kind.as_str(), note.public), ("asset_attached_late", false), "closed tickets tell staff only");
        let other = seen(&desk, &tom, &elsewhere).await.expect("some");
        assert!(other.assets.is_empty(), "the number counts in its organisation only");
        let bound = TagBound { organisation_id: desk.acme.id, tag: tag("INV-004217"), ci_id: ci };
        let mut tx = desk.context.db.begin().await.expect("begin");
        LateAttachment { context: desk.context.clone() }.tag_bound(&mut tx, &bound).await.expect("again");
        tx.commit().await.expect("commit");
        let again = seen(&desk, &tom, &waiting).await.expect("some");
        assert_eq!((again.assets.len(), again.events.len()), (1, open.events.len()));
    }
}

db_test! {
    async fn a_wrong_machine_is_detached_with_a_reason_and_another_attached(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-1111").await;
        desk.machine(&desk.acme, "INV-2222").await;
        let number = opened(&desk, quoting(&desk, "INV-1111")).await;
        let tom = actor(&desk.technician);
        let attach = |role| TicketAction::AttachAsset { inventory_number: "INV-2222".into(), role };
        let second = act(&desk, &tom, &number, attach(AssetRole::Affected)).await;
        assert!(matches!(second, Err(TicketError::Invalid { field: "role", .. })), "{second:?}");
        let view = seen(&desk, &tom, &number).await.expect("some");
        let asset = view.assets[0].id;
        let silent = act(&desk, &tom, &number, TicketAction::DetachAsset { asset, reason: " ".into() }).await;
        assert!(matches!(silent, Err(TicketError::Invalid { field: "reason", .. })));
        let view = act(&desk, &tom, &number, TicketAction::DetachAsset { asset, reason: "wrong sticker".into() }).await.expect("detached");
        assert_eq!((view.assets.len(), view.ticket.asset_match), (0, AssetMatch::None));
        let view = act(&desk, &tom, &number, attach(AssetRole::Affected)).await.expect("attached");
        assert_eq!(view.assets[0].pinned.tag.as_deref(), Some("INV-2222"));
        let kinds: Vec<&str> = view.events.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["created", "asset_attached", "asset_detached", "asset_attached"]);
    }
}

db_test! {
    async fn a_number_added_later_is_kept_and_waits(db: Db) {
        let desk = Desk::open(db).await;
        let number = opened(&desk, desk.incident()).await;
        let rita = actor(&desk.requester);
        let add = TicketAction::AttachAsset { inventory_number: "INV-5555".into(), role: AssetRole::Affected };
        let view = act(&desk, &rita, &number, add).await.expect("kept");
        assert_eq!(view.ticket.asset_match, AssetMatch::Unknown);
        let ci = desk.machine(&desk.acme, "INV-0001").await;
        bind(&desk, ci, "INV-5555").await;
        let view = seen(&desk, &rita, &number).await.expect("own");
        assert_eq!(view.assets.len(), 1);
        let filler = TicketAction::AttachAsset { inventory_number: "Default string".into(), role: AssetRole::Related };
        let refused = act(&desk, &rita, &number, filler).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "inventory_number", .. })));
    }
}
