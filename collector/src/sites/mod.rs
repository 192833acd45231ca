//! Client organisations, their sites, and the locations inside them. Owns `site_organisation`, `site`,
//! `site_location`, `site_application`. An organisation has at most one main site.

pub mod model;
mod service;
mod store;
pub(crate) mod web;

pub use model::{Location, NewOrganisation, NewSite, Organisation, Site, SiteError};
pub use service::{create_location, create_organisation, create_site, set_applications};
pub use store::{
    find_organisation, find_organisation_by_code, find_site, find_site_by_name, list_applications,
    list_locations, list_organisations, list_sites,
};
