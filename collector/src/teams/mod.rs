//! Teams: who works together, at which level of support, and which team a ticket goes to first. Owns `team`,
//! `team_member`, `team_route`.
//!
//! Teams are data: every installation has its own. One without any works too, all its tickets lie in one pot.
//! Invariants: a code is given once; a team of one organisation gets tickets of that organisation only; a team that
//! is no longer active keeps its tickets and gets no new ones.

pub mod api;
mod defaults;
mod model;
mod routing;
mod service;
mod store;
pub(crate) mod web;

pub use defaults::make_default_teams;
pub use model::{NewTeam, Route, Team, TeamChange, TeamError, TeamKind, TeamMember};
pub use routing::Wish;
pub use service::{add_route, change_team, create_team, default_team, remove_route, set_member};
pub use store::{
    find_team, find_team_by_code, is_member, list_members, list_routes, list_teams, list_teams_of,
};
