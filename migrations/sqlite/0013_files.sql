-- Owner: files. Contents by their hash, and the files people sent with a name.
CREATE TABLE file_content (
    -- BLAKE3 of the bytes: the same screenshot sent twice lies here once.
    hash       BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    bytes      BLOB NOT NULL
) STRICT;
CREATE TABLE file (
    id           BLOB PRIMARY KEY,
    content_hash BLOB NOT NULL REFERENCES file_content (hash),
    name         TEXT NOT NULL,
    -- Found by looking at the bytes, whatever the sender said.
    media_type   TEXT NOT NULL,
    -- Shows personal data of somebody: a number that was found in it, or the sender said so.
    restricted   INTEGER NOT NULL CHECK (restricted IN (0, 1)),
    -- Belongs to something; what never does is dropped after a week.
    claimed      INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX file_by_content ON file (content_hash);
CREATE INDEX file_unclaimed ON file (claimed, created_at);
-- Owner: tickets. Which files lie on a ticket.
CREATE TABLE ticket_file (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    file_id       BLOB NOT NULL REFERENCES file (id),
    -- Requesters see it; otherwise it belongs to a note of staff.
    public        INTEGER NOT NULL CHECK (public IN (0, 1)),
    PRIMARY KEY (ticket_number, file_id)
) STRICT;
CREATE INDEX ticket_file_by_file ON ticket_file (file_id);
