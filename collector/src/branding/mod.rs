//! How the pages are named and look, and whom people phone: for the installation, and per organisation where that
//! differs (rules R009, R153). Also the announcements people read before they ask. Owns `branding` and
//! `branding_announcement`.
//!
//! Invariants: a colour is never trusted: what is shown of it reaches a contrast of 4.5 to 1 on every ground it
//! stands on, in light and dark; a logo is a PNG or JPEG that was walked through whole; an empty field of an
//! organisation means the installation's.

mod cache;
mod colour;
mod logo;
mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use cache::Brands;
pub use colour::{Colour, Palette};
pub use logo::{LOGO_BYTES_MAX, LOGO_PIXELS_MAX, Logo, LogoRefusal};
pub use model::{
    Announcement, AnnouncementKind, Brand, BrandError, Contact, Localised, NewAnnouncement, Settings, Tool,
};
pub use service::{announce, effective, remove_logo, save, withdraw};
pub use store::{find as find_settings, find_logo, list_announcements, live_announcements};
