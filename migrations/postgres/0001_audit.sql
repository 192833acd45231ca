-- Owner: audit. Who did what to which record; append-only.
CREATE TABLE audit_event (
    id              UUID PRIMARY KEY,
    at              BIGINT NOT NULL,
    organisation_id UUID,
    actor_kind      TEXT NOT NULL CHECK (actor_kind IN ('person', 'api_key', 'agent', 'system')),
    actor_id        UUID,
    actor_label     TEXT NOT NULL,
    action          TEXT NOT NULL,
    subject_kind    TEXT NOT NULL,
    subject_id      TEXT NOT NULL,
    detail          TEXT NOT NULL
);
CREATE INDEX audit_event_subject ON audit_event (subject_kind, subject_id, at);
CREATE INDEX audit_event_at ON audit_event (at);
