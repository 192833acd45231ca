//! The stories. One binary, one file per story; sentences as names.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "these are tests")]
