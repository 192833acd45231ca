//! Rating on both engines, by service and from outside.

use axum::http::StatusCode;

use super::*;
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::time::{UtcMicros, days};
use crate::tickets::{self, NewTicket, TicketAction, TicketNumber};
use crate::web::testing::Site;

/// A ticket for Carl that Rita asked for, solved by Tom and confirmed by Rita.
async fn closed(desk: &Desk) -> TicketNumber {
    let new = NewTicket { beneficiary_id: desk.colleague.id, ..desk.incident() };
    let number =
        tickets::open_ticket(&desk.context, &actor(&desk.requester), new).await.expect("opened").number;
    close(desk, &number).await;
    number
}

async fn close(desk: &Desk, number: &TicketNumber) {
    let (tom, rita) = (actor(&desk.technician), actor(&desk.requester));
    act(desk, &tom, number, TicketAction::Claim).await;
    act(desk, &tom, number, Desk::solved("new cable")).await;
    act(desk, &rita, number, TicketAction::Confirm { on_behalf_of: None }).await;
}

async fn act(desk: &Desk, who: &Actor, number: &TicketNumber, action: TicketAction) {
    let seen =
        tickets::find_ticket(&desk.context, &Actor::system(), number).await.expect("find").expect("some");
    tickets::act_on_ticket(&desk.context, who, number, seen.ticket.version, action).await.expect("done");
}

async fn rate(desk: &Desk, who: &Actor, number: &TicketNumber, score: i64) -> Result<(), SurveyError> {
    let mut tx = desk.context.db.begin().await.expect("begin");
    let asked = criteria(&mut tx, Some(desk.acme.id)).await.expect("criteria");
    let answers =
        asked.iter().take(2).map(|it| Answer { criterion: it.id, score, comment: "ok".into() }).collect();
    answer(&mut tx, &desk.context, who, number, Rating { answers, comment: String::new() }).await?;
    tx.commit().await.expect("commit");
    Ok(())
}

async fn counted(desk: &Desk, who: &Actor) -> i64 {
    let mut tx = desk.context.db.read().await.expect("read");
    results(&mut tx, who, UtcMicros(0)).await.expect("results").iter().map(Results::count).sum()
}

db_test! {
    async fn both_parties_rate_once_per_closure_and_the_owner_never(db: Db) {
        let desk = Desk::open(db).await;
        let number = closed(&desk).await;
        let (rita, carl, tom) = (actor(&desk.requester), actor(&desk.colleague), actor(&desk.technician));
        rate(&desk, &rita, &number, 5).await.expect("rated");
        assert!(matches!(rate(&desk, &rita, &number, 1).await, Err(SurveyError::NotFound)), "once");
        rate(&desk, &carl, &number, 3).await.expect("rated");
        for other in [&tom, &actor(&desk.stranger), &actor(&desk.lead), &Actor::system()] {
            assert!(matches!(rate(&desk, other, &number, 5).await, Err(SurveyError::NotFound)));
        }
        assert_eq!(counted(&desk, &tom).await, 4);
        act(&desk, &rita, &number, TicketAction::Reopen { comment: "again".into() }).await;
        assert!(matches!(rate(&desk, &rita, &number, 1).await, Err(SurveyError::NotFound)), "not closed");
        desk.clock.advance(std::time::Duration::from_mins(1));
        close(&desk, &number).await;
        rate(&desk, &rita, &number, 2).await.expect("another closure");
        let view = tickets::find_ticket(&desk.context, &rita, &number).await.expect("find").expect("some");
        let rated: Vec<_> = view.events.iter().filter(|it| it.kind == "rated").collect();
        assert_eq!(rated.len(), 3);
        assert!(!rated[0].data.to_string().contains("score"), "the history tells no scores");
    }
}

db_test! {
    async fn a_survey_ends_after_thirty_days_and_takes_only_what_is_asked(db: Db) {
        let desk = Desk::open(db).await;
        let number = closed(&desk).await;
        let rita = actor(&desk.requester);
        for bad in [0, 6, -1] {
            assert!(matches!(rate(&desk, &rita, &number, bad).await, Err(SurveyError::Invalid { field: "score", .. })));
        }
        let mut tx = desk.context.db.begin().await.expect("begin");
        let nothing = answer(&mut tx, &desk.context, &rita, &number, Rating::default()).await;
        assert!(matches!(nothing, Err(SurveyError::Invalid { field: "answers", .. })));
        drop(tx);
        desk.clock.advance(days(31));
        assert!(matches!(rate(&desk, &rita, &number, 5).await, Err(SurveyError::NotFound)));
    }
}

db_test! {
    async fn results_are_seen_by_who_may_and_criteria_are_data(db: Db) {
        let desk = Desk::open(db).await;
        let number = closed(&desk).await;
        rate(&desk, &actor(&desk.requester), &number, 4).await.expect("rated");
        assert_eq!(counted(&desk, &actor(&desk.lead)).await, 2);
        let other = actor(&desk.person(None, "tim@desk.example", Role::TechnicianN1).await);
        assert_eq!(counted(&desk, &other).await, 0, "another technician's");
        let mut tx = desk.context.db.begin().await.expect("begin");
        assert!(matches!(results(&mut tx, &actor(&desk.requester), UtcMicros(0)).await, Err(SurveyError::Forbidden)));
        let means = results_by_owner(&mut tx, &actor(&desk.lead), UtcMicros(0)).await.expect("means");
        assert_eq!((means.len(), means[0].name.as_str(), means[0].count, means[0].sum), (1, "tom", 2, 8));
        assert!(results_by_owner(&mut tx, &other, UtcMicros(0)).await.expect("means").is_empty());
        drop(tx);
        let admin = actor(&desk.person(None, "ada@desk.example", Role::Admin).await);
        let mut tx = desk.context.db.begin().await.expect("begin");
        let new = NewCriterion { organisation_id: Some(desk.acme.id), label_fr: "Ponctualité".into(), label_en: "On time".into() };
        assert!(add_criterion(&mut tx, &desk.context, &actor(&desk.lead), new.clone()).await.is_err());
        let made = add_criterion(&mut tx, &desk.context, &admin, new).await.expect("added");
        assert!(criteria(&mut tx, Some(desk.acme.id)).await.expect("list").contains(&made));
        assert!(!criteria(&mut tx, Some(desk.umbrella.id)).await.expect("list").contains(&made));
        retire_criterion(&mut tx, &desk.context, &admin, made.id).await.expect("retired");
        assert!(!criteria(&mut tx, Some(desk.acme.id)).await.expect("list").contains(&made));
    }
}

#[test]
fn a_mean_is_rounded_to_tenths() {
    let of = |scores| {
        let id = uuid::Uuid::nil().into();
        let criterion =
            Criterion { id, organisation_id: None, label_fr: String::new(), label_en: String::new() };
        Results { criterion, scores }.mean_tenths()
    };
    assert_eq!(of([0; 5]), None);
    assert_eq!(of([0, 0, 0, 0, 3]), Some(50));
    assert_eq!(of([1, 0, 0, 0, 2]), Some(37));
}

db_test! {
    async fn confirming_leads_to_a_survey_with_nothing_chosen_that_may_be_skipped(db: Db) {
        let site = Site::open(db).await;
        let desk = &site.desk;
        let number = tickets::open_ticket(&desk.context, &actor(&desk.requester), desk.incident()).await.expect("opened").number;
        let tom = actor(&desk.technician);
        act(desk, &tom, &number, TicketAction::Claim).await;
        act(desk, &tom, &number, Desk::solved("new cable")).await;
        let rita = site.sign_in(&desk.requester).await;
        let version = rita.get(&format!("/tickets/{number}")).await.field("version");
        let confirmed = rita.post(&format!("/tickets/{number}/confirm"), &[("version", &version)]).await;
        assert_eq!(confirmed.location(), format!("/tickets/{number}/survey"), "{}", confirmed.body);
        let form = rita.get(confirmed.location()).await;
        assert!(form.body.contains("type=\"radio\"") && !form.body.contains(" checked"), "{}", form.body);
        let name = form.body.split("name=\"score-").nth(1).and_then(|it| it.split('"').next()).expect("a criterion");
        let empty = rita.post(confirmed.location(), &[]).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        let fields = [(format!("score-{name}"), "4"), (format!("comment-{name}"), "fast"), ("comment".to_owned(), "thanks")];
        let fields: Vec<(&str, &str)> = fields.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let thanks = rita.post(confirmed.location(), &fields).await;
        assert_eq!(thanks.location(), format!("/tickets/{number}?done=rated"), "{}", thanks.body);
        assert_eq!(rita.get(confirmed.location()).await.status, StatusCode::NOT_FOUND, "answered");
        let lead = site.sign_in(&desk.lead).await;
        let page = lead.get("/surveys").await;
        assert!(page.body.contains("4.0") || page.body.contains("How fast"), "{}", page.body);
        assert_eq!(rita.get("/surveys").await.status, StatusCode::FORBIDDEN);
    }
}
