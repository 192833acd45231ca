-- Owner: people. Persons, what they may do, how they sign in, and the keys of other programs.
CREATE TABLE person (
    id              BLOB PRIMARY KEY,
    -- The organisation the person works for; nothing for the service provider's own staff.
    organisation_id BLOB REFERENCES site_organisation (id),
    email           TEXT NOT NULL UNIQUE,
    -- A short name to sign in with beside the address.
    login           TEXT UNIQUE,
    name            TEXT NOT NULL,
    search_key      TEXT NOT NULL,
    phone           TEXT NOT NULL,
    language        TEXT NOT NULL CHECK (language IN ('fr', 'en')),
    status          TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'removed')),
    default_site_id BLOB REFERENCES site (id),
    password_hash   TEXT,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX person_by_organisation ON person (organisation_id, search_key);
CREATE TABLE person_role (
    person_id BLOB NOT NULL REFERENCES person (id),
    role      TEXT NOT NULL,
    PRIMARY KEY (person_id, role)
) STRICT;
CREATE TABLE person_session (
    token_hash   BLOB PRIMARY KEY,
    person_id    BLOB NOT NULL REFERENCES person (id),
    csrf_token   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX person_session_by_person ON person_session (person_id);
CREATE INDEX person_session_by_expiry ON person_session (expires_at);
-- Counted by hash of the address typed, known or not, so that a lock tells nobody who has an account.
CREATE TABLE person_sign_in_failure (
    address_hash   BLOB PRIMARY KEY,
    failures       INTEGER NOT NULL,
    last_failed_at INTEGER NOT NULL,
    locked_until   INTEGER
) STRICT;
CREATE INDEX person_sign_in_failure_by_time ON person_sign_in_failure (last_failed_at);
-- Links with which people set a password. A used one is deleted.
CREATE TABLE person_token (
    token_hash BLOB PRIMARY KEY,
    person_id  BLOB NOT NULL REFERENCES person (id),
    purpose    TEXT NOT NULL CHECK (purpose IN ('first', 'reset')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX person_token_by_person ON person_token (person_id);
CREATE INDEX person_token_by_expiry ON person_token (expires_at);
-- How often a link was asked for an address, known or not.
CREATE TABLE person_mail_request (
    address_hash BLOB PRIMARY KEY,
    requests     INTEGER NOT NULL,
    first_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX person_mail_request_by_time ON person_mail_request (first_at);
CREATE TABLE person_api_key (
    id              BLOB PRIMARY KEY,
    key_hash        BLOB NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    -- The only organisation the key sees; nothing for all of them.
    organisation_id BLOB REFERENCES site_organisation (id),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    revoked_at      INTEGER
) STRICT;
