//! Which team a ticket goes to first. Pure.

use super::model::{Route, Team};
use crate::kernel::id::OrganisationId;
use crate::kernel::text::search_key;

/// A ticket as far as its team depends on it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Type, its stored word.
    pub ticket_kind: &'static str,
    /// Sub-kind, empty without one.
    pub sub_kind: &'static str,
    /// Application as typed, empty without one.
    pub application: String,
}

/// Applications are compared without case, accents and surplus blanks.
pub(super) fn application_key(application: &str) -> String {
    search_key(application).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The best team: a route that names the application before one that names the sub-kind before one of the type;
/// among equals a team of the organisation before one of the provider, the first level before the second.
pub(super) fn choose<'a>(wish: &Wish, teams: &'a [Team], routes: &[Route]) -> Option<&'a Team> {
    let application = application_key(&wish.application);
    let fits = |route: &&Route| {
        route.ticket_kind == wish.ticket_kind
            && (route.sub_kind.is_empty() || route.sub_kind == wish.sub_kind)
            && (route.application_key.is_empty() || route.application_key == application)
    };
    let served =
        |team: &&Team| team.active && team.organisation_id.is_none_or(|own| own == wish.organisation_id);
    routes
        .iter()
        .filter(fits)
        .filter_map(|route| {
            let team = teams.iter().filter(served).find(|it| it.id == route.team_id)?;
            let vague = (route.application_key.is_empty(), route.sub_kind.is_empty());
            Some(((vague, team.organisation_id.is_none(), team.level, team.code.as_str()), team))
        })
        .min_by(|one, other| one.0.cmp(&other.0))
        .map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::SystemEntropy;
    use crate::kernel::id::TeamId;
    use crate::kernel::time::UtcMicros;
    use crate::teams::model::TeamKind;

    fn organisation() -> OrganisationId {
        OrganisationId::generate(UtcMicros(0), &SystemEntropy)
    }

    fn team(code: &str, organisation_id: Option<OrganisationId>) -> Team {
        let id = TeamId::generate(UtcMicros(0), &SystemEntropy);
        let (code, name) = (code.to_owned(), code.to_owned());
        Team { id, code, name, level: 1, kind: TeamKind::Other, organisation_id, active: true }
    }

    fn route(team: &Team, sub_kind: &str, application: &str) -> Route {
        Route {
            team_id: team.id,
            ticket_kind: "incident".into(),
            sub_kind: sub_kind.into(),
            application_key: application_key(application),
        }
    }

    #[test]
    fn the_closest_route_wins_and_strangers_never() {
        let (own, other) = (organisation(), organisation());
        let teams = [
            team("desk", None),
            team("network", None),
            team("payroll", None),
            team("own-desk", Some(own)),
            team("other-desk", Some(other)),
        ];
        let routes = [
            route(&teams[0], "", ""),
            route(&teams[1], "connection", ""),
            route(&teams[2], "", "Paie  Été"),
            route(&teams[3], "", ""),
            route(&teams[4], "connection", ""),
        ];
        let chosen = |sub_kind: &'static str, application: &str| {
            let application = application.to_owned();
            let wish = Wish { organisation_id: own, ticket_kind: "incident", sub_kind, application };
            choose(&wish, &teams, &routes).map(|it| it.code.as_str())
        };
        assert_eq!(chosen("", ""), Some("own-desk"));
        assert_eq!(chosen("connection", ""), Some("network"));
        assert_eq!(chosen("connection", "paie ete"), Some("payroll"));
        let wish =
            Wish { organisation_id: own, ticket_kind: "training", sub_kind: "", application: String::new() };
        assert!(choose(&wish, &teams, &routes).is_none());
    }

    #[test]
    fn a_team_that_rests_gets_nothing() {
        let teams = [Team { active: false, ..team("desk", None) }];
        let routes = [route(&teams[0], "", "")];
        let wish = Wish {
            organisation_id: organisation(),
            ticket_kind: "incident",
            sub_kind: "",
            application: String::new(),
        };
        assert!(choose(&wish, &teams, &routes).is_none());
    }
}
