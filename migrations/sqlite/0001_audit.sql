-- Owner: audit. Who did what to which record; append-only.
CREATE TABLE audit_event (
    id              BLOB PRIMARY KEY,
    at              INTEGER NOT NULL,
    organisation_id BLOB,
    actor_kind      TEXT NOT NULL CHECK (actor_kind IN ('person', 'api_key', 'agent', 'system')),
    actor_id        BLOB,
    actor_label     TEXT NOT NULL,
    action          TEXT NOT NULL,
    subject_kind    TEXT NOT NULL,
    subject_id      TEXT NOT NULL,
    detail          TEXT NOT NULL
) STRICT;
CREATE INDEX audit_event_subject ON audit_event (subject_kind, subject_id, at);
CREATE INDEX audit_event_at ON audit_event (at);
