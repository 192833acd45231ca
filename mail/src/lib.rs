//! Mail as a helpdesk needs it: reading hostile messages, writing polite ones, SMTP and IMAP. Knows no database.

pub mod compose;
pub mod identity;
pub mod imap;
pub mod reading;
pub mod smtp;
