//! temporary
#[derive(Debug)]
pub struct WebState { pub context: crate::context::Context, pub public_url: std::sync::Arc<str>, pub agents_address: std::net::SocketAddr, pub authority_fingerprint: std::sync::Arc<str>, pub listener: std::sync::Arc<dyn crate::inventory::TagListener>, pub links: std::sync::Arc<crate::tickets::link::LinkKey> }
pub fn router(_s: WebState) -> axum::Router { axum::Router::new() }
