//! Stories of the search, on both engines.

use super::*;
use crate::api::testing::{Desk, actor, assert_documented};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::tickets::{self, NewTicket};

db_test! {
    async fn one_box_finds_numbers_tags_serials_and_people_in_scope(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        let new = NewTicket { inventory_number: "INV-004217".into(), ..desk.incident() };
        let number = tickets::open_ticket(&desk.context, &Actor::system(), new).await.expect("opened").number;
        let lead = actor(&desk.lead);
        let found = async |who: &Actor, query: &str| search(&desk.context, who, query).await.expect("found");
        assert_eq!(found(&lead, &format!(" {number} ").to_lowercase()).await.number, Some(number.clone()));
        assert_eq!(found(&lead, "server").await.tickets[0].ticket.number, number);
        assert_eq!(found(&lead, "S-INV-004217").await.machines.len(), 1, "by serial");
        assert_eq!(found(&lead, "inv-004217").await.machines.len(), 1, "by tag");
        assert_eq!(found(&lead, "RITA").await.people[0].name, "rita");
        assert!(found(&lead, "  ").await.tickets.is_empty());
        let rita = actor(&desk.requester);
        let own = found(&rita, "server").await;
        assert_eq!((own.tickets.len(), own.machines.len(), own.people.len()), (1, 0, 0));
        let referent = desk.person(Some(desk.umbrella.id), "ruth@umbrella.example", Role::Referent).await;
        for query in ["server", "INV-004217", "rita", number.as_str()] {
            let seen = found(&actor(&referent), query).await;
            assert!(seen.number.is_none() && seen.tickets.is_empty() && seen.machines.is_empty() && seen.people.is_empty(), "{query}");
        }
        let key = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
        let answer = desk.get(&key, "/api/v1/search?q=server").await;
        assert_documented(&answer, "get", "/api/v1/search");
        assert_eq!(answer.json["tickets"][0]["number"], number.as_str());
    }
}
