//! Mails that leave: through a real mail server, and through one that misbehaves by a script.

use std::sync::Arc;
use std::time::Duration;

use parc_acceptance::api::text;
use parc_acceptance::collector::SUPPORT;
use parc_acceptance::engines::Engine;
use parc_acceptance::http;
use parc_acceptance::mail::MailServer;
use parc_acceptance::world::{World, until};
use parc_collector::context::Context;
use parc_collector::db::Tx;
use parc_collector::kernel::actor::Actor;
use parc_collector::kernel::entropy::SystemEntropy;
use parc_collector::kernel::page::PageRequest;
use parc_collector::kernel::time::SystemClock;
use parc_collector::mail::testing::{Reply, ScriptedRelay};
use parc_collector::mail::{self, MailState, OutboxFilter, OutboxRow, Report};
use parc_collector::tickets::notices;
use serde_json::{Value, json};

const TECHNICIAN: &str = "marc.durand@support.example";
const BENEFICIARY: &str = "paul.roux@dupont.example";

/// The same story on both engines, with a mail server of its own.
macro_rules! mail_story {
    ($(async fn $name:ident($world:ident: World, $server:ident: MailServer) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn story(engine: Engine) {
                let Some($server) = MailServer::start().await else { return };
                let port = Some($server.port);
                let Some($world) = World::open_with(engine, |it| it.mail_port = port).await else { return };
                $body
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                story(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                story(Engine::Postgres).await;
            }
        }
    )+};
}

/// Mails as the database has them.
async fn outbox(world: &World) -> Vec<OutboxRow> {
    let mut tx = world.database.inside().read().await.expect("a transaction");
    let page = PageRequest::first();
    mail::list_outbox(&mut tx, &Actor::system(), &OutboxFilter::default(), &page)
        .await
        .expect("the outbox")
        .rows
}

/// Waits until the only mail to an address has come to an end or a stop.
async fn settled(world: &World, address: &str, state: MailState) -> OutboxRow {
    let limit = Duration::from_secs(40);
    until(&format!("a mail to {address} that is {state:?}"), limit, async || {
        outbox(world)
            .await
            .into_iter()
            .find(|it| it.address == address && it.state == state && !it.answer.is_empty())
    })
    .await
}

async fn open(world: &World, requester: &str, beneficiary: &str) -> String {
    let api = world.api("lead", None);
    let body = json!({
        "organisation": "DUPONT",
        "summary": "Écran noir <b>après</b> le mot de passe",
        "description": "Depuis ce matin.\nL’écran reste noir.",
        "requester": requester,
        "beneficiary": beneficiary,
        "site": "Lyon",
    });
    let answer = api.post("/tickets", &body).await.expect(201).json();
    text(&answer, "/number").to_owned()
}

/// What closes an incident.
fn solution(text: &str) -> Value {
    json!({ "solution": text, "code": "fixed", "cause": "usure", "checks": ["tested"] })
}

/// The part of a link behind `before`, as it stands in a plain text.
fn link(text: &str, before: &str) -> String {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before} in:\n{text}"));
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}

mail_story! {
    async fn from_opening_to_closing_both_people_get_their_mails(world: World, server: MailServer) {
        let client = world.organisation("DUPONT");
        world.person(BENEFICIARY, "Paul Roux", "requester", Some("DUPONT"), "en");
        world.person(TECHNICIAN, "Marc Durand", "technician_n1", None, "fr");
        let number = open(&world, &client.requester, BENEFICIARY).await;

        let created = server.mail_to(&client.requester, |_| true).await;
        assert_eq!(created.subject(), format!("[{number}] Demande enregistrée\u{202F}: Écran noir <b>après</b> le mot de passe"));
        assert!(created.text().contains(&number) && created.text().contains("L’écran reste noir."), "{}", created.text());
        assert!(created.text().contains("04 78 00 00 00"), "how to reach the helpdesk: {}", created.text());
        assert!(created.html().contains("&#60;b&#62;après&#60;/b&#62;"), "{}", created.html());
        assert_eq!(created.header("Auto-Submitted"), "auto-generated");
        assert!(created.from.starts_with("support+b") && created.from.ends_with("@parc.example"), "{}", created.from);
        assert!(created.header("Reply-To").starts_with("support+r"), "{}", created.header("Reply-To"));
        assert_eq!(created.header("List-Id"), "<dupont.parc.example>");
        let english = server.mail_to(BENEFICIARY, |_| true).await;
        assert!(english.subject().contains("Request received"), "{}", english.subject());
        assert_eq!(created.header("References"), english.header("References"), "one thread");
        assert_ne!(created.header("Message-ID"), english.header("Message-ID"));

        let api = world.api("lead", None);
        let go = async |action: &str, body: Value| {
            drop(api.post(&format!("/tickets/{number}/{action}"), &body).await.expect(200));
        };
        go("claim", json!({ "owner": TECHNICIAN })).await;
        go("notes", json!({ "text": "XNOTEX" })).await;
        go("resolve", solution("Câble d’écran remplacé.")).await;
        let solved = server.mail_to(BENEFICIARY, |it| it.subject().contains("solved")).await;
        assert!(solved.text().contains("Câble d’écran remplacé."), "{}", solved.text());
        let address = link(&solved.text(), "Everything works:\n");
        assert!(address.starts_with(&world.collector.web()), "{address}");

        let page = http::get(&address).await.expect("answered").expect(200).text();
        assert!(page.contains("<html lang=\"en\"") && page.contains("Câble"), "{page}");
        let ticket = client.api.ticket(&number).await;
        assert_eq!(ticket["state"], "resolved", "who only looks at the page confirms nothing");
        let confirm = async || http::post_form(&address, &[("answer", "confirm")]).await.expect("answered");
        assert!(confirm().await.status.is_redirection());
        assert_eq!(client.api.ticket(&number).await["state"], "closed");
        assert!(confirm().await.status.is_redirection(), "a second time changes nothing and breaks nothing");
        let after = http::get(&address).await.expect("answered").expect(200).text();
        assert!(!after.contains("<textarea"), "{after}");
        server.mail_to(&client.requester, |it| it.subject().contains("close")).await;
        server.mail_to(BENEFICIARY, |it| it.subject().contains("closed")).await;

        for mail in server.mails() {
            assert!(!mail.text().contains("XNOTEX") && !mail.html().contains("XNOTEX"), "{mail:?}");
            assert!(mail.header("X-Auto-Response-Suppress").contains("OOF"));
        }
    }

    async fn a_refused_solution_goes_back_to_work_by_one_link(world: World, server: MailServer) {
        let client = world.organisation("DUPONT");
        world.person(TECHNICIAN, "Marc Durand", "technician_n1", None, "fr");
        let number = open(&world, &client.requester, &client.requester).await;
        let api = world.api("lead", None);
        drop(api.post(&format!("/tickets/{number}/claim"), &json!({ "owner": TECHNICIAN })).await.expect(200));
        drop(api.post(&format!("/tickets/{number}/resolve"), &solution("Redémarré.")).await.expect(200));
        let solved = server.mail_to(&client.requester, |it| it.subject().contains("résolu")).await;
        let address = link(&solved.text(), "Ce n’est pas résolu\u{A0}:\n");
        let send = async |fields: &[(&str, &str)]| http::post_form(&address, fields).await.expect("answered");
        drop(send(&[("answer", "refuse"), ("text", "  ")]).await.expect(422));
        assert!(send(&[("answer", "refuse"), ("text", "Toujours noir.")]).await.status.is_redirection());
        let ticket = client.api.ticket(&number).await;
        assert_eq!(ticket["state"], "in_progress", "{ticket:#}");
        assert!(ticket["events"].to_string().contains("Toujours noir."));
        let told = server.mail_to(TECHNICIAN, |it| it.text().contains("Toujours noir.")).await;
        assert!(told.subject().contains(&number));

        let (kept, last) = address.split_at(address.len() - 1);
        let forged = format!("{kept}{}", if last == "a" { "b" } else { "a" });
        drop(http::get(&forged).await.expect("answered").expect(404));
        let others = World::open(Engine::Sqlite).await.expect("the embedded engine is always there");
        let elsewhere = address.replace(&world.collector.web(), &others.collector.web());
        drop(http::get(&elsewhere).await.expect("answered").expect(404));
    }

    async fn a_report_of_non_delivery_finds_its_mail_and_its_ticket(world: World, server: MailServer) {
        let client = world.organisation("DUPONT");
        world.person("gone@dupont.example", "Lise Parti", "requester", Some("DUPONT"), "fr");
        let number = open(&world, &client.requester, "gone@dupont.example").await;
        let report = until("a report", Duration::from_secs(40), async || {
            server.mails().into_iter().find(|it| it.from.is_empty())
        })
        .await;
        let sent = settled(&world, "gone@dupont.example", MailState::Sent).await;
        assert!(report.to.starts_with("support+b") && report.header("Content-Type").contains("delivery-status"));

        let context = Context {
            db: world.database.inside().clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        };
        // The report refers to what our mail refers to, and last to our mail.
        let references = report.header("References");
        let message_id = references.split_whitespace().last().map(str::to_owned);
        let mut tx = context.db.begin().await.expect("a transaction");
        let booked = Report { mail: None, message_id, answer: "the mailbox was removed".into() };
        let found = notices::bounced(&mut tx, &context, &booked).await.expect("booked").expect("a mail of ours");
        tx.commit().await.expect("commit");
        assert_eq!((found.id, found.ticket_number.as_deref()), (sent.id, Some(number.as_str())));
        let events = client.api.ticket(&number).await["events"].to_string();
        assert!(events.contains("mail_failed") && events.contains("gone@dupont.example"), "{events}");
    }

    async fn what_the_server_refuses_or_puts_off_is_kept_with_its_words(world: World, server: MailServer) {
        let client = world.organisation("DUPONT");
        world.person("refused@dupont.example", "Rémi Fusé", "requester", Some("DUPONT"), "fr");
        world.person("later@dupont.example", "Léa Tard", "requester", Some("DUPONT"), "fr");
        let number = open(&world, "refused@dupont.example", "later@dupont.example").await;
        let refused = settled(&world, "refused@dupont.example", MailState::Failed).await;
        assert!(refused.answer.contains("no such mailbox here"), "{}", refused.answer);
        let later = settled(&world, "later@dupont.example", MailState::Waiting).await;
        assert!(later.answer.contains("try again later") && later.attempts == 1, "{later:?}");
        assert!(server.mails().is_empty(), "neither arrived");
        let events = client.api.ticket(&number).await["events"].to_string();
        assert!(events.contains("refused@dupont.example") && !events.contains("later@dupont.example"), "{events}");
    }

    async fn a_test_mail_tells_whether_the_relay_works(world: World, server: MailServer) {
        let said = world.collector.admin(&["test-mail", "--to", "ada@parc-test.example"]);
        assert!(said.to_lowercase().contains("ok"), "{said}");
        assert_eq!(server.mail_to("ada@parc-test.example", |_| true).await.subject(), "Test mail");
        let (ok, _, error) = world.collector.run("admin", &["test-mail", "--to", "refused@dupont.example"]);
        assert!(!ok && error.contains("no such mailbox here"), "{error}");
        assert!(server.mails().iter().all(|it| it.header("From").contains(SUPPORT)));
    }
}

/// The lease of a killed courier runs for minutes; a test does not wait for it.
async fn end_leases(world: &World) {
    let mut tx = world.database.inside().begin().await.expect("a transaction");
    match &mut tx {
        Tx::Sqlite(tx) => {
            sqlx::query("UPDATE mail_outbox SET lease_until = 0").execute(&mut **tx).await.map(drop)
        }
        Tx::Postgres(tx) => {
            sqlx::query("UPDATE mail_outbox SET lease_until = 0").execute(&mut **tx).await.map(drop)
        }
    }
    .expect("the lease ends");
    tx.commit().await.expect("commit");
}

async fn killed_between_data_and_mark(engine: Engine) {
    let relay = ScriptedRelay::start().await;
    relay.answers(&[Reply::Silence]);
    let port = Some(relay.port);
    let Some(mut world) = World::open_with(engine, |it| it.mail_port = port).await else { return };
    let client = world.organisation("DUPONT");
    let number = open(&world, &client.requester, &client.requester).await;
    relay.until_arrival().await;
    world.collector.kill();
    end_leases(&world).await;
    world.collector.start_again().await;
    settled(&world, &client.requester, MailState::Sent).await;
    let delivered = relay.delivered();
    assert_eq!(delivered.len(), 2, "the relay had it, and the collector could not know");
    let ids: Vec<String> = delivered.iter().map(|it| it.header("Message-ID")).collect();
    assert!(ids[0] == ids[1] && ids[0].contains(&number), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_killed_between_data_and_mark_repeats_the_same_message_id_sqlite() {
    killed_between_data_and_mark(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_killed_between_data_and_mark_repeats_the_same_message_id_postgres() {
    killed_between_data_and_mark(Engine::Postgres).await;
}
