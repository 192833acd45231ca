//! Which step leads where, and which days a loan may last to. Pure.

use super::model::{LoanError, LoanStatus, LoanStep};
use crate::kernel::time::{UtcMicros, days};

/// A longer loan is another machine for good.
const DAYS_MAX: u64 = 400;

/// A day to come, within reason.
pub(super) fn check_expected(expected_at: UtcMicros, now: UtcMicros) -> Result<(), LoanError> {
    if expected_at < now || expected_at > now + days(DAYS_MAX) {
        return Err(LoanError::invalid("expected", format!("must lie in the next {DAYS_MAX} days")));
    }
    Ok(())
}

/// Where `step` leads.
pub(super) fn next_status(status: LoanStatus, step: &LoanStep) -> Result<LoanStatus, LoanError> {
    use LoanStatus::{Back, Cancelled, Out, Prepared, Restored};
    let next = match (step, status) {
        (LoanStep::HandOut { .. }, Prepared) => Some(Out),
        (LoanStep::Extend { .. }, Prepared | Out) => Some(status),
        (LoanStep::TakeBack { .. }, Out) => Some(Back),
        (LoanStep::Restore, Back) => Some(Restored),
        (LoanStep::Cancel { .. }, Prepared) => Some(Cancelled),
        _ => None,
    };
    next.ok_or(LoanError::State { status: status.code(), step: step.code() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loans::Acknowledgement;

    #[test]
    fn the_life_of_a_loan() {
        let out = || LoanStep::HandOut { condition: "new".into(), acknowledged: Acknowledgement::Signature };
        let back = || LoanStep::TakeBack { condition: "scratched".into() };
        let cancel = || LoanStep::Cancel { reason: "repaired at once".into() };
        let extend = || LoanStep::Extend { expected_at: UtcMicros(0) };
        let to = |status, step: LoanStep| next_status(status, &step).ok();
        assert_eq!(to(LoanStatus::Prepared, out()), Some(LoanStatus::Out));
        assert_eq!(to(LoanStatus::Out, extend()), Some(LoanStatus::Out));
        assert_eq!(to(LoanStatus::Out, back()), Some(LoanStatus::Back));
        assert_eq!(to(LoanStatus::Back, LoanStep::Restore), Some(LoanStatus::Restored));
        assert_eq!(to(LoanStatus::Prepared, cancel()), Some(LoanStatus::Cancelled));
        assert_eq!(to(LoanStatus::Out, cancel()), None, "what is out comes back first");
        assert_eq!(to(LoanStatus::Out, LoanStep::Restore), None);
        for over in [LoanStatus::Restored, LoanStatus::Cancelled] {
            for step in [out(), back(), cancel(), extend(), LoanStep::Restore] {
                assert_eq!(to(over, step), None, "{over:?} is final");
            }
        }
    }

    #[test]
    fn a_loan_is_expected_back_on_a_day_to_come() {
        let now = UtcMicros::from_seconds(1_795_299_300);
        assert!(check_expected(now + days(1), now).is_ok());
        assert!(check_expected(now - days(1), now).is_err());
        assert!(check_expected(now + days(500), now).is_err());
    }
}
