-- Owner: contracts. What the provider agreed with an organisation.
CREATE TABLE contract (
    id               BLOB PRIMARY KEY,
    organisation_id  BLOB NOT NULL REFERENCES site_organisation (id),
    kind             TEXT NOT NULL,
    reference        TEXT NOT NULL,
    -- Days of the wall clock, YYYY-MM-DD; an empty end is none.
    starts_on        TEXT NOT NULL,
    ends_on          TEXT NOT NULL,
    -- Months by which it goes on when nobody ends it; 0 for none.
    renewal_months   INTEGER NOT NULL,
    covers           TEXT NOT NULL CHECK (covers IN ('all', 'list', 'models')),
    calendar_id      BLOB REFERENCES calendar (id),
    -- Five targets each, priorities 1 to 5.
    call_back        TEXT NOT NULL,
    resolution       TEXT NOT NULL,
    emergency_always INTEGER NOT NULL CHECK (emergency_always IN (0, 1)),
    away_pauses      INTEGER NOT NULL CHECK (away_pauses IN (0, 1)),
    version          INTEGER NOT NULL,
    changed_at       INTEGER NOT NULL,
    UNIQUE (organisation_id, reference)
) STRICT;
-- Machines by the key of their tag, or models by what they are searched by.
CREATE TABLE contract_item (
    contract_id BLOB NOT NULL REFERENCES contract (id),
    item_key    TEXT NOT NULL,
    label       TEXT NOT NULL,
    PRIMARY KEY (contract_id, item_key)
) STRICT;
-- Owner: tickets. Whether a contract covers what a ticket is about, decided when it was opened.
CREATE TABLE ticket_coverage (
    ticket_number TEXT PRIMARY KEY REFERENCES ticket (number),
    coverage      TEXT NOT NULL CHECK (coverage IN ('covered', 'expired', 'not_listed', 'no_contract', 'unknown')),
    contract_id   BLOB REFERENCES contract (id),
    decided_at    INTEGER NOT NULL,
    -- What the single point of entry makes of what is not covered.
    decision      TEXT CHECK (decision IN ('accept', 'billable', 'cancel')),
    decision_by   TEXT,
    decision_at   INTEGER
) STRICT;
