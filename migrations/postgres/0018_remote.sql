-- Owner: remote. Remote sessions: who asked, who agreed, when it was and what was done.
CREATE TABLE remote_session (
    id              UUID PRIMARY KEY,
    ticket_number   TEXT NOT NULL REFERENCES ticket (number),
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    tool            TEXT NOT NULL,
    technician_id   UUID NOT NULL REFERENCES person (id),
    -- Whose screen it is.
    asked_id        UUID NOT NULL REFERENCES person (id),
    status          TEXT NOT NULL CHECK (status IN ('requested', 'accepted', 'refused', 'expired', 'started', 'ended', 'withdrawn')),
    asked_at        BIGINT NOT NULL,
    answered_at     BIGINT,
    answered_by     TEXT NOT NULL,
    means           TEXT NOT NULL CHECK (means IN ('', 'portal', 'oral')),
    started_at      BIGINT,
    ended_at        BIGINT,
    -- What was seen and done, settings before and after.
    report          TEXT NOT NULL,
    sequence        BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX remote_session_by_ticket ON remote_session (ticket_number, asked_at);
CREATE INDEX remote_session_by_person ON remote_session (asked_id, asked_at);
CREATE INDEX remote_session_by_organisation ON remote_session (organisation_id, asked_at);
CREATE INDEX remote_session_by_status ON remote_session (status, updated_at);
