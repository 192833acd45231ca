//! The corpus of the package `parc-mail` through the whole letterbox: stored, read, decided, done. The last column
//! of its table says what becomes of each message.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parc_mail::identity::Signer;

use super::postman::{BoxRules, MailRoom, Postman};
use super::tray::{Conversion, TrayError, convert, discard, replay};
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::id::OrganisationId;
use crate::kernel::page::PageRequest;
use crate::mail::letterbox::{self, Arrival, InboundFilter, InboundRow, InboundState};
use crate::matching::AssetMatch;
use crate::people::{self, Language, Person};
use crate::sql;
use crate::tickets::{
    Channel, ImpactScope, Severity, TicketAction, TicketNumber, TicketState, TicketView, Urgency,
    act_on_ticket, find_ticket,
};

/// A letterbox with the people the corpus writes of.
struct Office {
    desk: Desk,
    postman: Postman,
    luc: Person,
    nadia: Person,
    uid: i64,
}

impl Office {
    async fn open(db: Db) -> Self {
        let desk = Desk::open(db).await;
        let client = desk.acme.id;
        let luc = desk.person(Some(client), "luc.petit@client.example", Role::Requester).await;
        desk.person(Some(client), "helene.roy@client.example", Role::Requester).await;
        desk.person(Some(client), "sonde@client.example", Role::Requester).await;
        desk.person(Some(client), "autre.sonde@client.example", Role::Requester).await;
        let gone = desk.person(Some(client), "parti@client.example", Role::Requester).await;
        desk.person(Some(desk.umbrella.id), "eve@beta.example", Role::Requester).await;
        let nadia = desk.person(None, "nadia.benali@provider.example", Role::TechnicianN1).await;
        suspend(&desk, &gone).await;
        for tag in ["PC-00-42", "PC-00-43"] {
            desk.machine(&desk.acme, tag).await;
        }
        let room = MailRoom {
            context: desk.context.clone(),
            signer: Arc::new(Signer::new([7; 32], "parc.example")),
            own_addresses: vec!["support@parc.example".into()],
            boxes: vec![BoxRules {
                name: "support".into(),
                authentication_server: "mx.parc.example".into(),
                monitoring_senders: vec!["sonde@client.example".into()],
            }],
        };
        Self { desk, postman: Postman { room: Arc::new(room) }, luc, nadia, uid: 0 }
    }

    /// Puts signed words where the corpus has placeholders.
    fn addressed(&self, raw: Vec<u8>) -> Vec<u8> {
        let signer = &self.postman.room.signer;
        let root = signer.root_id("I202611_0001");
        let token = signer.reply_token("I202611_0001", self.luc.id.as_uuid().as_bytes());
        let mut raw = raw;
        for (placeholder, word) in [
            ("corpus-root-id@parc.example", root.trim_matches(['<', '>'])),
            ("corpus-reply-token", &token),
            ("corpus-instance", &signer.instance()),
        ] {
            raw = replaced(&raw, placeholder.as_bytes(), word.as_bytes());
        }
        raw
    }

    /// A message arrives and is dealt with; gives its row.
    async fn receive(&mut self, raw: &[u8]) -> InboundRow {
        self.uid += 1;
        // Each a second after the one before, so that the last one is the latest.
        self.desk.clock.advance(Duration::from_secs(1));
        let mut tx = self.desk.context.db.begin().await.expect("begin");
        let size_bytes = i64::try_from(raw.len()).expect("size");
        let arrival = Arrival { mailbox: "support", uid_validity: 1, uid: self.uid, size_bytes, raw };
        assert!(letterbox::insert(&mut tx, &self.desk.context, arrival).await.expect("stored"));
        tx.commit().await.expect("commit");
        while self.postman.step().await.expect("step") {}
        self.latest().await
    }

    async fn latest(&self) -> InboundRow {
        let mut tx = self.desk.context.db.read().await.expect("read");
        let page = PageRequest { after: None, limit: 1 };
        let list = letterbox::list(&mut tx, &InboundFilter::default(), &page).await.expect("list");
        list.rows.into_iter().next().expect("a message")
    }

    async fn receive_from_corpus(&mut self, name: &str) -> InboundRow {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../mail/tests/corpus");
        let raw = std::fs::read(folder.join(format!("{name}.eml"))).expect("message");
        let raw = self.addressed(raw);
        self.receive(&raw).await
    }

    /// Luc's two earlier tickets: the first open, the second closed today.
    async fn with_history(&mut self) {
        let first = b"From: luc.petit@client.example\nSubject: noir\nMessage-ID: <corpus-first@client.example>\n\nx\n";
        assert_eq!(self.receive(first).await.ticket_number.as_deref(), Some("I202611_0001"));
        let second =
            b"From: luc.petit@client.example\nSubject: souris\nMessage-ID: <b@client.example>\n\nx\n";
        assert_eq!(self.receive(second).await.ticket_number.as_deref(), Some("I202611_0002"));
        let nadia = actor(&self.nadia);
        self.act(&nadia, "I202611_0002", TicketAction::Claim).await;
        self.close("I202611_0002").await;
    }

    async fn close(&self, number: &str) {
        let mut tx = self.desk.context.db.begin().await.expect("begin");
        let now = self.desk.context.now();
        sql!(&mut tx, |conn| sqlx::query(
            "UPDATE ticket SET state = 'closed', solution = 'done', resolved_at = $2, closed_at = $2 WHERE number = $1"
        )
        .bind(number)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
        .expect("closed");
        tx.commit().await.expect("commit");
    }

    async fn act(&self, who: &Actor, number: &str, action: TicketAction) {
        let number: TicketNumber = number.parse().expect("number");
        let version = self.view(number.as_str()).await.ticket.version;
        act_on_ticket(&self.desk.context, who, &number, version, action).await.expect("done");
    }

    async fn view(&self, number: &str) -> TicketView {
        let number = number.parse().expect("number");
        find_ticket(&self.desk.context, &Actor::system(), &number).await.expect("find").expect("some")
    }

    async fn count(&self, query: &'static str) -> i64 {
        let mut tx = self.desk.context.db.read().await.expect("read");
        sql!(&mut tx, |conn| sqlx::query_scalar(query).fetch_one(conn).await).expect("count")
    }
}

async fn suspend(desk: &Desk, person: &Person) {
    let mut tx = desk.context.db.begin().await.expect("begin");
    people::set_status(&mut tx, &desk.context, &Actor::system(), person.id, false).await.expect("suspended");
    tx.commit().await.expect("commit");
}

fn replaced(raw: &[u8], placeholder: &[u8], word: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = raw;
    while let Some(at) = rest.windows(placeholder.len()).position(|it| it == placeholder) {
        found.extend_from_slice(&rest[..at]);
        found.extend_from_slice(word);
        rest = &rest[at + placeholder.len()..];
    }
    found.extend_from_slice(rest);
    found
}

fn table() -> Vec<Vec<String>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../mail/tests/corpus/expected.tsv");
    let text = std::fs::read_to_string(file).expect("table");
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The table's word for what became of a message.
fn outcome(row: &InboundRow) -> &'static str {
    match (row.state, row.reason.as_str()) {
        (InboundState::Appended, "reopened") => "reopened",
        (InboundState::Appended, "sender_unverified" | "unknown_sender") => "unverified",
        (state, _) => state.code(),
    }
}

fn mail(from: &str, subject: &str, more: &str, body: &str) -> Vec<u8> {
    let domain = from.rsplit('@').next().unwrap_or_default();
    format!(
        "Authentication-Results: mx.parc.example; dmarc=pass header.from={domain}\nFrom: {from}\n\
         To: support@parc.example\nSubject: {subject}\nMessage-ID: <{:x}@{domain}>\n{more}\n{body}\n",
        body.len() * 1_000_003 + subject.len() * 101 + more.len()
    )
    .into_bytes()
}

const LUC: &str = "luc.petit@client.example";

db_test! {
    async fn every_message_of_the_corpus_becomes_what_the_table_says(db: Db) {
        let mut office = Office::open(db).await;
        office.with_history().await;
        let mut wrong = Vec::new();
        let mut opened = 2;
        for line in table() {
            office.desk.clock.advance(Duration::from_mins(40));
            let row = office.receive_from_corpus(&line[0]).await;
            let found = outcome(&row);
            if found != line[13] {
                wrong.push(format!("{}: expected {}, became {found} ({})", line[0], line[13], row.reason));
            }
            opened += i64::from(row.state == InboundState::Opened);
            assert!(line[1] == "human" || row.state != InboundState::Opened, "{} opened a ticket", line[0]);
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        assert_eq!(office.count("SELECT COUNT(*) FROM ticket").await, opened, "no ticket from anything else");
        assert_eq!(office.count("SELECT COUNT(*) FROM mail_inbound WHERE state = 'received'").await, 0, "none is lost");
        assert_eq!(
            office.count("SELECT COUNT(*) FROM mail_outbox WHERE template = 'refusal'").await,
            3,
            "strangers whose address is vouched for, each once"
        );
        assert_eq!(
            office.count("SELECT COUNT(*) FROM mail_outbox WHERE origin = 'acknowledgement' AND template <> 'refusal' AND template <> 'created'").await,
            0,
            "nothing else is answered"
        );
    }
}

db_test! {
    async fn a_mail_in_the_documented_layout_fills_the_ticket_and_finds_the_machine(db: Db) {
        let mut office = Office::open(db).await;
        let row = office.receive_from_corpus("layout_latin1_shuffled").await;
        assert_eq!((row.state, row.from_address.as_str()), (InboundState::Opened, LUC));
        let view = office.view(row.ticket_number.as_deref().expect("number")).await;
        let ticket = &view.ticket;
        assert_eq!(ticket.channel, Channel::Mail);
        assert_eq!(ticket.summary, "Écran figé au démarrage");
        assert_eq!(ticket.description, "L'écran reste figé au démarrage.\n\nCela se produit un jour sur deux.");
        assert_eq!((ticket.site_name.as_str(), ticket.location.as_str()), ("Lyon", "Bâtiment B, étage 2"));
        assert_eq!(ticket.availability, "demain après-midi");
        assert_eq!((ticket.severity, ticket.scope, ticket.urgency), (Severity::Minor, ImpactScope::All, Urgency::Medium));
        assert_eq!((ticket.asset_match, ticket.inventory_number.as_str()), (AssetMatch::Attached, "pc-00-42"));
        assert_eq!(view.assets[0].ci.tag.as_deref(), Some("PC-00-42"));
        let told = view.events.iter().find(|it| it.kind == "mail_in").expect("told");
        assert_eq!((told.public, told.data["missing"].as_array().map(Vec::len)), (false, Some(0)));
    }
}

db_test! {
    async fn one_machine_named_in_running_text_is_attached_two_are_not(db: Db) {
        let mut office = Office::open(db).await;
        let one = office.receive_from_corpus("layout_nothing_but_text").await;
        let view = office.view(one.ticket_number.as_deref().expect("number")).await;
        assert_eq!(view.ticket.asset_match, AssetMatch::Attached);
        let told = view.events.iter().find(|it| it.kind == "mail_in").expect("told");
        assert_eq!(told.data["flags"][0], "inferred_number");
        let two = office.receive_from_corpus("free_text_two_machines").await;
        let view = office.view(two.ticket_number.as_deref().expect("number")).await;
        assert_eq!((view.ticket.asset_match, view.assets.len()), (AssetMatch::None, 0));
        let told = view.events.iter().find(|it| it.kind == "mail_in").expect("told");
        assert_eq!(told.data["several"].as_array().map(Vec::len), Some(2));
    }
}

db_test! {
    async fn a_machines_mail_does_not_end_a_wait_and_a_persons_does(db: Db) {
        let mut office = Office::open(db).await;
        office.with_history().await;
        let nadia = actor(&office.nadia);
        office.act(&nadia, "I202611_0001", TicketAction::Claim).await;
        let hold = TicketAction::Hold { reason: "user absent".into(), until: None, note: String::new() };
        office.act(&nadia, "I202611_0001", hold).await;
        for silent in ["ooo_auto_submitted", "ooo_no_mark"] {
            let row = office.receive_from_corpus(silent).await;
            assert_eq!((row.state, row.ticket_number.as_deref()), (InboundState::Silent, Some("I202611_0001")));
        }
        assert_eq!(office.view("I202611_0001").await.ticket.state, TicketState::Pending);
        office.receive_from_corpus("reply_inline").await;
        let view = office.view("I202611_0001").await;
        assert_eq!(view.ticket.state, TicketState::InProgress);
        let reply = view.events.iter().rfind(|it| it.kind == "reply").expect("reply");
        assert_eq!(reply.data["text"], "Un Latitude 5420.\nDepuis hier.");
    }
}

db_test! {
    async fn files_come_along_and_what_was_dropped_is_named(db: Db) {
        let mut office = Office::open(db).await;
        let row = office.receive_from_corpus("twenty_five_files").await;
        let view = office.view(row.ticket_number.as_deref().expect("number")).await;
        let created = view.events.iter().find(|it| it.kind == "created").expect("created");
        assert_eq!(created.data["files"].as_array().map(Vec::len), Some(20));
        let told = view.events.iter().find(|it| it.kind == "mail_in").expect("told");
        assert_eq!(told.data["dropped"].as_array().map(Vec::len), Some(5));
        assert_eq!(told.data["dropped"][0]["reason"], "too_many");
    }
}

db_test! {
    async fn a_closed_ticket_is_opened_again_for_two_weeks_and_followed_later(db: Db) {
        let mut office = Office::open(db).await;
        office.with_history().await;
        let row = office.receive(&mail(LUC, "[I202611_0002] encore", "", "Elle recommence.")).await;
        assert_eq!((row.state, row.ticket_number.as_deref()), (InboundState::Appended, Some("I202611_0002")));
        assert_eq!(office.view("I202611_0002").await.ticket.state, TicketState::Queued);
        office.close("I202611_0002").await;
        office.desk.clock.advance(Duration::from_hours(24 * 20));
        let late = office.receive(&mail(LUC, "[I202611_0002] toujours", "", "Un mois plus tard.")).await;
        assert_eq!((late.state, late.reason.as_str()), (InboundState::Opened, "follows"));
        let view = office.view(late.ticket_number.as_deref().expect("number")).await;
        let told = view.events.iter().find(|it| it.kind == "mail_in").expect("told");
        assert_eq!(told.data["follows"], "I202611_0002");
    }
}

db_test! {
    async fn a_program_gone_wrong_opens_ten_tickets_and_no_more(db: Db) {
        let mut office = Office::open(db).await;
        let mut states = Vec::new();
        for round in 0..12 {
            let body = "x".repeat(round + 1);
            states.push(office.receive(&mail(LUC, "encore", "", &body)).await.state);
        }
        assert_eq!(states.iter().filter(|it| **it == InboundState::Opened).count(), 10);
        assert_eq!(states[11], InboundState::Quarantined);
        office.desk.clock.advance(Duration::from_hours(2));
        let later = office.receive(&mail(LUC, "plus tard", "", "une vraie demande")).await;
        assert_eq!(later.state, InboundState::Opened);
    }
}

db_test! {
    async fn a_stranger_is_told_once_a_day_and_becomes_a_requester_in_one_step(db: Db) {
        let mut office = Office::open(db).await;
        let first = office.receive_from_corpus("stranger").await;
        assert_eq!((first.state, first.answered), (InboundState::Refused, true));
        let again = office.receive(&mail("inconnu@ailleurs.example", "encore", "", "bonjour ?")).await;
        assert_eq!((again.state, again.answered), (InboundState::Refused, false));
        let conversion =
            Conversion { organisation_id: office.desk.acme.id, name: "Inès Connue".into(), language: Language::Fr };
        let tom = actor(&office.desk.technician);
        let refused = convert(&office.postman.room, &tom, first.id, conversion.clone()).await;
        assert!(matches!(refused, Err(TrayError::Forbidden)), "{refused:?}");
        let lena = actor(&office.desk.lead);
        let row = convert(&office.postman.room, &lena, first.id, conversion.clone()).await.expect("converted");
        assert_eq!((row.state, row.settled_by.as_str()), (InboundState::Converted, "lena"));
        let view = office.view(row.ticket_number.as_deref().expect("number")).await;
        assert_eq!(view.ticket.requester_name, "Inès Connue");
        let twice = convert(&office.postman.room, &lena, first.id, conversion).await;
        assert!(matches!(twice, Err(TrayError::NotFound)), "{twice:?}");
        discard(&office.postman.room, &lena, again.id).await.expect("discarded");
        assert_eq!(office.latest().await.state, InboundState::Discarded);
    }
}

db_test! {
    async fn what_was_set_aside_is_let_through_by_a_person(db: Db) {
        let mut office = Office::open(db).await;
        let row = office.receive_from_corpus("junk_flag").await;
        assert_eq!(row.state, InboundState::Quarantined);
        let lena = actor(&office.desk.lead);
        let row = replay(&office.postman.room, &lena, row.id).await.expect("let through");
        assert_eq!(row.state, InboundState::Converted);
        assert!(replay(&office.postman.room, &lena, row.id).await.is_err(), "once is enough");
    }
}

db_test! {
    async fn words_about_another_organisations_ticket_do_not_reach_it(db: Db) {
        let mut office = Office::open(db).await;
        office.with_history().await;
        let before = office.view("I202611_0001").await.ticket.version;
        let row = office.receive_from_corpus("reply_subject_foreign").await;
        let number = row.ticket_number.expect("a ticket of its own");
        let organisation: OrganisationId = office.view(&number).await.ticket.organisation_id;
        assert_eq!(organisation, office.desk.umbrella.id);
        assert_eq!(office.view("I202611_0001").await.ticket.version, before);
    }
}

db_test! {
    async fn a_message_that_fails_three_times_waits_for_a_person_and_holds_up_nobody(db: Db) {
        let mut office = Office::open(db).await;
        let poison = office.receive_from_corpus("only_attachment").await;
        assert_eq!(poison.state, InboundState::Opened, "nothing is wrong with it by itself");
        // Its bytes disappear before it is dealt with: every attempt fails.
        let mut tx = office.desk.context.db.begin().await.expect("begin");
        let raw = b"From: luc.petit@client.example\nSubject: poison\n\nx";
        let arrival = Arrival { mailbox: "support", uid_validity: 1, uid: 900, size_bytes: 10, raw };
        letterbox::insert(&mut tx, &office.desk.context, arrival).await.expect("stored");
        sql!(&mut tx, |conn| sqlx::query(
            "DELETE FROM mail_inbound_raw WHERE inbound_id IN (SELECT id FROM mail_inbound WHERE uid = 900)"
        ).execute(conn).await.map(drop)).expect("gone");
        tx.commit().await.expect("commit");
        let next = office.receive(&mail(LUC, "suivant", "", "le message d'après")).await;
        assert_eq!(next.state, InboundState::Opened);
        for _ in 0..4 {
            office.desk.clock.advance(Duration::from_mins(3));
            while office.postman.step().await.expect("step") {}
        }
        let mut tx = office.desk.context.db.read().await.expect("read");
        let filter = InboundFilter { states: vec![InboundState::Quarantined], query: String::new() };
        let tray = letterbox::list(&mut tx, &filter, &PageRequest::first()).await.expect("list");
        let rows: HashMap<_, _> = tray.rows.iter().map(|it| (it.reason.as_str(), it.attempts)).collect();
        assert_eq!(rows.get("failed"), Some(&3), "{rows:?}");
    }
}
