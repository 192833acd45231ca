-- Owner: software. Every distinct title once, and which machine has which.
CREATE TABLE software_title (
    -- First 64 bits of the title's content hash: no sequence, no look-up before the insert.
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    version       TEXT NOT NULL,
    publisher     TEXT NOT NULL,
    architecture  TEXT NOT NULL,
    source        TEXT NOT NULL,
    search_key    TEXT NOT NULL,
    -- Wire id and key hash of the item this title was first seen as. A machine whose item is the same stores
    -- eight bytes for it.
    raw_id        BLOB NOT NULL,
    key_hash      INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX software_title_by_name ON software_title (search_key);
-- Hundreds of rows per machine, each with half the machine's id (`short_id`): 8 bytes, not 16.
CREATE TABLE software_installation (
    title_id INTEGER NOT NULL,
    ci_key   INTEGER NOT NULL,
    PRIMARY KEY (title_id, ci_key)
) STRICT, WITHOUT ROWID;
