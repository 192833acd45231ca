//! The collector: keeps configuration items and puts the right machine on every ticket.

pub mod agents;
pub mod audit;
pub mod context;
pub mod db;
pub mod inventory;
pub mod kernel;
pub mod matching;
pub mod people;
pub mod sites;
pub mod software;
pub mod tickets;
pub mod web;
