//! Stories of the slice, on both engines.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parc_wire::v1::{EnrollRequest, EnrollResponse, Evidence};
use rcgen::KeyPair;
use secrecy::ExposeSecret;
use x509_parser::parse_x509_certificate;

use super::csr::tests::csr_of;
use super::*;
use crate::context::Context;
use crate::db::Db;
use crate::db_test;
use crate::inventory::TagPolicy;
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::id::{AgentId, OrganisationId};
use crate::kernel::page::PageRequest;
use crate::kernel::time::{ManualClock, UtcMicros, days};
use crate::rpc::PeerCertificate;
use crate::sites::{self, NewOrganisation, NewSite};

const START: UtcMicros = UtcMicros(1_800_000_000_000_000);

/// A collector's slice with one organisation and one site.
pub(super) struct House {
    pub(super) context: Context,
    pub(super) clock: Arc<ManualClock>,
    pub(super) authority: Arc<Authority>,
    organisation: OrganisationId,
    site: crate::kernel::id::SiteId,
    _folder: tempfile::TempDir,
}

impl House {
    pub(super) async fn new(db: Db) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let context = Context { db, clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let folder = tempfile::tempdir().expect("folder");
        let authority =
            Arc::new(Authority::open(&context, &seal_key(folder.path(), "a")).await.expect("authority"));
        let (organisation, site) = organisation(&context, "ACME").await;
        Self { context, clock, authority, organisation, site, _folder: folder }
    }

    pub(super) async fn token(&self, uses_max: u32) -> String {
        let new = NewEnrollToken {
            organisation_id: self.organisation,
            site_id: Some(self.site),
            uses_max,
            valid_days: 7,
            tag_policy: TagPolicy::MayCreate,
        };
        let mut tx = self.context.db.begin().await.expect("begin");
        let token =
            create_enroll_token(&mut tx, &self.context, &Actor::system(), self.authority.fingerprint(), new)
                .await;
        tx.commit().await.expect("commit");
        token.expect("token").expose_secret().to_owned()
    }

    pub(super) async fn enroll(&self, request: &EnrollRequest) -> Result<EnrollResponse, AgentError> {
        enroll(&self.context, &self.authority, request.clone(), 60).await
    }

    /// Enrolls a new machine.
    pub(super) async fn machine(&self) -> EnrollResponse {
        let token = self.token(1).await;
        self.enroll(&request(&token)).await.expect("enrolled")
    }

    async fn audited(&self, subject: &str) -> Vec<(String, String)> {
        let mut tx = self.context.db.read().await.expect("read");
        crate::audit::deeds_of(&mut tx, subject).await.expect("deeds")
    }
}

async fn organisation(context: &Context, code: &str) -> (OrganisationId, crate::kernel::id::SiteId) {
    let mut tx = context.db.begin().await.expect("begin");
    let system = Actor::system();
    let new = NewOrganisation {
        code: code.into(),
        name: code.into(),
        time_zone: "Europe/Paris".into(),
        demo: false,
    };
    let organisation =
        sites::create_organisation(&mut tx, context, &system, new).await.expect("organisation");
    let new =
        NewSite { organisation_id: organisation.id, name: "Lyon".into(), address: String::new(), main: true };
    let site = sites::create_site(&mut tx, context, &system, new).await.expect("site");
    tx.commit().await.expect("commit");
    (organisation.id, site.id)
}

fn seal_key(folder: &Path, name: &str) -> SealKey {
    SealKey::open_or_create(&folder.join(name)).expect("seal key")
}

/// A request of a machine nobody knows.
pub(super) fn request(token: &str) -> EnrollRequest {
    let mut attempt_id = vec![0; 16];
    crate::kernel::entropy::Entropy::fill(&SystemEntropy, &mut attempt_id);
    EnrollRequest {
        token: token.into(),
        attempt_id,
        csr_der: csr_of(&KeyPair::generate().expect("key")),
        evidence: Some(Evidence::default()),
        asset_tag: String::new(),
        hostname: "pc-1".into(),
        agent_version: "0.1.0".into(),
    }
}

/// Evidence enough to recognise a machine by.
fn known_machine() -> Evidence {
    Evidence {
        smbios_uuid: "4c4c4544-0042-3510-8052-b4c04f4a3233".into(),
        system_serial: "5CG1234XYZ".into(),
        board_serial: "PHXV0042A7".into(),
        machine_fingerprint: "9f86d081884c7d659a2feaa0c55ad015".into(),
        macs: vec!["a4:bb:6d:01:02:03".into()],
        disk_serials: vec!["S4EMNX0R123456".into()],
    }
}

fn peer(certificate_der: &[u8]) -> PeerCertificate {
    PeerCertificate::parse(certificate_der).expect("certificate")
}

fn agent_id(response: &EnrollResponse) -> AgentId {
    response.agent_id.parse().expect("agent id")
}

fn new_csr() -> Vec<u8> {
    csr_of(&KeyPair::generate().expect("key"))
}

db_test! {
    async fn collectors_that_start_at_once_share_one_authority(db: Db) {
        let clock = Arc::new(ManualClock::at(START));
        let context = Context { db, clock, entropy: Arc::new(SystemEntropy) };
        let folder = tempfile::tempdir().expect("folder");
        let opened = (0..8).map(|_| {
            let (context, key) = (context.clone(), seal_key(folder.path(), "a"));
            tokio::spawn(async move { Authority::open(&context, &key).await.map(|it| it.fingerprint().to_owned()) })
        });
        let mut fingerprints = Vec::new();
        for authority in opened.collect::<Vec<_>>() {
            fingerprints.push(authority.await.expect("joined").expect("opened"));
        }
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), 1);
        assert!(fingerprints[0].len() == 32 && fingerprints[0].bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it)));
        let error = Authority::open(&context, &seal_key(folder.path(), "b")).await.expect_err("another key");
        assert!(matches!(error, AuthorityError::SealKeyWrong), "{error}");
    }
}

db_test! {
    async fn a_database_with_an_authority_never_gets_another_seal_key(db: Db) {
        let clock = Arc::new(ManualClock::at(START));
        let context = Context { db, clock, entropy: Arc::new(SystemEntropy) };
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("seal.key");
        check_authority(&context, &path).await.expect("nothing to open yet");
        assert!(!path.exists(), "a check makes nothing");
        open_authority(&context, &path).await.expect("made");
        check_authority(&context, &path).await.expect("opens");
        std::fs::rename(&path, folder.path().join("lost")).expect("lose it");
        let error = open_authority(&context, &path).await.expect_err("refused");
        assert!(matches!(error, AuthorityError::SealKeyMissing { .. }), "{error}");
        assert!(!path.exists(), "no key is made in its place");
        seal_key(folder.path(), "seal.key");
        let error = check_authority(&context, &path).await.expect_err("another key");
        assert!(matches!(error, AuthorityError::SealKeyWrong), "{error}");
    }
}

db_test! {
    async fn a_machine_with_a_token_gets_a_certificate_of_our_making(db: Db) {
        let house = House::new(db).await;
        let token = house.token(1).await;
        let response = house.enroll(&request(&token)).await.expect("enrolled");
        assert_eq!((response.organisation.as_str(), response.site.as_str(), response.next_contact_s), ("ACME", "Lyon", 60));
        assert_eq!(response.root_der, house.authority.root_der());
        let (_, certificate) = parse_x509_certificate(&response.certificate_der).expect("certificate");
        assert_eq!(certificate.subject().to_string(), format!("CN={}", response.agent_id));
        let usage = certificate.extended_key_usage().expect("readable").expect("present").value;
        assert!(usage.client_auth && !usage.server_auth && !usage.any);
        let validity = certificate.validity();
        assert_eq!(validity.not_before.timestamp(), START.seconds() - 300);
        assert_eq!(validity.not_after.timestamp(), START.seconds() + 30 * 86_400);
        let shown = peer(&response.certificate_der);
        assert_eq!(shown.serial.len(), 17);
        assert_eq!(shown.uri, Some(format!("urn:parc:agent:{}:{}", house.organisation, response.agent_id)));
        let identity = Identities::new(house.context.clone()).resolve(&shown).await.expect("identity");
        assert_eq!(identity.binding.agent_id, agent_id(&response));
        assert_eq!((identity.generation, identity.expired, identity.status), (1, false, AgentStatus::Active));
        let actor = identity.actor();
        assert_eq!((actor.kind, actor.scope), (ActorKind::Agent(agent_id(&response)), Scope::Organisation(house.organisation)));
        let mut tx = house.context.db.read().await.expect("read");
        let agent = find_agent_of_ci(&mut tx, identity.binding.ci_id).await.expect("find").expect("some");
        assert_eq!((agent.id, agent.version.as_str()), (agent_id(&response), "0.1.0"));
    }
}

db_test! {
    async fn every_bad_token_is_refused_in_the_same_words(db: Db) {
        let house = House::new(db).await;
        let (spent, revoked, good) = (house.token(1).await, house.token(1).await, house.token(9).await);
        house.enroll(&request(&spent)).await.expect("first use");
        let mut tx = house.context.db.begin().await.expect("begin");
        let id = revoked.split('.').nth(1).expect("id");
        revoke_enroll_token(&mut tx, &house.context, &Actor::system(), id).await.expect("revoked");
        tx.commit().await.expect("commit");
        let parts: Vec<&str> = good.split('.').collect();
        let wrong_secret = format!("{}.{}.{}.{}", parts[0], parts[1], "a".repeat(32), parts[3]);
        let unknown = format!("{}.{}.{}.{}", parts[0], "a".repeat(10), parts[2], parts[3]);
        let other_root = format!("{}.{}.{}.{}", parts[0], parts[1], parts[2], "0".repeat(32));
        let mut refused = vec![spent, revoked, wrong_secret, unknown, other_root, String::new(), "x".repeat(300)];
        for token in &refused {
            let error = house.enroll(&request(token)).await.expect_err("refused");
            assert!(matches!(error, AgentError::TokenRefused), "{token}: {error:?}");
        }
        house.enroll(&request(&good)).await.expect("still good");
        house.clock.advance(days(7));
        refused.push(good.clone());
        let error = house.enroll(&request(&good)).await.expect_err("expired");
        assert!(matches!(error, AgentError::TokenRefused));
    }
}

db_test! {
    async fn a_token_for_five_machines_enrolls_five_of_twenty_at_once(db: Db) {
        let house = Arc::new(House::new(db).await);
        let token = house.token(5).await;
        let attempts = (0..20).map(|_| {
            let (house, request) = (house.clone(), request(&token));
            tokio::spawn(async move { house.enroll(&request).await })
        });
        let mut enrolled = 0;
        for attempt in attempts.collect::<Vec<_>>() {
            match attempt.await.expect("joined") {
                Ok(_) => enrolled += 1,
                Err(error) => assert!(matches!(error, AgentError::TokenRefused), "{error:?}"),
            }
        }
        assert_eq!(enrolled, 5);
        let mut tx = house.context.db.read().await.expect("read");
        let tokens = list_enroll_tokens(&mut tx, Scope::All, &PageRequest::first()).await.expect("list").rows;
        assert_eq!((tokens[0].uses, tokens[0].uses_max, tokens[0].site_name.as_str()), (5, 5, "Lyon"));
        assert_eq!(list_agents(&mut tx, Scope::All, None, &PageRequest::first()).await.expect("list").rows.len(), 5);
    }
}

db_test! {
    async fn a_lost_answer_is_given_again_and_costs_no_second_use(db: Db) {
        let house = Arc::new(House::new(db).await);
        let token = house.token(1).await;
        let same = request(&token);
        let twins = (0..6).map(|_| {
            let (house, request) = (house.clone(), same.clone());
            tokio::spawn(async move { house.enroll(&request).await })
        });
        let mut answers = Vec::new();
        for twin in twins.collect::<Vec<_>>() {
            answers.push(twin.await.expect("joined").expect("enrolled"));
        }
        house.clock.advance(days(8));
        answers.push(house.enroll(&same).await.expect("also after the token ended"));
        answers.dedup();
        assert_eq!(answers.len(), 1);
        let other = EnrollRequest { csr_der: new_csr(), ..same.clone() };
        assert!(matches!(house.enroll(&other).await.expect_err("other request"), AgentError::Refused(_)));
        let foreign = EnrollRequest { token: house.token(1).await, ..same };
        assert!(matches!(house.enroll(&foreign).await.expect_err("other token"), AgentError::Refused(_)));
    }
}

db_test! {
    async fn a_copied_key_is_refused_and_written_down(db: Db) {
        let house = House::new(db).await;
        let token = house.token(2).await;
        let first = request(&token);
        house.enroll(&first).await.expect("enrolled");
        let copy = EnrollRequest { attempt_id: vec![7; 16], ..first };
        assert!(matches!(house.enroll(&copy).await.expect_err("clone"), AgentError::Refused(_)));
        let id = token.split('.').nth(1).expect("id");
        let deeds = house.audited(id).await;
        assert!(deeds.iter().any(|it| it.0 == "agent.enrollment_refused"), "{deeds:?}");
        house.enroll(&request(&token)).await.expect("the refusal took no use");
    }
}

db_test! {
    async fn oversized_and_shapeless_fields_are_named(db: Db) {
        let house = House::new(db).await;
        let good = request(&house.token(1).await);
        let evidence = |change: fn(&mut Evidence)| {
            let mut evidence = Evidence::default();
            change(&mut evidence);
            EnrollRequest { evidence: Some(evidence), ..good.clone() }
        };
        let cases = [
            ("attempt_id", EnrollRequest { attempt_id: vec![1; 15], ..good.clone() }),
            ("csr_der", EnrollRequest { csr_der: vec![1; 300], ..good.clone() }),
            ("hostname", EnrollRequest { hostname: "h".repeat(254), ..good.clone() }),
            ("agent_version", EnrollRequest { agent_version: "v".repeat(129), ..good.clone() }),
            ("asset_tag", EnrollRequest { asset_tag: "t".repeat(257), ..good.clone() }),
            ("evidence.macs", evidence(|it| it.macs = vec![String::new(); 17])),
            ("evidence.disk_serials", evidence(|it| it.disk_serials = vec!["d".repeat(257)])),
            ("evidence.system_serial", evidence(|it| it.system_serial = "s".repeat(257))),
        ];
        for (name, request) in cases {
            let error = house.enroll(&request).await.expect_err(name);
            assert!(matches!(error, AgentError::Invalid { field, .. } if field == name), "{name}: {error:?}");
        }
        let hostile = EnrollRequest { hostname: "pc\u{0}\u{202E}".into(), asset_tag: "To be filled by O.E.M.".into(), ..good };
        let response = house.enroll(&hostile).await.expect("a bad tag is set aside");
        let deeds = house.audited(&response.agent_id).await;
        assert!(deeds[0].1.contains(r#""tag_refusal":"placeholder""#), "{}", deeds[0].1);
    }
}

db_test! {
    async fn a_machine_that_enrolls_again_replaces_its_old_agent(db: Db) {
        let house = House::new(db).await;
        let token = house.token(2).await;
        let evidence = known_machine();
        let request = |token: &str| EnrollRequest { evidence: Some(evidence.clone()), ..request(token) };
        let old = house.enroll(&request(&token)).await.expect("first");
        house.clock.advance(Duration::from_hours(24));
        let new = house.enroll(&request(&token)).await.expect("re-installed");
        let identities = Identities::new(house.context.clone());
        let error = identities.resolve(&peer(&old.certificate_der)).await.expect_err("superseded");
        assert!(matches!(error, AgentError::Refused(_)));
        let identity = identities.resolve(&peer(&new.certificate_der)).await.expect("new agent");
        let mut tx = house.context.db.read().await.expect("read");
        let active = list_agents(&mut tx, Scope::All, Some(AgentStatus::Active), &PageRequest::first()).await.expect("list");
        assert_eq!(active.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [agent_id(&new)]);
        let current = find_agent_of_ci(&mut tx, identity.binding.ci_id).await.expect("find").expect("some");
        assert_eq!(current.id, agent_id(&new));
        drop(tx);
        let actions: Vec<String> = house.audited(&old.agent_id).await.into_iter().map(|it| it.0).collect();
        assert_eq!(actions, ["agent.enrolled", "agent.revoked"]);
    }
}

db_test! {
    async fn a_machine_enrolled_four_times_at_once_has_one_live_agent(db: Db) {
        let house = Arc::new(House::new(db).await);
        let evidence = known_machine();
        let request = |token: &str| EnrollRequest { evidence: Some(evidence.clone()), ..request(token) };
        let first = house.enroll(&request(&house.token(1).await)).await.expect("first");
        let mut again = Vec::new();
        for _ in 0..4 {
            let request = request(&house.token(1).await);
            let house = house.clone();
            again.push(tokio::spawn(async move { house.enroll(&request).await }));
        }
        for enrolled in again {
            enrolled.await.expect("joined").expect("each has its turn");
        }
        let shown = peer(&first.certificate_der);
        let error = Identities::new(house.context.clone()).resolve(&shown).await.expect_err("superseded");
        assert!(matches!(error, AgentError::Refused(_)));
        let mut tx = house.context.db.read().await.expect("read");
        let live = list_agents(&mut tx, Scope::All, Some(AgentStatus::Active), &PageRequest::first()).await.expect("list").rows;
        let cis: std::collections::BTreeSet<_> = live.iter().map(|it| it.ci_id).collect();
        assert_eq!(cis.len(), live.len(), "one live agent per item");
        assert!(!live.iter().any(|it| it.id == agent_id(&first)));
    }
}

db_test! {
    async fn a_renewal_counts_on_and_the_old_certificate_ends_with_the_first_use_of_the_new(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let identities = Identities::new(house.context.clone());
        let old = peer(&enrolled.certificate_der);
        let identity = identities.resolve(&old).await.expect("identity");
        assert!((12..=18).contains(&(identity.half_life_at.since(START).as_secs() / 86_400)));
        house.clock.advance(days(15));
        let csr = new_csr();
        let renewed = renew(&house.context, &house.authority, &identity, &csr, 1).await.expect("renewed");
        assert_eq!(renewed.generation, 2);
        let again = renew(&house.context, &house.authority, &identity, &csr, 1).await.expect("lost answer");
        assert_eq!(again, renewed);
        identities.forget(&old);
        assert!(!identities.resolve(&old).await.expect("the new one was not used yet").expired);
        house.clock.advance(Duration::from_hours(24));
        assert!(identities.resolve(&old).await.expect("may still fetch its renewal").expired);
        let new = identities.resolve(&peer(&renewed.certificate_der)).await.expect("new identity");
        assert_eq!((new.generation, new.expired), (2, false));
        let error = identities.resolve(&old).await.expect_err("two machines");
        assert!(matches!(error, AgentError::Forked { presented: 1 }), "{error:?}");
        house.clock.advance(Duration::from_secs(61));
        let status = identities.resolve(&peer(&renewed.certificate_der)).await.expect("under review").status;
        assert_eq!(status, AgentStatus::Quarantined);
        let actions: Vec<String> = house.audited(&enrolled.agent_id).await.into_iter().map(|it| it.0).collect();
        assert_eq!(actions, ["agent.enrolled", "agent.renewed", "agent.quarantined"]);
    }
}

db_test! {
    async fn two_machines_that_renew_one_identity_end_in_quarantine(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let identities = Identities::new(house.context.clone());
        let identity = identities.resolve(&peer(&enrolled.certificate_der)).await.expect("identity");
        let key_of_another = request(&house.token(1).await);
        house.enroll(&key_of_another).await.expect("another machine");
        let error = renew(&house.context, &house.authority, &identity, &key_of_another.csr_der, 1).await.expect_err("its key");
        assert!(matches!(error, AgentError::Refused(_)));
        let error = renew(&house.context, &house.authority, &identity, &new_csr(), 2).await.expect_err("from the future");
        assert!(matches!(error, AgentError::Invalid { field: "generation", .. }));
        let both = [new_csr(), new_csr()].map(|csr| {
            let (context, authority, identity) = (house.context.clone(), house.authority.clone(), identity.clone());
            tokio::spawn(async move { renew(&context, &authority, &identity, &csr, 1).await })
        });
        let mut outcomes = Vec::new();
        for one in both {
            outcomes.push(one.await.expect("joined"));
        }
        assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
        let fork = outcomes.into_iter().find_map(Result::err);
        assert!(matches!(fork, Some(AgentError::Forked { presented: 1 })), "{fork:?}");
        let error = renew(&house.context, &house.authority, &identity, &new_csr(), 2).await.expect_err("quarantined");
        assert!(matches!(error, AgentError::Refused(_)));
    }
}

db_test! {
    async fn a_revocation_acts_within_a_minute(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let identities = Identities::new(house.context.clone());
        let shown = peer(&enrolled.certificate_der);
        identities.resolve(&shown).await.expect("active");
        let (context, agent) = (&house.context, agent_id(&enrolled));
        let mut tx = context.db.begin().await.expect("begin");
        quarantine_agent(&mut tx, context, agent, "report chain").await.expect("quarantined");
        release_agent(&mut tx, context, &Actor::system(), agent, "checked on site").await.expect("released");
        let error = release_agent(&mut tx, context, &Actor::system(), agent, "again").await.expect_err("active");
        assert!(matches!(error, AgentError::Refused(_)));
        revoke_agent(&mut tx, context, &Actor::system(), agent, "stolen").await.expect("revoked");
        tx.commit().await.expect("commit");
        house.clock.advance(Duration::from_mins(1));
        let error = identities.resolve(&shown).await.expect_err("revoked");
        assert!(matches!(error, AgentError::Refused(_)), "{error:?}");
        let forged = PeerCertificate { der: vec![1], ..shown };
        assert!(matches!(identities.resolve(&forged).await.expect_err("not ours"), AgentError::UnknownCertificate));
        let unknown = PeerCertificate { serial: vec![9; 17], ..forged };
        assert!(matches!(identities.resolve(&unknown).await.expect_err("unknown"), AgentError::UnknownCertificate));
    }
}

db_test! {
    async fn an_expired_identity_may_renew_for_fourteen_days(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let identities = Identities::new(house.context.clone());
        let shown = peer(&enrolled.certificate_der);
        house.clock.advance(days(30) + Duration::from_secs(1));
        let identity = identities.resolve(&shown).await.expect("in grace");
        assert!(identity.expired);
        house.clock.advance(days(14));
        let error = identities.resolve(&shown).await.expect_err("out of grace");
        assert!(matches!(error, AgentError::Refused(_)));
        house.clock.advance(days(120));
        let mut tx = house.context.db.begin().await.expect("begin");
        assert_eq!(prune(&mut tx, &house.context).await.expect("prune"), 1, "the attempt; the newest certificate stays");
    }
}

db_test! {
    async fn old_certificates_are_forgotten_except_the_newest(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let identities = Identities::new(house.context.clone());
        let identity = identities.resolve(&peer(&enrolled.certificate_der)).await.expect("identity");
        renew(&house.context, &house.authority, &identity, &new_csr(), 1).await.expect("renewed");
        house.clock.advance(days(200));
        let mut tx = house.context.db.begin().await.expect("begin");
        assert_eq!(prune(&mut tx, &house.context).await.expect("prune"), 2, "the attempt and the first certificate");
        assert_eq!(prune(&mut tx, &house.context).await.expect("prune"), 0);
    }
}

db_test! {
    async fn agents_and_tokens_of_others_do_not_exist(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let token = house.token(1).await;
        let (other, _) = organisation(&house.context, "OTHER").await;
        let stranger = Actor {
            kind: ActorKind::System,
            label: "admin of another organisation".into(),
            scope: Scope::Organisation(other),
            roles: vec![Role::Admin],
        };
        let powerless = Actor { kind: ActorKind::Agent(agent_id(&enrolled)), roles: vec![Role::Auditor], ..Actor::system() };
        let (context, agent) = (&house.context, agent_id(&enrolled));
        let id = token.split('.').nth(1).expect("id");
        let mut tx = context.db.begin().await.expect("begin");
        let error = revoke_agent(&mut tx, context, &stranger, agent, "x").await.expect_err("foreign");
        assert!(matches!(error, AgentError::NotFound));
        let error = revoke_enroll_token(&mut tx, context, &stranger, id).await.expect_err("foreign");
        assert!(matches!(error, AgentError::NotFound));
        let error = revoke_agent(&mut tx, context, &powerless, agent, "x").await.expect_err("no right");
        assert!(matches!(error, AgentError::Forbidden));
        let scope = Scope::Organisation(other);
        assert!(list_agents(&mut tx, scope, None, &PageRequest::first()).await.expect("list").rows.is_empty());
        assert!(list_enroll_tokens(&mut tx, scope, &PageRequest::first()).await.expect("list").rows.is_empty());
        for (uses_max, valid_days, field) in [(0, 7, "uses_max"), (10_001, 7, "uses_max"), (1, 0, "valid_days"), (1, 91, "valid_days")] {
            let new = NewEnrollToken {
                organisation_id: house.organisation,
                site_id: None,
                uses_max,
                valid_days,
                tag_policy: TagPolicy::None,
            };
            let error = create_enroll_token(&mut tx, context, &Actor::system(), "f", new.clone()).await.expect_err(field);
            assert!(matches!(error, AgentError::Invalid { field: it, .. } if it == field), "{error}");
            let error = create_enroll_token(&mut tx, context, &stranger, "f", NewEnrollToken { uses_max: 1, valid_days: 1, ..new }).await;
            assert!(matches!(error.expect_err("foreign"), AgentError::Invalid { field: "organisation_id", .. }));
        }
    }
}

db_test! {
    async fn an_upgraded_agent_shows_its_new_version(db: Db) {
        let house = House::new(db).await;
        let enrolled = house.machine().await;
        let mut tx = house.context.db.begin().await.expect("begin");
        assert!(!note_version(&mut tx, agent_id(&enrolled), "0.1.0").await.expect("noted"), "the same one");
        assert!(note_version(&mut tx, agent_id(&enrolled), "0.2.0\u{0}").await.expect("noted"));
        tx.commit().await.expect("commit");
        let identity = Identities::new(house.context.clone()).resolve(&peer(&enrolled.certificate_der)).await;
        assert_eq!(identity.expect("identity").version, "0.2.0");
    }
}

db_test! {
    async fn token_and_agent_lists_have_pages(db: Db) {
        let house = House::new(db).await;
        for _ in 0..3 {
            house.machine().await;
            house.clock.advance(Duration::from_secs(1));
        }
        let mut tx = house.context.db.read().await.expect("read");
        let (mut tokens, mut agents) = (Vec::new(), Vec::new());
        let (mut token_page, mut agent_page) = (PageRequest { after: None, limit: 2 }, PageRequest { after: None, limit: 2 });
        for _ in 0..2 {
            let page = list_enroll_tokens(&mut tx, Scope::All, &token_page).await.expect("list");
            token_page = PageRequest::from_query(page.next.as_deref(), Some(2));
            tokens.extend(page.rows.into_iter().map(|it| it.created_at));
            let page = list_agents(&mut tx, Scope::Organisation(house.organisation), None, &agent_page).await.expect("list");
            agent_page = PageRequest::from_query(page.next.as_deref(), Some(2));
            agents.extend(page.rows.into_iter().map(|it| it.enrolled_at));
        }
        assert_eq!(tokens.len(), 3);
        assert!(tokens.is_sorted_by(|a, b| a > b) && agents.is_sorted_by(|a, b| a > b));
        assert_eq!(agents, tokens);
    }
}

#[test]
fn a_seal_key_is_shared_by_those_who_start_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("seal.key");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| SealKey::open_or_create(&path).expect("opened"));
        }
    });
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 1);
}
