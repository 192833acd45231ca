//! Keeping, claiming and dropping on both engines.

use std::sync::Arc;

use super::*;
use crate::db::Db;
use crate::db_test;
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::time::{ManualClock, UtcMicros};

fn context(db: Db) -> (Context, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(UtcMicros::from_seconds(1_795_299_300)));
    (Context { db, clock: Arc::clone(&clock) as _, entropy: Arc::new(SystemEntropy) }, clock)
}

db_test! {
    async fn the_same_content_lies_in_the_database_once_under_two_names(db: Db) {
        let (context, _) = context(db);
        let mut tx = context.db.begin().await.expect("begin");
        let first = keep(&mut tx, &context, "a/b.png", "text/html", b"\x89PNG\r\n\x1a\n1").await.expect("keep");
        let second = keep(&mut tx, &context, "c.png", "", b"\x89PNG\r\n\x1a\n1").await.expect("keep");
        assert_eq!((first.name.as_str(), first.media_type.as_str()), ("b.png", "image/png"));
        assert_ne!(first.id, second.id);
        assert_eq!(store::count_contents(&mut tx).await.expect("count"), 1);
        assert_eq!(find(&mut tx, first.id).await.expect("find"), Some(first.clone()));
        assert_eq!(read(&mut tx, second.id).await.expect("read").as_deref(), Some(&b"\x89PNG\r\n\x1a\n1"[..]));
    }
}

db_test! {
    async fn what_nobody_claims_is_gone_after_a_week(db: Db) {
        let (context, clock) = context(db);
        let mut tx = context.db.begin().await.expect("begin");
        let kept = keep(&mut tx, &context, "kept.txt", "", b"kept").await.expect("keep");
        let dropped = keep(&mut tx, &context, "dropped.txt", "", b"dropped").await.expect("keep");
        assert!(claim(&mut tx, kept.id).await.expect("claim"));
        assert!(!claim(&mut tx, kept.id).await.expect("claim"), "a file belongs to one thing");
        forget(&mut tx, kept.id).await.expect("forget");
        clock.advance(days(UNCLAIMED_DAYS - 1));
        assert_eq!(prune(&mut tx, &context).await.expect("prune"), 0);
        clock.advance(days(2));
        assert_eq!(prune(&mut tx, &context).await.expect("prune"), 2);
        assert!(find(&mut tx, kept.id).await.expect("find").is_some());
        assert!(find(&mut tx, dropped.id).await.expect("find").is_none());
    }
}

db_test! {
    async fn a_file_is_bounded_and_one_with_a_social_security_number_is_restricted(db: Db) {
        let (context, _) = context(db);
        let mut tx = context.db.begin().await.expect("begin");
        let large = vec![b'a'; FILE_BYTES_MAX + 1];
        let refused = keep(&mut tx, &context, "a", "", &large).await.expect_err("too large");
        assert!(matches!(refused, FileError::TooLarge { .. }));
        assert!(matches!(keep(&mut tx, &context, "a", "", b"").await, Err(FileError::Empty { .. })));
        let listed = keep(&mut tx, &context, "a.csv", "", b"nir\n185057800608491\n").await.expect("keep");
        assert!(listed.restricted);
        let plain = keep(&mut tx, &context, "b.csv", "", b"nom\nDurand\n").await.expect("keep");
        restrict(&mut tx, plain.id).await.expect("restrict");
        assert!(find(&mut tx, plain.id).await.expect("find").is_some_and(|it| it.restricted));
    }
}
