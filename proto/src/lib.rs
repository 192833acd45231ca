//! The contract between agent and collector, and nothing else: generated messages, the canonical
//! digest both sides compute, and the limits both sides keep.

pub mod digest;
pub mod limits;
pub mod placeholder;
pub mod tag;

/// Messages and services of `parc.v1`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::excessive_nesting,
    clippy::pedantic,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("parc.v1");
}
