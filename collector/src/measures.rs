//! What the collector counts about itself: names, units and help texts of all metrics in one place. Labels are
//! words of closed lists, never a person, a machine or an address.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const CONTACTS: &str = "parc_contacts_total";
const TICKETS_OPENED: &str = "parc_tickets_opened_total";
const HTTP_REQUESTS: &str = "parc_http_requests_total";
const BATCH_REPORTS: &str = "parc_intake_batch_reports";
const COMMIT_SECONDS: &str = "parc_intake_commit_seconds";
const QUEUE_REPORTS: &str = "parc_intake_queue_reports";
const DATABASE_BYTES: &str = "parc_database_bytes";
const MAILS: &str = "parc_mails_total";
const MAIL_WAITING_SECONDS: &str = "parc_mail_waiting_seconds";

/// Upper bounds of [`BATCH_REPORTS`]: powers of two up to a full batch.
pub(crate) const BATCH_REPORTS_BOUNDS: (&str, &[f64]) =
    (BATCH_REPORTS, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]);
/// Upper bounds of [`COMMIT_SECONDS`]: from a lone report on a fast disk to a database that is in trouble.
pub(crate) const COMMIT_SECONDS_BOUNDS: (&str, &[f64]) =
    (COMMIT_SECONDS, &[0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]);

/// Gives every metric its help text; once the recorder is there.
pub(crate) fn describe() {
    describe_counter!(CONTACTS, "Contacts of agents, by outcome.");
    describe_counter!(TICKETS_OPENED, "Tickets opened, by channel and by what the inventory number led to.");
    describe_counter!(HTTP_REQUESTS, "Requests of people and programs, by class of status.");
    describe_histogram!(BATCH_REPORTS, Unit::Count, "Reports committed together.");
    describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "Time from taking a batch to its commit.");
    describe_gauge!(QUEUE_REPORTS, Unit::Count, "Reports that wait for the next batch.");
    describe_counter!(MAILS, "What came of attempts to send a mail, by outcome.");
    describe_gauge!(MAIL_WAITING_SECONDS, Unit::Seconds, "Age of the oldest mail that is due and not sent.");
    describe_gauge!(DATABASE_BYTES, Unit::Bytes, "Size of the database.");
}

/// A contact was answered; `wire_name` is the outcome's name on the wire, `OUTCOME_ACCEPTED`.
pub(crate) fn contact(wire_name: &str) {
    counter!(CONTACTS, "outcome" => word(wire_name, "OUTCOME_")).increment(1);
}

/// A ticket was opened, not a known request repeated.
pub(crate) fn ticket_opened(channel: &'static str, asset_match: &'static str) {
    counter!(TICKETS_OPENED, "channel" => channel, "asset_match" => asset_match).increment(1);
}

/// A request of a person or program was answered with this HTTP status.
pub(crate) fn http_request(status: u16) {
    counter!(HTTP_REQUESTS, "status" => status_class(status)).increment(1);
}

/// A batch was committed.
pub(crate) fn batch(reports: usize, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a batch has at most 64 reports")]
    histogram!(BATCH_REPORTS).record(reports as f64);
    histogram!(COMMIT_SECONDS).record(took.as_secs_f64());
}

/// So many reports wait.
pub(crate) fn queue(reports: usize) {
    #[expect(clippy::cast_precision_loss, reason = "the queue has at most 1024 places")]
    gauge!(QUEUE_REPORTS).set(reports as f64);
}

/// What came of a mail in a courier's hands.
pub(crate) fn mail(outcome: &'static str) {
    counter!(MAILS, "outcome" => outcome).increment(1);
}

/// How long the oldest mail that is due has waited; nothing waits: zero.
pub(crate) fn mail_waiting(oldest: Option<Duration>) {
    gauge!(MAIL_WAITING_SECONDS).set(oldest.map_or(0.0, |it| it.as_secs_f64()));
}

/// The database has this size.
pub(crate) fn database(bytes: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge; exact to 9 petabytes")]
    gauge!(DATABASE_BYTES).set(bytes as f64);
}

fn word(wire_name: &str, prefix: &str) -> String {
    wire_name.strip_prefix(prefix).unwrap_or(wire_name).to_ascii_lowercase()
}

fn status_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_words_in_lower_case() {
        assert_eq!(word("OUTCOME_NEED_FULL", "OUTCOME_"), "need_full");
        assert_eq!((status_class(204), status_class(404), status_class(503)), ("2xx", "4xx", "5xx"));
    }
}
