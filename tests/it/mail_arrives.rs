//! Mail that arrives: handed to a real mail server, fetched from a real mailbox, become tickets and answers.

use std::path::PathBuf;
use std::time::Duration;

use parc_acceptance::api::text;
use parc_acceptance::engines::Engine;
use parc_acceptance::mail::MailServer;
use parc_acceptance::mailbox::{HELPDESK, MailboxServer};
use parc_acceptance::world::{World, until};
use parc_collector::kernel::page::PageRequest;
use parc_collector::mail::letterbox::{self, InboundFilter, InboundRow, InboundState};
use serde_json::Value;

const LUC: &str = "luc.petit@client.example";
/// Exim delivers at once, dovecot tells of it, the letterbox is looked at every second.
const SETTLING_TIMEOUT: Duration = Duration::from_mins(1);

/// The same story on both engines, with servers of its own.
macro_rules! mail_story {
    ($(async fn $name:ident($world:ident: World, $server:ident: MailServer) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn story(engine: Engine) {
                let Some($server) = MailServer::start().await else { return };
                let Some(mailbox) = MailboxServer::start(&$server).await else { return };
                let (mail_port, mailbox_port) = (Some($server.port), Some(mailbox.port));
                let opened = World::open_with(engine, |it| {
                    it.mail_port = mail_port;
                    it.mailbox_port = mailbox_port;
                });
                let Some($world) = opened.await else { return };
                populate(&$world);
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

/// The people and the machine that the corpus speaks of.
fn populate(world: &World) {
    world.organisation("ACME");
    world.person(LUC, "Luc Petit", "requester", Some("ACME"), "fr");
    world.person("sonde@client.example", "Sonde", "requester", Some("ACME"), "fr");
    world.collector.admin(&[
        "asset",
        "--organisation",
        "ACME",
        "--tag",
        "PC-00-42",
        "--make",
        "Dell Inc.",
        "--model",
        "Latitude 5420",
    ]);
}

/// A message of the corpus of `parc-mail`.
fn corpus(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../mail/tests/corpus");
    std::fs::read(folder.join(format!("{name}.eml"))).expect("a message of the corpus")
}

async fn letters(world: &World) -> Vec<InboundRow> {
    let mut tx = world.database.inside().read().await.expect("a transaction");
    let page = PageRequest { after: None, limit: 100 };
    letterbox::list(&mut tx, &InboundFilter::default(), &page).await.expect("the letterbox").rows
}

/// Hands a message over and waits until it is settled; `count` messages have arrived then.
async fn settled(
    world: &World,
    server: &MailServer,
    (from, raw): (&str, impl AsRef<[u8]>),
    count: usize,
) -> InboundRow {
    server.receive(from, HELPDESK, raw.as_ref()).await;
    until("the message is dealt with", SETTLING_TIMEOUT, async || {
        let rows = letters(world).await;
        let done = rows.len() == count && rows.iter().all(|it| it.state != InboundState::Received);
        rows.into_iter().next().filter(|_| done)
    })
    .await
}

async fn tickets(world: &World) -> usize {
    let list = world.api("lead", None).read("/tickets?limit=200").await;
    list["items"].as_array().expect("a list").len()
}

mail_story! {
    async fn a_mail_in_the_documented_layout_becomes_a_ticket_with_its_machine(world: World, server: MailServer) {
        let row = settled(&world, &server, (LUC, corpus("layout_latin1_shuffled")), 1).await;
        assert_eq!(row.state, InboundState::Opened, "{row:?}");
        let number = row.ticket_number.expect("a number");
        let ticket = world.api("lead", None).ticket(&number).await;
        assert_eq!(text(&ticket, "/summary"), "Écran figé au démarrage");
        assert_eq!(text(&ticket, "/channel"), "mail");
        assert_eq!(text(&ticket, "/location"), "Bâtiment B, étage 2");
        assert_eq!(text(&ticket, "/availability"), "demain après-midi");
        assert_eq!(text(&ticket, "/scope"), "all");
        assert_eq!(text(&ticket, "/asset_match"), "attached");
        assert!(text(&ticket, "/description").starts_with("L'écran reste figé"), "{ticket}");

        // The confirmation reaches the sender; an answer to it lands on the ticket and answers nobody.
        let created = server.mail_to(LUC, |it| it.subject().contains(&number)).await;
        let reply = format!(
            "From: {LUC}\nTo: {HELPDESK}\nSubject: Re: une réponse\nIn-Reply-To: {}\nMessage-ID: <answer@client.example>\n\n\
             Toujours en panne.\n\nLe 16/11/2026 à 09:12, Support a écrit :\n> Demande enregistrée\n",
            created.header("Message-ID")
        );
        let row = settled(&world, &server, (LUC, reply.as_bytes()), 2).await;
        assert_eq!((row.state, row.ticket_number.as_deref()), (InboundState::Appended, Some(number.as_str())));
        let ticket = world.api("lead", None).ticket(&number).await;
        let events = ticket["events"].as_array().expect("events");
        let reply = events.iter().rfind(|it| it["kind"] == "reply").expect("the answer");
        assert_eq!(reply.pointer("/data/text").and_then(Value::as_str), Some("Toujours en panne."));

        // Our own mail that a rule of somebody's mailbox sends back is recognised.
        let row = settled(&world, &server, (LUC, &created.bytes), 3).await;
        assert_eq!(row.state, InboundState::Dropped, "{row:?}");
        // The same message again, as another server repeats it.
        let row = settled(&world, &server, (LUC, corpus("layout_latin1_shuffled")), 4).await;
        assert_eq!(row.state, InboundState::Duplicate);
        assert_eq!(tickets(&world).await, 1);
    }

    async fn of_machines_mail_nothing_is_opened_and_nothing_is_lost(world: World, server: MailServer) {
        let automatic = [
            "ooo_auto_submitted", "ooo_precedence", "ooo_x_autoreply", "ooo_suppress", "ooo_subject_fr", "ooo_subject_en",
            "ooo_no_mark", "acknowledgement_of_other_helpdesk", "read_receipt", "newsletter", "bounce_permanent",
            "bounce_delayed", "bounce_without_report", "bounce_forged", "loop_own_address", "stranger_unauthenticated",
            "html_bomb", "hundred_parts", "garbage", "cid_picture",
        ];
        let human = ["html_bomb", "hundred_parts", "cid_picture"];
        for name in automatic {
            let sender = if name.starts_with("bounce") || name == "ooo_null_return" { "" } else { LUC };
            server.receive(sender, HELPDESK, &corpus(name)).await;
        }
        let rows = until("everything is dealt with", SETTLING_TIMEOUT, async || {
            let rows = letters(&world).await;
            let done = rows.len() == automatic.len() && rows.iter().all(|it| it.state != InboundState::Received);
            done.then_some(rows)
        })
        .await;
        let opened = rows.iter().filter(|it| it.state == InboundState::Opened).count();
        assert_eq!(opened, human.len(), "{rows:#?}");
        assert_eq!(tickets(&world).await, human.len());
        // Only confirmations to the person who wrote: no answer to a machine, a report or a stranger.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let sent = server.mails();
        assert!(sent.iter().all(|it| it.to == LUC), "{:?}", sent.iter().map(|it| &it.to).collect::<Vec<_>>());
    }

    async fn of_forty_mebibytes_the_text_becomes_a_ticket_and_the_size_is_named(world: World, server: MailServer) {
        let mut raw = corpus("attachment_png");
        raw.truncate(raw.len() - 30);
        raw.extend(b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\r\n".repeat(40 * 1024 * 1024 / 66));
        let row = settled(&world, &server, (LUC, &raw), 1).await;
        assert_eq!(row.state, InboundState::Opened, "{row:?}");
        assert!(row.size_bytes > 40 * 1024 * 1024 - 100, "{}", row.size_bytes);
        let ticket = world.api("lead", None).ticket(&row.ticket_number.expect("a number")).await;
        assert_eq!(text(&ticket, "/description"), "Voir la capture.");
        let events = ticket["events"].as_array().expect("events");
        let told = events.iter().find(|it| it["kind"] == "mail_in").expect("told");
        let dropped = told.pointer("/data/dropped").and_then(Value::as_array).expect("what was dropped");
        assert!(dropped.iter().any(|it| it["reason"] == "message_too_large"), "{dropped:?}");
    }

    async fn a_mailbox_that_goes_away_and_comes_back_loses_nothing(world: World, server: MailServer) {
        let mut world = world;
        settled(&world, &server, (LUC, corpus("no_subject")), 1).await;
        world.collector.kill();
        server.receive(LUC, HELPDESK, &corpus("empty_body")).await;
        world.collector.start_again().await;
        let rows = until("the second message is there", SETTLING_TIMEOUT, async || {
            let rows = letters(&world).await;
            (rows.len() == 2 && rows.iter().all(|it| it.state == InboundState::Opened)).then_some(rows)
        })
        .await;
        assert_ne!(rows[0].ticket_number, rows[1].ticket_number);
    }
}
