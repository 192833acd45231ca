//! SQL of the slice, by table.

pub(super) mod agent;
pub(super) mod authority;
pub(super) mod certificate;
pub(super) mod token;
