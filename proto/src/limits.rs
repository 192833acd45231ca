//! Limits of the wire. The collector enforces them, the agent keeps to them; each has its reason.

/// Decoded size of one contact, bytes. A first report with 3,000 titles is about 400 KiB.
pub const CONTACT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Decoded size of an enrollment, bytes: a CSR and a few identifiers.
pub const ENROLL_BYTES_MAX: usize = 64 * 1024;
/// Installed titles of one machine. The largest capture known has 3,184.
pub const SOFTWARE_ITEMS_MAX: usize = 20_000;
/// Items of any other section: interfaces of a container host are the largest seen.
pub const SECTION_ITEMS_MAX: usize = 512;
/// Bytes of an item's key.
pub const ITEM_KEY_BYTES_MAX: usize = 256;
/// Bytes of an item's encoded body.
pub const ITEM_BODY_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one text inside an item; longer text is cut and the cut is reported.
pub const TEXT_BYTES_MAX: usize = 256;
/// Bytes of a version text.
pub const VERSION_BYTES_MAX: usize = 128;
/// Characters of an asset tag, display form.
pub const TAG_CHARS_MAX: usize = 25;
/// MAC addresses and disk serials in the enrollment evidence, each.
pub const EVIDENCE_VALUES_MAX: usize = 16;
/// Days after which an expired certificate can no longer renew itself.
pub const RENEW_GRACE_DAYS: i64 = 14;
