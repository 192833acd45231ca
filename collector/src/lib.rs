//! The collector: keeps configuration items and puts the right machine on every ticket.
//!
//! ARCHITECTURE.md, beside this package, is the map.

pub mod agents;
pub mod api;
pub mod app;
pub mod audit;
pub mod branding;
pub mod calendars;
pub mod check;
pub mod cli;
pub mod config;
pub mod context;
pub mod contracts;
pub mod db;
pub mod files;
pub mod fleet;
pub mod import;
pub mod inventory;
pub mod kernel;
pub mod loans;
pub mod mail;
pub mod matching;
mod measures;
pub mod people;
mod people_door;
pub mod privacy;
pub mod quickstart;
pub mod remote;
pub mod reports;
pub mod rpc;
pub mod search;
pub mod sites;
pub mod software;
pub mod surveys;
pub mod teams;
pub mod tickets;
mod upkeep;
pub mod visits;
pub mod web;
