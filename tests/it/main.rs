//! The stories. One binary, one file per story; sentences as names. What runs on a database is told on
//! both engines.
#![expect(clippy::expect_used, clippy::panic, reason = "these are tests")]

mod a_contract_sets_the_pace;
mod accessible_pages;
mod agent_offline_and_back;
mod architecture;
mod browser_journey;
mod enrollment_rules;
mod every_endpoint_every_role;
mod every_rpc_needs_a_certificate;
mod examples_parse;
mod foreign_tag_looks_unknown;
mod hostile_reports;
mod mail_arrives;
mod mail_leaves;
mod migrations_agree;
mod one_collector_and_its_disk;
mod qemu_boot;
mod renewal_and_revocation;
mod report_reaches_ticket;
mod second_start_same_data;
mod ticket_waits_for_its_machine;
mod two_agents_one_tag;
mod unchanged_contact_is_small;
