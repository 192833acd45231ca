//! A database that the process can no longer trust.
//!
//! After a failed write or flush nobody knows what of it is on the disk, and asking again may be answered with
//! a success that is none. So nothing is repeated: the process ends, and the next start finds out from the log.

use std::sync::LazyLock;

use tokio::sync::watch;

/// Of the whole process: every database error is made in one place that knows no database.
static BROKEN: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

pub(super) fn note_broken() {
    BROKEN.send_replace(true);
}

/// Resolves when the disk under the embedded database has failed.
pub async fn until_broken() {
    let mut broken = BROKEN.subscribe();
    if broken.wait_for(|it| *it).await.is_err() {
        std::future::pending::<()>().await;
    }
}
