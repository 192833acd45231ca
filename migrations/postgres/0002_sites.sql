-- Owner: sites. Client organisations, their sites and the locations inside them.
CREATE TABLE site_organisation (
    id         UUID PRIMARY KEY,
    code       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    demo       BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE TABLE site (
    id              UUID PRIMARY KEY,
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    name            TEXT NOT NULL,
    address         TEXT NOT NULL,
    main            BOOLEAN NOT NULL,
    created_at      BIGINT NOT NULL,
    UNIQUE (organisation_id, name)
);
CREATE TABLE site_location (
    id      UUID PRIMARY KEY,
    site_id UUID NOT NULL REFERENCES site (id),
    name    TEXT NOT NULL,
    UNIQUE (site_id, name)
);
