//! The agent of a workstation: probes the machine, and tells the collector what has changed.
//!
//! The agent only reports. No answer of the collector can make it run, fetch or write anything; it
//! opens no port and starts no other program. The modules are usable without the program around them:
//! [`report`] and [`delta`] decide what is sent, [`upload`] sends it, [`spool`] remembers what was
//! acknowledged; none of them keeps global state.

pub mod address;
pub mod agent;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contact;
#[cfg(test)]
mod convergence;
pub mod delta;
pub mod describe;
pub mod enroll;
pub mod files;
pub mod identity;
pub mod inventory;
pub mod permissions;
pub mod probe;
pub mod random;
pub mod report;
pub mod root;
pub mod schedule;
pub mod service;
pub mod settle;
pub mod spool;
pub mod state_dir;
pub mod status;
pub mod tag;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod upload;
