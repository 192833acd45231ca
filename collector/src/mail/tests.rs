use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use parc_mail::compose::Party;
use parc_mail::identity::{AddressToken, OwnMessageId, Signer, token_of};
use parc_mail::smtp::{Relay, RelaySettings, Security};

use super::courier::Step;
use super::testing::{Reply, ScriptedRelay};
use super::*;
use crate::branding;
use crate::context::Context;
use crate::db::{Db, Tx};
use crate::db_test;
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::id::PersonId;
use crate::kernel::page::PageRequest;
use crate::kernel::time::{ManualClock, UtcMicros, days};
use crate::people::Language;

const OURS: &str = "support@parc.example";
const NUMBER: &str = "I202611_0042";

/// Remembers which mails it was told of.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<Undelivered>>);

impl FailureListener for Told {
    fn undelivered<'a>(&'a self, _: &'a mut Tx, mail: &'a Undelivered) -> HookFuture<'a> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
        Box::pin(async { Ok(()) })
    }
}

struct Office {
    clock: Arc<ManualClock>,
    context: Context,
    relay: ScriptedRelay,
    told: Arc<Told>,
}

impl Office {
    async fn open(db: Db) -> Self {
        let clock = Arc::new(ManualClock::at(UtcMicros::from_seconds(1_795_000_000)));
        let context = Context { db, clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        Self { clock, context, relay: ScriptedRelay::start().await, told: Arc::default() }
    }

    fn signer() -> Arc<Signer> {
        Arc::new(Signer::new([7; 32], "parc.example"))
    }

    fn courier(&self) -> Courier {
        self.courier_to(self.relay.port)
    }

    fn courier_to(&self, port: u16) -> Courier {
        let relay = Relay::new(&RelaySettings {
            host: "127.0.0.1".into(),
            port,
            security: Security::None,
            authority_pem: None,
            credentials: None,
            hello_name: "parc.example".into(),
            timeout: Duration::from_secs(5),
        });
        let desk = Desk {
            signer: Self::signer(),
            from: Party { name: "Support".into(), address: OURS.into() },
            plus_addressing: true,
            own_addresses: vec!["helpdesk@parc.example".into()],
            public_url: "https://parc.example".into(),
            contact: vec!["04 78 00 00 00".into()],
        };
        Courier {
            context: self.context.clone(),
            desk: Arc::new(desk),
            relay: relay.expect("a relay"),
            settings: CourierSettings { hourly_per_address: 3 },
            listener: self.told.clone(),
        }
    }

    async fn write(&self, mail: OutgoingMail) -> bool {
        let mut tx = self.context.db.begin().await.expect("begin");
        let new = enqueue(&mut tx, &self.context, mail).await.expect("written");
        tx.commit().await.expect("commit");
        new
    }

    async fn rows(&self) -> Vec<OutboxRow> {
        let mut tx = self.context.db.read().await.expect("read");
        let page = PageRequest::first();
        list_outbox(&mut tx, &admin(), &OutboxFilter::default(), &page).await.expect("listed").rows
    }

    async fn only(&self) -> OutboxRow {
        let mut rows = self.rows().await;
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows.remove(0)
    }
}

fn admin() -> Actor {
    Actor {
        kind: ActorKind::Person(PersonId::from(uuid::Uuid::from_u128(1))),
        label: "Ada".into(),
        scope: Scope::All,
        roles: vec![Role::Admin],
    }
}

fn letter(said: &str) -> Letter {
    Letter {
        language: Language::Fr,
        subject: "Votre demande est enregistrée".into(),
        title: "Écran noir".into(),
        opening: "Bonjour,".into(),
        blocks: vec![Block::Text { text: said.into() }],
        buttons: vec![Button {
            label: "Voir".into(),
            path: "/decide?t=".into(),
            claim: Some(Claim { purpose: "resolved".into(), event_no: 17, until_s: 1_800_000_000 }),
            primary: true,
        }],
        footer: vec!["Répondez à ce mail.".into()],
        appointment: None,
    }
}

fn mail(event_no: u32, address: &str) -> OutgoingMail {
    OutgoingMail {
        event: format!("{NUMBER}/{event_no}"),
        template: "created",
        to: Recipient { person_id: None, name: "Élodie".into(), address: address.parse().expect("address") },
        organisation_id: None,
        ticket: Some(NUMBER.into()),
        origin: Origin::Notification,
        answers: None,
        merge: None,
        letter: letter("Bien reçu."),
    }
}

fn evolution(event_no: u32, said: &str) -> OutgoingMail {
    let merge = Merge { key: format!("{NUMBER}/nadia"), wait: Duration::from_mins(1) };
    OutgoingMail {
        template: "evolution",
        merge: Some(merge),
        letter: letter(said),
        ..mail(event_no, "luc@client.example")
    }
}

db_test! {
    async fn a_mail_leaves_once_signed_and_says_what_was_written(db: Db) {
        let office = Office::open(db).await;
        assert!(office.write(mail(17, "luc@client.example")).await);
        assert!(!office.write(mail(17, "luc@client.example")).await, "the same event, address and template");
        let courier = office.courier();
        assert_eq!(courier.step().await.expect("sent"), Step::Done);
        assert_eq!(courier.step().await.expect("idle"), Step::Nothing);
        let sent = office.only().await;
        assert_eq!((sent.state, sent.attempts, sent.answer.as_str()), (MailState::Sent, 1, "taken"));
        let delivered = office.relay.delivered();
        assert_eq!(delivered.len(), 1);
        let message = &delivered[0];
        assert_eq!(message.to, "luc@client.example");
        let signer = Office::signer();
        let reports = token_of(&message.from, OURS).and_then(|it| signer.read_address_token(it));
        assert_eq!(reports, Some(AddressToken::Bounce { outgoing: *sent.id.as_uuid().as_bytes() }));
        let answers = message.header("Reply-To");
        let answers = token_of(&answers, OURS).and_then(|it| signer.read_address_token(it));
        assert!(matches!(answers, Some(AddressToken::Reply { ticket, .. }) if ticket.eq_ignore_ascii_case(NUMBER)));
        let own = signer.read_message_id(&message.header("Message-ID")).expect("our signature");
        assert!(matches!(own, OwnMessageId::Message(it) if it.ticket == NUMBER && it.event == "17-created"));
        assert_eq!(message.header("References"), signer.root_id(NUMBER));
        assert!(message.header("Subject").starts_with("[I202611_0042] "), "{}", message.header("Subject"));
        assert_eq!(message.header("Auto-Submitted"), "auto-generated");
    }
}

db_test! {
    async fn a_link_in_a_mail_is_signed_for_its_reader(db: Db) {
        let office = Office::open(db).await;
        office.write(mail(17, "luc@client.example")).await;
        office.courier().step().await.expect("sent");
        let text = office.relay.delivered()[0].text.replace("=\r\n", "").replace("=3D", "=");
        let token = text.split("https://parc.example/decide?t=").nth(1).expect("a link");
        let token = token.split(['\r', '"']).next().expect("its end");
        let claim = Office::signer().read_link_token(token, 1_795_000_000).expect("signed");
        assert_eq!((claim.ticket.as_str(), claim.event_no, claim.purpose.as_str()), (NUMBER, 17, "resolved"));
    }
}

db_test! {
    async fn what_is_not_committed_is_never_sent(db: Db) {
        let office = Office::open(db).await;
        let mut tx = office.context.db.begin().await.expect("begin");
        enqueue(&mut tx, &office.context, mail(1, "luc@client.example")).await.expect("written");
        drop(tx);
        assert_eq!(office.courier().step().await.expect("idle"), Step::Nothing);
    }
}

db_test! {
    async fn not_now_is_tried_again_later_and_later_and_given_up_after_two_days(db: Db) {
        let office = Office::open(db).await;
        office.write(mail(1, "luc@client.example")).await;
        office.relay.answers(&[Reply::Recipient(451); 100]);
        let courier = office.courier();
        let mut waits = Vec::new();
        for _ in 0..60 {
            courier.step().await.expect("tried");
            let row = office.only().await;
            if row.state == MailState::Failed {
                break;
            }
            assert_eq!(row.state, MailState::Waiting);
            assert!(row.answer.contains("451"), "{}", row.answer);
            waits.push(row.not_before.since(office.context.now()));
            office.clock.advance(row.not_before.since(office.context.now()));
        }
        assert_eq!(office.only().await.state, MailState::Failed);
        assert_eq!(waits[..3], [1, 2, 4].map(Duration::from_mins));
        assert!(waits.iter().all(|it| *it <= Duration::from_hours(4)));
        let total: Duration = waits.iter().sum();
        assert!(total >= Duration::from_hours(48) && total < Duration::from_hours(54), "{total:?}");
        assert!(office.relay.delivered().is_empty());
        assert_eq!(office.told.0.lock().expect("told").len(), 1, "its owner is told once");
    }
}

db_test! {
    async fn a_refusal_is_final_and_the_third_closes_the_address(db: Db) {
        let office = Office::open(db).await;
        office.relay.answers(&[Reply::Recipient(550); 3]);
        let courier = office.courier();
        for event_no in 1..=4 {
            office.write(mail(event_no, "gone@client.example")).await;
            courier.step().await.expect("tried");
            office.clock.advance(Duration::from_hours(2));
        }
        let states: Vec<MailState> = office.rows().await.iter().rev().map(|it| it.state).collect();
        assert_eq!(states, [MailState::Failed, MailState::Failed, MailState::Failed, MailState::Withheld]);
        let told = office.told.0.lock().expect("told").clone();
        assert_eq!(told.len(), 3);
        assert!(told[0].answer.contains("550") && told[0].ticket_number.as_deref() == Some(NUMBER));
        let withheld = office.rows().await.remove(0);
        let mut tx = office.context.db.begin().await.expect("begin");
        retry(&mut tx, &office.context, &admin(), withheld.id).await.expect("believed again");
        tx.commit().await.expect("commit");
        courier.step().await.expect("sent");
        assert_eq!(office.relay.delivered().len(), 1);
    }
}

db_test! {
    async fn a_crash_after_the_relay_took_it_repeats_the_same_message_id(db: Db) {
        let office = Office::open(db).await;
        office.write(mail(1, "luc@client.example")).await;
        office.relay.answers(&[Reply::Silence]);
        let courier = office.courier();
        let doomed = tokio::spawn(async move { courier.step().await });
        office.relay.until_arrival().await;
        doomed.abort();
        assert_eq!(office.only().await.state, MailState::Sending, "nobody wrote down that it was taken");
        let next = office.courier();
        assert_eq!(next.step().await.expect("idle"), Step::Nothing, "the lease still runs");
        office.clock.advance(Duration::from_mins(11));
        assert_eq!(next.step().await.expect("sent"), Step::Done);
        let delivered = office.relay.delivered();
        assert_eq!(delivered.len(), 2);
        assert_eq!(delivered[0].header("Message-ID"), delivered[1].header("Message-ID"));
        assert_eq!(office.only().await.state, MailState::Sent);
    }
}

db_test! {
    async fn couriers_at_the_same_time_never_hold_one_mail(db: Db) {
        let office = Office::open(db).await;
        for event_no in 0..12 {
            office.write(mail(event_no, &format!("p{event_no}@client.example"))).await;
        }
        let workers: Vec<_> = (0..6)
            .map(|_| {
                let courier = office.courier();
                tokio::spawn(async move {
                    // Chosen by a faster one: nothing is due for a moment although something waits.
                    for _ in 0..40 {
                        courier.step().await.expect("worked");
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.expect("ended");
        }
        let mut recipients: Vec<String> = office.relay.delivered().into_iter().map(|it| it.to).collect();
        recipients.sort();
        let distinct = recipients.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!((recipients.len(), distinct), (12, 12), "{recipients:?}");
    }
}

db_test! {
    async fn our_own_addresses_get_nothing(db: Db) {
        let office = Office::open(db).await;
        for (event_no, address) in [OURS, "support+rx@parc.example", "HelpDesk@parc.example"].iter().enumerate() {
            office.write(mail(u32::try_from(event_no).expect("small"), address)).await;
            office.courier().step().await.expect("settled");
        }
        assert!(office.relay.delivered().is_empty());
        assert!(office.rows().await.iter().all(|it| it.state == MailState::Withheld));
    }
}

db_test! {
    async fn an_address_has_its_fill_and_gets_the_rest_an_hour_later(db: Db) {
        let office = Office::open(db).await;
        for event_no in 0..5 {
            office.write(mail(event_no, "luc@client.example")).await;
        }
        let courier = office.courier();
        while courier.step().await.expect("worked") == Step::Done {}
        assert_eq!(office.relay.delivered().len(), 3);
        office.clock.advance(Duration::from_hours(1));
        while courier.step().await.expect("worked") == Step::Done {}
        assert_eq!(office.relay.delivered().len(), 5);
    }
}

db_test! {
    async fn a_relay_that_is_away_is_no_mails_fault(db: Db) {
        let office = Office::open(db).await;
        office.write(mail(1, "luc@client.example")).await;
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = closed.local_addr().expect("its number").port();
        drop(closed);
        let cut_off = office.courier_to(port);
        for _ in 0..5 {
            assert_eq!(cut_off.step().await.expect("tried"), Step::NoRelay);
            office.clock.advance(days(1));
        }
        let row = office.only().await;
        assert_eq!((row.state, row.attempts), (MailState::Waiting, 0), "{row:?}");
        assert_eq!(office.courier().step().await.expect("sent"), Step::Done);
        assert_eq!(office.only().await.state, MailState::Sent);
    }
}

db_test! {
    async fn the_switch_stops_everything_and_loses_nothing(db: Db) {
        let office = Office::open(db).await;
        let turn = async |stopped| {
            let mut tx = office.context.db.begin().await.expect("begin");
            set_stopped(&mut tx, &office.context, &admin(), stopped).await.expect("turned");
            tx.commit().await.expect("commit");
        };
        turn(true).await;
        office.write(mail(1, "luc@client.example")).await;
        let courier = office.courier();
        assert_eq!(courier.step().await.expect("idle"), Step::Nothing);
        turn(false).await;
        assert_eq!(courier.step().await.expect("sent"), Step::Done);
        let requester = Actor { roles: vec![Role::TechnicianN1], ..admin() };
        let mut tx = office.context.db.begin().await.expect("begin");
        let refused = set_stopped(&mut tx, &office.context, &requester, true).await;
        assert!(matches!(refused, Err(MailError::Forbidden)));
    }
}

db_test! {
    async fn changes_of_one_minute_become_one_mail(db: Db) {
        let office = Office::open(db).await;
        assert!(office.write(evolution(2, "Pris en charge.")).await);
        office.clock.advance(Duration::from_secs(20));
        office.write(evolution(3, "Priorité 2.")).await;
        let courier = office.courier();
        assert_eq!(courier.step().await.expect("idle"), Step::Nothing, "it waits for more to be said");
        office.clock.advance(Duration::from_secs(41));
        assert_eq!(courier.step().await.expect("sent"), Step::Done);
        office.write(evolution(4, "En attente.")).await;
        office.clock.advance(Duration::from_mins(1));
        assert_eq!(courier.step().await.expect("sent"), Step::Done);
        let delivered = office.relay.delivered();
        assert_eq!(delivered.len(), 2);
        assert!(delivered[0].text.contains("Pris en charge.") && delivered[0].text.contains("2."));
        assert!(!delivered[1].text.contains("Pris en charge."));
    }
}

db_test! {
    async fn a_report_is_booked_once_on_its_mail_and_its_address(db: Db) {
        let office = Office::open(db).await;
        let courier = office.courier();
        for event_no in 0..3 {
            office.write(mail(event_no, "luc@client.example")).await;
            courier.step().await.expect("sent");
            office.clock.advance(Duration::from_secs(1));
        }
        let sent = office.rows().await;
        let book = async |report: &Report| {
            let mut tx = office.context.db.begin().await.expect("begin");
            let found = bounced(&mut tx, &office.context, report).await.expect("booked");
            tx.commit().await.expect("commit");
            found
        };
        let words = "550 5.1.1 no such mailbox\r\nBcc: x".to_owned();
        let by_address = Report { mail: Some(sent[0].id), message_id: None, answer: words };
        let known = book(&by_address).await.expect("ours");
        assert_eq!((known.ticket_number.as_deref(), known.answer.as_str()), (Some(NUMBER), "550 5.1.1 no such mailbox Bcc: x"));
        assert_eq!(book(&by_address).await, None, "the same report again");
        let message_id = office.relay.delivered()[1].header("Message-ID");
        let by_id = Report { mail: None, message_id: Some(message_id), answer: "x".into() };
        assert!(book(&by_id).await.is_some());
        let stranger = Report { mail: None, message_id: Some("<a@b.example>".into()), answer: "x".into() };
        assert_eq!(book(&stranger).await, None);
        assert!(book(&Report { mail: Some(sent[2].id), ..stranger }).await.is_some());
        office.write(mail(9, "luc@client.example")).await;
        office.clock.advance(Duration::from_hours(2));
        courier.step().await.expect("settled");
        assert_eq!(office.rows().await[0].state, MailState::Withheld, "three reports close the address");
        let mut tx = office.context.db.begin().await.expect("begin");
        heard_from(&mut tx, &"luc@client.example".parse().expect("address")).await.expect("forgiven");
        tx.commit().await.expect("commit");
        office.write(mail(10, "luc@client.example")).await;
        courier.step().await.expect("sent");
        assert_eq!(office.rows().await[0].state, MailState::Sent, "somebody who writes to us can be written to");
    }
}

db_test! {
    async fn old_news_is_not_sent_and_old_mails_are_forgotten(db: Db) {
        let office = Office::open(db).await;
        office.write(mail(1, "luc@client.example")).await;
        office.clock.advance(days(3));
        let tidy = async || {
            let mut tx = office.context.db.begin().await.expect("begin");
            let rows = prune(&mut tx, &office.context).await.expect("tidied");
            tx.commit().await.expect("commit");
            rows
        };
        assert_eq!(tidy().await, 1);
        assert_eq!(office.courier().step().await.expect("idle"), Step::Nothing);
        assert_eq!(office.only().await.state, MailState::Withheld);
        office.clock.advance(days(31));
        assert_eq!(tidy().await, 1);
        assert!(office.rows().await.is_empty());
    }
}

db_test! {
    async fn a_mail_says_whose_service_it_is_and_how_to_reach_it(db: Db) {
        let office = Office::open(db).await;
        let settings = branding::Settings {
            product_name: "iservices".into(),
            accent: "#ffee00".into(),
            hotline_phone: "04 78 11 22 33".into(),
            hotline_hours: branding::Localised { fr: "8 h à 18 h".into(), en: "8 to 6".into() },
            support_site: "https://aide.example".into(),
            ..branding::Settings::default()
        };
        let mut tx = office.context.db.begin().await.expect("begin");
        branding::save(&mut tx, &office.context, &admin(), None, settings, None).await.expect("saved");
        tx.commit().await.expect("commit");
        office.write(mail(1, "luc@client.example")).await;
        let mut courier = office.courier();
        let unnamed = Party { name: String::new(), address: OURS.into() };
        courier.desk = Arc::new(Desk { from: unnamed, ..Desk::clone(&courier.desk) });
        courier.step().await.expect("sent");
        let message = office.relay.delivered().remove(0);
        assert_eq!(message.header("From"), "iservices <support@parc.example>");
        let text = message.text.replace("=\r\n", "");
        for said in ["04 78 11 22 33", "https://aide.example"] {
            assert!(text.matches(said).count() >= 2, "{said} in both forms: {text}");
        }
        assert!(!text.contains("04 78 00 00 00"), "what the configuration says is only for want of better");
        assert!(!text.contains("background: #ffee00; color: #ffffff"), "yellow is never written on in white");
    }
}
