-- Owner: contracts. What the provider agreed with an organisation.
CREATE TABLE contract (
    id               UUID PRIMARY KEY,
    organisation_id  UUID NOT NULL REFERENCES site_organisation (id),
    kind             TEXT NOT NULL,
    reference        TEXT NOT NULL,
    -- Days of the wall clock, YYYY-MM-DD; an empty end is none.
    starts_on        TEXT NOT NULL,
    ends_on          TEXT NOT NULL,
    -- Months by which it goes on when nobody ends it; 0 for none.
    renewal_months   BIGINT NOT NULL,
    covers           TEXT NOT NULL CHECK (covers IN ('all', 'list', 'models')),
    calendar_id      UUID REFERENCES calendar (id),
    -- Five targets each, priorities 1 to 5.
    call_back        TEXT NOT NULL,
    resolution       TEXT NOT NULL,
    emergency_always BOOLEAN NOT NULL,
    away_pauses      BOOLEAN NOT NULL,
    version          BIGINT NOT NULL,
    changed_at       BIGINT NOT NULL,
    UNIQUE (organisation_id, reference)
);
-- Machines by the key of their tag, or models by what they are searched by.
CREATE TABLE contract_item (
    contract_id UUID NOT NULL REFERENCES contract (id),
    item_key    TEXT NOT NULL,
    label       TEXT NOT NULL,
    PRIMARY KEY (contract_id, item_key)
);
-- Owner: tickets. Whether a contract covers what a ticket is about, decided when it was opened.
CREATE TABLE ticket_coverage (
    ticket_number TEXT PRIMARY KEY REFERENCES ticket (number),
    coverage      TEXT NOT NULL CHECK (coverage IN ('covered', 'expired', 'not_listed', 'no_contract', 'unknown')),
    contract_id   UUID REFERENCES contract (id),
    decided_at    BIGINT NOT NULL,
    -- What the single point of entry makes of what is not covered.
    decision      TEXT CHECK (decision IN ('accept', 'billable', 'cancel')),
    decision_by   TEXT,
    decision_at   BIGINT
);
