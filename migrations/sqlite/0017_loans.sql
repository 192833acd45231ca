-- Owner: loans. Machines lent while another is being repaired.
CREATE TABLE loan (
    id              BLOB PRIMARY KEY,
    ticket_number   TEXT NOT NULL REFERENCES ticket (number),
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    borrower_id     BLOB NOT NULL REFERENCES person (id),
    -- The machine that is away; none for who had none.
    original_ci_id  BLOB REFERENCES inventory_ci (id),
    loaner_ci_id    BLOB NOT NULL REFERENCES inventory_ci (id),
    status          TEXT NOT NULL CHECK (status IN ('prepared', 'out', 'back', 'restored', 'cancelled')),
    -- Last moment of the day on which it is expected back.
    expected_at     INTEGER NOT NULL,
    condition_out   TEXT NOT NULL,
    condition_back  TEXT NOT NULL,
    -- How the borrower acknowledged to have received it, and who wrote it down.
    acknowledged    TEXT NOT NULL CHECK (acknowledged IN ('', 'signature', 'mail', 'oral')),
    acknowledged_by TEXT NOT NULL,
    note            TEXT NOT NULL,
    sequence        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    out_at          INTEGER,
    back_at         INTEGER,
    closed_at       INTEGER,
    -- When it was first noticed to be overdue.
    overdue_at      INTEGER,
    updated_at      INTEGER NOT NULL
) STRICT;
-- A machine is lent once at a time, and replaced once at a time.
CREATE UNIQUE INDEX loan_open_loaner ON loan (loaner_ci_id) WHERE status IN ('prepared', 'out');
CREATE UNIQUE INDEX loan_open_original ON loan (original_ci_id) WHERE status IN ('prepared', 'out', 'back');
CREATE INDEX loan_by_ticket ON loan (ticket_number, created_at);
CREATE INDEX loan_by_organisation ON loan (organisation_id, status, expected_at);
CREATE INDEX loan_by_status ON loan (status, expected_at);
CREATE INDEX loan_by_loaner ON loan (loaner_ci_id, created_at);
CREATE INDEX loan_by_original ON loan (original_ci_id, created_at);
CREATE INDEX loan_by_borrower ON loan (borrower_id, created_at);
