//! The collector: keeps configuration items and puts the right machine on every ticket.

pub mod audit;
pub mod context;
pub mod db;
pub mod kernel;
pub mod sites;
