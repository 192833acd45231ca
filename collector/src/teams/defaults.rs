//! The teams a new installation may begin with (rules R016–R020 and S3): names are French as in the trade, both can
//! be changed afterwards.

use super::model::{NewTeam, TeamError, TeamKind};
use super::service::{add_route, create_team};
use super::store::find_team_by_code;
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::Actor;

/// Code, name, level, kind, and the tickets it gets first as type and sub-kind.
type Preset = (&'static str, &'static str, i64, TeamKind, &'static [(&'static str, &'static str)]);

const PRESETS: [Preset; 8] = [
    (
        "service-desk",
        "Service desk N1",
        1,
        TeamKind::ServiceDesk,
        &[("incident", ""), ("service_request", ""), ("information", ""), ("emergency", "")],
    ),
    ("servers", "Serveurs", 1, TeamKind::Servers, &[("incident", "server")]),
    (
        "network",
        "Infrastructure et réseaux",
        1,
        TeamKind::Network,
        &[("incident", "connection"), ("incident", "performance"), ("emergency", "outage")],
    ),
    (
        "maintenance",
        "Maintenance",
        1,
        TeamKind::Maintenance,
        &[("incident", "hardware"), ("service_request", "install"), ("service_request", "configure")],
    ),
    (
        "application",
        "Applications",
        1,
        TeamKind::Application,
        &[("incident", "application"), ("improvement", "")],
    ),
    (
        "security",
        "Sécurité informatique",
        1,
        TeamKind::Security,
        &[("incident", "malware"), ("incident", "vulnerability"), ("emergency", "security_breach")],
    ),
    ("training", "Formation", 1, TeamKind::Training, &[("training", "")]),
    ("csn", "CSN (niveau 2)", 2, TeamKind::Other, &[("problem", "")]),
];

/// Makes those of the usual teams that are missing, with the tickets each gets first. Returns how many it made.
pub async fn make_default_teams(tx: &mut Tx, context: &Context, actor: &Actor) -> Result<usize, TeamError> {
    let mut made = 0;
    for (code, name, level, kind, routes) in PRESETS {
        if find_team_by_code(tx, code).await?.is_some() {
            continue;
        }
        let new = NewTeam { code: code.into(), name: name.into(), level, kind, organisation_id: None };
        let team = create_team(tx, context, actor, new).await?;
        for (ticket_kind, sub_kind) in routes {
            add_route(tx, context, actor, team.id, (ticket_kind, sub_kind, "")).await?;
        }
        made += 1;
    }
    Ok(made)
}
