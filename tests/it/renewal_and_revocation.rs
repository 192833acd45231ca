//! Certificates are renewed with a counter, and taken back.

use std::time::Duration;

use parc_acceptance::story;
use parc_acceptance::wire::{self, Identity, Request, Section};
use parc_acceptance::world::{TokenTerms, World, until};
use parc_wire::v1::{ContactResponse, Evidence, OsItem, Outcome, RenewRequest, RenewResponse, SectionKind};
use tonic::{Code, Status};

/// A revocation or quarantine is in force on every collector after a minute; some seconds for a busy test.
const IN_FORCE_LIMIT: Duration = Duration::from_secs(66);
const PAUSE: Duration = Duration::from_millis(500);

fn evidence(serial: &str) -> Evidence {
    Evidence { system_serial: serial.into(), board_serial: format!("B-{serial}"), ..Evidence::default() }
}

async fn identity(world: &World, serial: &str) -> Identity {
    let client = world.organisation("BLANC");
    let token = world.token(&client, TokenTerms::default());
    wire::enroll(world.collector.agents_port(), &token, "", evidence(serial)).await.expect("enroll")
}

async fn contact(world: &World, identity: &Identity, seq: u64) -> Result<ContactResponse, Status> {
    let os = OsItem { hostname: "wire-1".into(), family: "linux".into(), ..OsItem::default() };
    let sections = [Section::of(SectionKind::Os, [("os".to_owned(), os)])];
    let contact = wire::full_contact(11, seq, &sections);
    let mut fleet = wire::fleet(world.collector.agents_port(), identity).await?;
    fleet.contact(contact).await.map(tonic::Response::into_inner)
}

async fn renew(
    world: &World,
    identity: &Identity,
    request: &Request,
    generation: u64,
) -> Result<RenewResponse, Status> {
    let mut fleet = wire::fleet(world.collector.agents_port(), identity).await?;
    let wish = RenewRequest { csr_der: request.csr_der.clone(), generation };
    fleet.renew(wish).await.map(tonic::Response::into_inner)
}

story! {
    async fn a_renewed_identity_is_the_same_agent(world: World) {
        let first = identity(&world, "7XKR001").await;
        assert_eq!(contact(&world, &first, 1).await.expect("answered").outcome(), Outcome::Accepted);
        let request = Request::fresh();
        let answer = renew(&world, &first, &request, 1).await.expect("renewed");
        assert_eq!(answer.generation, 2);
        let again = renew(&world, &first, &request, 1).await.expect("a lost answer does no harm");
        assert_eq!(again.certificate_der, answer.certificate_der);
        let second = request.certified(&first.agent_id, answer.certificate_der);
        assert_eq!(contact(&world, &second, 2).await.expect("answered").outcome(), Outcome::Accepted);
    }
}

story! {
    async fn a_second_renewal_of_an_old_generation_is_a_fork(world: World) {
        let first = identity(&world, "7XKR002").await;
        let request = Request::fresh();
        let answer = renew(&world, &first, &request, 1).await.expect("renewed");
        let second = request.certified(&first.agent_id, answer.certificate_der);
        assert_eq!(contact(&world, &second, 1).await.expect("answered").outcome(), Outcome::Accepted);
        // Somebody else holds the old key and asks as if nothing had happened.
        let thief = renew(&world, &first, &Request::fresh(), 1).await.expect_err("two machines, one identity");
        assert!(matches!(thief.code(), Code::PermissionDenied | Code::Unauthenticated | Code::FailedPrecondition), "{thief}");
        let mut seq = 1;
        until("the quarantine", IN_FORCE_LIMIT, async || {
            seq += 1;
            tokio::time::sleep(PAUSE).await;
            let review = contact(&world, &second, seq).await;
            review.map_or(true, |it| it.outcome() == Outcome::Quarantined).then_some(())
        })
        .await;
    }
}

story! {
    async fn a_revoked_agent_is_shut_out_within_a_minute(world: World) {
        let agent = identity(&world, "7XKR003").await;
        assert_eq!(contact(&world, &agent, 1).await.expect("answered").outcome(), Outcome::Accepted);
        world.collector.admin(&["revoke", "--agent", &agent.agent_id, "--reason", "volé"]);
        let mut seq = 1;
        let refusal = until("the revocation", IN_FORCE_LIMIT, async || {
            seq += 1;
            tokio::time::sleep(PAUSE).await;
            contact(&world, &agent, seq).await.err()
        })
        .await;
        assert!(matches!(refusal.code(), Code::PermissionDenied | Code::Unauthenticated), "{refusal}");
        let renewal = renew(&world, &agent, &Request::fresh(), 1).await.expect_err("no way back in");
        assert!(matches!(renewal.code(), Code::PermissionDenied | Code::Unauthenticated), "{renewal}");
    }
}
