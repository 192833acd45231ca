//! Addresses that do not work: counted, and after a few failures left alone until somebody says otherwise.

use super::model::Undelivered;
use super::store::{self, Standing};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::id::OutgoingMailId;
use crate::kernel::text::EmailAddress;
use crate::kernel::time::{UtcMicros, days};

/// Failures after which nothing is sent to an address any more: a full mailbox or a moved server is forgiven twice.
const FAILURES_MAX: i64 = 3;
/// Failures further apart than this have nothing to do with each other.
const FAILURES_APART_DAYS: u64 = 7;
/// Characters kept of a report's words.
const ANSWER_CHARS_MAX: usize = 300;

/// What a server reports about a mail of ours (RFC 3464, action `failed`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// From the address the report was sent to.
    pub mail: Option<OutgoingMailId>,
    /// The original's Message-ID, with angle brackets, when the report quotes it.
    pub message_id: Option<String>,
    /// The server's words; a stranger's text.
    pub answer: String,
}

/// Books a report of non-delivery; nothing when no mail of ours is meant or it is known already. The mail counts
/// as failed, and its address after the third time within weeks as failing.
pub async fn bounced(
    tx: &mut Tx,
    context: &Context,
    report: &Report,
) -> Result<Option<Undelivered>, StoreError> {
    let found = store::find_bounced(tx, report.mail, report.message_id.as_deref()).await?;
    let Some(mail) = found else { return Ok(None) };
    let answer: String =
        crate::kernel::text::cleaned(&report.answer, false).chars().take(ANSWER_CHARS_MAX).collect();
    if !store::set_bounced(tx, mail.id, context.now(), &answer).await? {
        return Ok(None);
    }
    count_failure(tx, &mail.address, context.now()).await?;
    Ok(Some(Undelivered { answer, ..mail }))
}

/// Somebody wrote from this address, so it works.
pub async fn heard_from(tx: &mut Tx, address: &EmailAddress) -> Result<(), StoreError> {
    store::forgive(tx, address.as_str()).await
}

/// One more mail did not arrive there.
pub(super) async fn count_failure(tx: &mut Tx, address: &str, now: UtcMicros) -> Result<(), StoreError> {
    let standing = store::find_standing(tx, address).await?;
    store::note_failure(tx, address, after_failure(standing, now)).await
}

/// What an address is after another failure.
fn after_failure(before: Standing, now: UtcMicros) -> Standing {
    let related = before.last_failed_at.is_some_and(|it| now.since(it) <= days(FAILURES_APART_DAYS));
    let failures = if related { before.failures + 1 } else { 1 };
    let failing = failures >= FAILURES_MAX;
    let failing_since = before.failing_since.or(failing.then_some(now));
    Standing { failures, last_failed_at: Some(now), failing_since, ..before }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMicros = UtcMicros(1_795_000_000_000_000);

    #[test]
    fn the_third_failure_in_a_row_is_one_too_many() {
        let mut standing = Standing::default();
        for round in 0..3 {
            assert_eq!(standing.failing_since, None, "after {round}");
            standing = after_failure(standing, NOW + days(round * 6));
        }
        assert_eq!(standing.failing_since, Some(NOW + days(12)));
    }

    #[test]
    fn failures_months_apart_are_forgiven() {
        let mut standing = Standing::default();
        for round in 0..10 {
            standing = after_failure(standing, NOW + days(round * 40));
        }
        assert_eq!((standing.failures, standing.failing_since), (1, None));
    }
}
