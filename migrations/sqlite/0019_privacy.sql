-- Owner: privacy. Demands to be forgotten, and the texts that somebody has to read before they are blanked out.
CREATE TABLE privacy_erasure (
    id             BLOB PRIMARY KEY,
    person_id      BLOB NOT NULL REFERENCES person (id),
    reason         TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('asked', 'refused', 'approved', 'done')),
    -- What stands in the place of the name.
    pseudonym      TEXT NOT NULL,
    asked_by_id    BLOB NOT NULL REFERENCES person (id),
    asked_at       INTEGER NOT NULL,
    decided_by_id  BLOB REFERENCES person (id),
    decided_at     INTEGER
) STRICT;
-- One demand at a time.
CREATE UNIQUE INDEX privacy_erasure_open ON privacy_erasure (person_id) WHERE status IN ('asked', 'approved');
CREATE INDEX privacy_erasure_by_time ON privacy_erasure (asked_at);
CREATE TABLE privacy_text (
    erasure_id    BLOB NOT NULL REFERENCES privacy_erasure (id),
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    -- The event of the ticket's history; 0 for summary and description.
    event_no      INTEGER NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('waiting', 'kept', 'redacted')),
    decided_by    TEXT NOT NULL,
    decided_at    INTEGER,
    PRIMARY KEY (erasure_id, ticket_number, event_no)
) STRICT;
CREATE INDEX privacy_text_waiting ON privacy_text (status, erasure_id);
-- When people and texts were taken off a ticket whose time is over.
ALTER TABLE ticket ADD COLUMN anonymised_at INTEGER;
CREATE INDEX ticket_by_closing ON ticket (closed_at, anonymised_at);
