//! The priority matrix.

use super::words::{ImpactScope, Severity, TicketKind, Urgency};

/// Most urgent.
const HIGHEST: i64 = 1;

/// Impact level 1 to 4 × urgency low, medium, high.
const MATRIX: [[i64; 3]; 4] = [[5, 4, 3], [4, 3, 2], [3, 2, 1], [2, 1, 1]];

/// 1 (highest) to 5. An emergency is provisionally 1, whatever else was said, until somebody qualifies it as
/// something else.
pub(super) fn priority(kind: TicketKind, severity: Severity, scope: ImpactScope, urgency: Urgency) -> i64 {
    if kind == TicketKind::Emergency {
        return HIGHEST;
    }
    let severity_part = match severity {
        Severity::Minor => 0,
        Severity::Blocking => 1,
    };
    let scope_part = match scope {
        ImpactScope::One => 0,
        ImpactScope::Group => 1,
        ImpactScope::All => 2,
    };
    let urgency_part = match urgency {
        Urgency::Low => 0,
        Urgency::Medium => 1,
        Urgency::High => 2,
    };
    MATRIX[severity_part + scope_part][urgency_part]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn the_corners_are_as_agreed() {
        let of = |severity, scope, urgency| priority(TicketKind::Incident, severity, scope, urgency);
        assert_eq!(of(Severity::Minor, ImpactScope::One, Urgency::Low), 5);
        assert_eq!(of(Severity::Minor, ImpactScope::All, Urgency::High), 1);
        assert_eq!(of(Severity::Blocking, ImpactScope::One, Urgency::Medium), 3);
        assert_eq!(of(Severity::Blocking, ImpactScope::All, Urgency::Low), 2);
    }

    #[test]
    fn an_emergency_comes_first() {
        assert_eq!(priority(TicketKind::Emergency, Severity::Minor, ImpactScope::One, Urgency::Low), 1);
    }

    proptest! {
        #[test]
        fn more_of_anything_is_never_less_urgent(
            severity in select(Severity::ALL), scope in select(ImpactScope::ALL), urgency in select(Urgency::ALL),
            more_severe in select(Severity::ALL), wider in select(ImpactScope::ALL), sooner in select(Urgency::ALL),
        ) {
            prop_assume!(more_severe >= severity && wider >= scope && sooner >= urgency);
            let less = priority(TicketKind::Incident, severity, scope, urgency);
            let more = priority(TicketKind::Incident, more_severe, wider, sooner);
            prop_assert!(more <= less);
            prop_assert!((1..=5).contains(&more));
        }
    }
}
