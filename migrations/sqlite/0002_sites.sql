-- Owner: sites. Client organisations, their sites and the locations inside them.
CREATE TABLE site_organisation (
    id         BLOB PRIMARY KEY,
    code       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    demo       INTEGER NOT NULL CHECK (demo IN (0, 1)),
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;
CREATE TABLE site (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    name            TEXT NOT NULL,
    address         TEXT NOT NULL,
    main            INTEGER NOT NULL CHECK (main IN (0, 1)),
    created_at      INTEGER NOT NULL,
    UNIQUE (organisation_id, name)
) STRICT;
CREATE TABLE site_location (
    id      BLOB PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES site (id),
    name    TEXT NOT NULL,
    UNIQUE (site_id, name)
) STRICT;
