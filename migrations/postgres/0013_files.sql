-- Owner: files. Contents by their hash, and the files people sent with a name.
CREATE TABLE file_content (
    -- BLAKE3 of the bytes: the same screenshot sent twice lies here once.
    hash       BYTEA PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    bytes      BYTEA NOT NULL
);
CREATE TABLE file (
    id           UUID PRIMARY KEY,
    content_hash BYTEA NOT NULL REFERENCES file_content (hash),
    name         TEXT NOT NULL,
    -- Found by looking at the bytes, whatever the sender said.
    media_type   TEXT NOT NULL,
    -- Shows personal data of somebody: a number that was found in it, or the sender said so.
    restricted   BOOLEAN NOT NULL,
    -- Belongs to something; what never does is dropped after a week.
    claimed      BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX file_by_content ON file (content_hash);
CREATE INDEX file_unclaimed ON file (claimed, created_at);
-- Owner: tickets. Which files lie on a ticket.
CREATE TABLE ticket_file (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    file_id       UUID NOT NULL REFERENCES file (id),
    -- Requesters see it; otherwise it belongs to a note of staff.
    public        BOOLEAN NOT NULL,
    PRIMARY KEY (ticket_number, file_id)
);
CREATE INDEX ticket_file_by_file ON ticket_file (file_id);
