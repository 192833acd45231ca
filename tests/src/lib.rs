//! The harness of the stories: real programs, real databases, real doors.
//!
//! A story starts a collector ([`world::World`]) on one of the two engines, gives it an organisation, lets
//! machines report through the real agent ([`agent::Agent`] over a captured tree made by
//! [`parc_sample::Workstation`]) or through bare gRPC ([`wire`]), and looks at the result where people and
//! programs look: REST ([`api::Api`]) and pages ([`browser::Browser`]).
//!
//! Invariants: every port is a free one on the loopback interface, every file lies in a temporary folder,
//! and every program that was started is stopped when its handle is dropped. What a story needs and does
//! not find fails it when the matching `PARC_TEST_REQUIRE_…` is set, and leaves it out aloud otherwise.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "the harness of tests: what goes wrong here fails the test with a sentence"
)]

pub mod agent;
pub mod api;
pub mod browser;
pub mod collector;
pub mod engines;
pub mod http;
pub mod mail;
pub mod mailbox;
pub mod pages;
pub mod process;
pub mod qemu;
pub mod wire;
pub mod world;
