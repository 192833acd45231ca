//! Files on tickets.

use crate::db::{StoreError, Tx};
use crate::files::StoredFile;
use crate::kernel::id::FileId;
use crate::sql;
use crate::tickets::number::TicketNumber;

/// A file on a ticket.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::tickets) struct TicketFile {
    #[sqlx(flatten)]
    pub(in crate::tickets) file: StoredFile,
    /// Requesters see it.
    pub(in crate::tickets) public: bool,
}

pub(in crate::tickets) async fn insert_file(
    tx: &mut Tx,
    number: &TicketNumber,
    file: FileId,
    public: bool,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_file (ticket_number, file_id, public) VALUES ($1, $2, $3)"
    )
    .bind(number)
    .bind(file)
    .bind(public)
    .execute(conn)
    .await
    .map(drop))
}

/// The file with that id, if it lies on that ticket.
pub(in crate::tickets) async fn find_file(
    tx: &mut Tx,
    number: &TicketNumber,
    file: FileId,
) -> Result<Option<TicketFile>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT f.id, f.name, f.media_type, c.size_bytes, f.restricted, t.public
         FROM ticket_file t JOIN file f ON f.id = t.file_id JOIN file_content c ON c.hash = f.content_hash
         WHERE t.ticket_number = $1 AND t.file_id = $2"
    )
    .bind(number)
    .bind(file)
    .fetch_optional(conn)
    .await)
}
