//! The agent as a library: probes that read the machine, and everything that carries what they find.

pub mod probe;
pub mod root;
