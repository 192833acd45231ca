//! What a ticket of each type needs before it is resolved. Pure.

use super::action::{Resolution, TicketError};
use super::words::{ResolutionCode, TicketKind};
use crate::kernel::text::TextRefusal;
use crate::kernel::time::{UtcMicros, Zone};

/// The code to store, or the first thing that is missing. `under` tickets stand under this one.
pub(super) fn check(
    kind: TicketKind,
    resolution: &Resolution,
    under: i64,
) -> Result<ResolutionCode, TicketError> {
    let code = code(kind, resolution.code)?;
    let needed = |field: &'static str, text: &str| {
        if text.is_empty() { Err(TicketError::invalid(field, TextRefusal::Empty)) } else { Ok(()) }
    };
    needed("solution", &resolution.solution)?;
    match kind {
        TicketKind::Incident => {
            needed("cause", &resolution.cause)?;
            if resolution.checks.is_empty() {
                return Err(TicketError::invalid("checks", TextRefusal::Empty));
            }
        }
        TicketKind::Problem => {
            needed("cause", &resolution.cause)?;
            needed("workaround", &resolution.workaround)?;
            if under == 0 {
                return Err(TicketError::invalid(
                    "linked",
                    "needs at least one incident linked to the problem",
                ));
            }
        }
        TicketKind::Training if code == ResolutionCode::SessionPlanned => {
            needed("session_on", &resolution.session_on)?;
        }
        TicketKind::ServiceRequest
        | TicketKind::Information
        | TicketKind::Improvement
        | TicketKind::Training
        | TicketKind::Emergency => {}
    }
    let dated =
        resolution.session_on.is_empty() || UtcMicros::parse(&resolution.session_on, &Zone::utc()).is_some();
    if dated { Ok(code) } else { Err(TicketError::invalid("session_on", "must be a date, YYYY-MM-DD")) }
}

/// One of the type's; where there is one only, it goes without saying.
fn code(kind: TicketKind, given: Option<ResolutionCode>) -> Result<ResolutionCode, TicketError> {
    let known = ResolutionCode::of(kind);
    match (given, known) {
        (Some(code), _) if known.contains(&code) => Ok(code),
        (None, [only]) => Ok(*only),
        _ => {
            let codes: Vec<&str> = known.iter().map(|it| it.code()).collect();
            Err(TicketError::invalid("code", format!("must be one of {}", codes.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::tickets::words::Check;

    /// Everything any type needs.
    fn whole(kind: TicketKind) -> Resolution {
        Resolution {
            solution: "new cable".into(),
            code: Some(ResolutionCode::of(kind)[0]),
            cause: "worn".into(),
            workaround: "use the other socket".into(),
            session_on: "2026-12-01".into(),
            checks: vec![Check::Tested],
            acknowledged: false,
            with_children: false,
        }
    }

    fn missing(kind: TicketKind, resolution: &Resolution, under: i64) -> Option<&'static str> {
        match check(kind, resolution, under) {
            Ok(_) => None,
            Err(TicketError::Invalid { field, .. }) => Some(field),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_type_is_closed_with_what_it_needs() {
        use TicketKind::{Emergency, Incident, Information, Problem, ServiceRequest, Training};
        let without = |kind, change: fn(&mut Resolution)| {
            let mut resolution = whole(kind);
            change(&mut resolution);
            missing(kind, &resolution, 1)
        };
        assert_eq!(without(Incident, |it| it.cause.clear()), Some("cause"));
        assert_eq!(without(Incident, |it| it.checks.clear()), Some("checks"));
        assert_eq!(without(Incident, |it| it.code = None), Some("code"));
        assert_eq!(without(Incident, |it| it.code = Some(ResolutionCode::Answered)), Some("code"));
        assert_eq!(without(Incident, |it| it.workaround.clear()), None);
        assert_eq!(without(Problem, |it| it.workaround.clear()), Some("workaround"));
        assert_eq!(missing(Problem, &whole(Problem), 0), Some("linked"));
        assert_eq!(without(Training, |it| it.session_on.clear()), Some("session_on"));
        assert_eq!(without(Training, |it| it.session_on = "soon".into()), Some("session_on"));
        assert_eq!(without(Information, |it| it.code = None), None, "an answer is an answer");
        assert_eq!(without(ServiceRequest, |it| it.cause.clear()), None);
        assert_eq!(without(Emergency, |it| it.solution.clear()), Some("solution"));
    }

    proptest! {
        #[test]
        fn nothing_is_closed_without_words_and_everything_with_all(kind in select(TicketKind::ALL)) {
            prop_assert_eq!(missing(kind, &whole(kind), 1), None);
            prop_assert_eq!(missing(kind, &Resolution { solution: String::new(), ..whole(kind) }, 1), Some("solution"));
        }
    }
}
