//! The priority matrix: data with a version, and the rules of types that go before it. Pure.

use super::words::{ImpactScope, Severity, TicketKind, Urgency};

/// Most urgent.
const HIGHEST: i64 = 1;
/// What a matter of security is at least.
const SECURITY: i64 = 2;
/// Least urgent: suggestions.
const LOWEST: i64 = 5;
/// Severities × scopes × urgencies.
const CELLS: usize = 2 * 3 * 3;

/// One version of the matrix: severity × scope × urgency → priority 1 (highest) to 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Counts up with every change; tickets remember it.
    pub version: i64,
    cells: [i64; CELLS],
}

/// What the priority of a ticket depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) kind: TicketKind,
    pub(super) security: bool,
    pub(super) severity: Severity,
    pub(super) scope: ImpactScope,
    pub(super) urgency: Urgency,
}

impl Matrix {
    /// From eighteen digits 1 to 5, the mildest first: urgency changes fastest, then scope, then severity. `None` for
    /// anything else, and for a matrix in which more of something would be less urgent.
    pub fn parse(version: i64, digits: &str) -> Option<Self> {
        let mut cells = [LOWEST; CELLS];
        if digits.len() != CELLS {
            return None;
        }
        for (cell, digit) in cells.iter_mut().zip(digits.chars()) {
            *cell = i64::from(digit.to_digit(10)?);
        }
        let matrix = Self { version, cells };
        (matrix.cells.iter().all(|it| (HIGHEST..=LOWEST).contains(it)) && matrix.is_monotone())
            .then_some(matrix)
    }

    /// The eighteen digits.
    pub fn cells(&self) -> String {
        self.cells.iter().map(ToString::to_string).collect()
    }

    /// The priority of one cell.
    pub fn of(&self, severity: Severity, scope: ImpactScope, urgency: Urgency) -> i64 {
        self.cells[place(severity, scope, urgency)]
    }

    /// More severe, wider or sooner is never less urgent.
    fn is_monotone(&self) -> bool {
        let not_less = |one: usize, more: usize| self.cells[more] <= self.cells[one];
        (0..CELLS).all(|at| {
            (at % 3 == 2 || not_less(at, at + 1))
                && (at / 3 % 3 == 2 || not_less(at, at + 3))
                && (at / 9 == 1 || not_less(at, at + 9))
        })
    }
}

fn place(severity: Severity, scope: ImpactScope, urgency: Urgency) -> usize {
    let severity = match severity {
        Severity::Minor => 0,
        Severity::Blocking => 1,
    };
    let scope = match scope {
        ImpactScope::One => 0,
        ImpactScope::Group => 1,
        ImpactScope::All => 2,
    };
    let urgency = match urgency {
        Urgency::Low => 0,
        Urgency::Medium => 1,
        Urgency::High => 2,
    };
    (severity * 3 + scope) * 3 + urgency
}

/// 1 (highest) to 5. An emergency is provisionally 1, whatever else was said, until somebody qualifies it as
/// something else or sets another priority; a matter of security is at least 2; a suggestion can wait.
pub(super) fn priority(matrix: &Matrix, case: Case) -> i64 {
    let by_matrix = matrix.of(case.severity, case.scope, case.urgency);
    match case.kind {
        TicketKind::Emergency => HIGHEST,
        _ if case.security => by_matrix.min(SECURITY),
        TicketKind::Improvement => LOWEST,
        TicketKind::Incident
        | TicketKind::ServiceRequest
        | TicketKind::Problem
        | TicketKind::Information
        | TicketKind::Training => by_matrix,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const FIRST: &str = "543432321432321211";

    fn matrix() -> Matrix {
        Matrix::parse(1, FIRST).expect("the matrix of a new installation")
    }

    fn case(severity: Severity, scope: ImpactScope, urgency: Urgency) -> Case {
        Case { kind: TicketKind::Incident, security: false, severity, scope, urgency }
    }

    #[test]
    fn the_corners_are_as_agreed() {
        let of = |severity, scope, urgency| priority(&matrix(), case(severity, scope, urgency));
        assert_eq!(of(Severity::Minor, ImpactScope::One, Urgency::Low), 5);
        assert_eq!(of(Severity::Minor, ImpactScope::All, Urgency::High), 1);
        assert_eq!(of(Severity::Blocking, ImpactScope::One, Urgency::Medium), 3);
        assert_eq!(of(Severity::Blocking, ImpactScope::All, Urgency::Low), 2);
    }

    #[test]
    fn types_go_before_the_matrix() {
        let mildest = case(Severity::Minor, ImpactScope::One, Urgency::Low);
        let of = |kind, security| priority(&matrix(), Case { kind, security, ..mildest });
        assert_eq!(of(TicketKind::Emergency, false), 1);
        assert_eq!(of(TicketKind::Incident, true), 2);
        let widest = case(Severity::Blocking, ImpactScope::All, Urgency::High);
        assert_eq!(priority(&matrix(), Case { kind: TicketKind::Improvement, ..widest }), 5);
        assert_eq!(priority(&matrix(), Case { security: true, ..widest }), 1);
    }

    #[test]
    fn a_matrix_that_contradicts_itself_is_none() {
        assert_eq!(matrix().cells(), FIRST);
        for wrong in
            ["", "543", "643432321432321211", "543432321432321212", "043432321432321211", "5434323214323212é"]
        {
            assert!(Matrix::parse(2, wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn more_of_anything_is_never_less_urgent(
            digits in "[1-5]{18}", security in any::<bool>(), kind in select(TicketKind::ALL),
            severity in select(Severity::ALL), scope in select(ImpactScope::ALL), urgency in select(Urgency::ALL),
            more_severe in select(Severity::ALL), wider in select(ImpactScope::ALL), sooner in select(Urgency::ALL),
        ) {
            prop_assume!(more_severe >= severity && wider >= scope && sooner >= urgency);
            // Few random matrices are sound; the others show that they are told apart.
            let matrix = Matrix::parse(1, &digits).unwrap_or_else(matrix);
            let less = priority(&matrix, Case { kind, security, severity, scope, urgency });
            let more = priority(&matrix, Case { kind, security, severity: more_severe, scope: wider, urgency: sooner });
            prop_assert!(more <= less);
            prop_assert!((1..=5).contains(&more));
        }
    }
}
