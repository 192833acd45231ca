-- Owner: branding. How the pages are named and look, and whom people phone.
CREATE TABLE branding (
    -- `installation`, or the id of the organisation whose settings differ from it.
    scope           TEXT PRIMARY KEY,
    organisation_id BLOB REFERENCES site_organisation (id),
    -- Names, colours, texts, addresses as JSON; empty ones fall back to the installation's.
    settings        TEXT NOT NULL,
    logo_hash       TEXT,
    logo            BLOB,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX branding_by_logo ON branding (logo_hash);
CREATE TABLE branding_announcement (
    id              BLOB PRIMARY KEY,
    -- Whom it is for; nothing for everybody.
    organisation_id BLOB REFERENCES site_organisation (id),
    kind            TEXT NOT NULL CHECK (kind IN ('information', 'outage')),
    text_fr         TEXT NOT NULL,
    text_en         TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    ends_at         INTEGER
) STRICT;
CREATE INDEX branding_announcement_by_time ON branding_announcement (created_at);
