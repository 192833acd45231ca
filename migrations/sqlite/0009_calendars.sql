-- Owner: calendars. When services are open.
CREATE TABLE calendar (
    id              BLOB PRIMARY KEY,
    -- Nothing for a calendar of the provider, which every organisation may use.
    organisation_id BLOB REFERENCES site_organisation (id),
    name            TEXT NOT NULL,
    -- Holds when no contract says otherwise.
    standard        INTEGER NOT NULL CHECK (standard IN (0, 1)),
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX calendar_standard_own ON calendar (organisation_id) WHERE standard = TRUE AND organisation_id IS NOT NULL;
CREATE UNIQUE INDEX calendar_standard_shared ON calendar (standard) WHERE standard = TRUE AND organisation_id IS NULL;
CREATE UNIQUE INDEX calendar_name_own ON calendar (organisation_id, name) WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX calendar_name_shared ON calendar (name) WHERE organisation_id IS NULL;
-- Never changed: tickets are measured by the version that held when they were opened.
CREATE TABLE calendar_version (
    calendar_id BLOB NOT NULL REFERENCES calendar (id),
    version     INTEGER NOT NULL,
    time_zone   TEXT NOT NULL,
    hours       TEXT NOT NULL,
    holidays    TEXT NOT NULL CHECK (holidays IN ('none', 'france', 'alsace_moselle')),
    exceptions  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    PRIMARY KEY (calendar_id, version)
) STRICT;
-- What holds until somebody says otherwise.
INSERT INTO calendar (id, organisation_id, name, standard, version, created_at)
VALUES (X'00000000000070008000000000000001', NULL, 'Standard', TRUE, 1, 0);
INSERT INTO calendar_version (calendar_id, version, time_zone, hours, holidays, exceptions, created_at, created_by)
VALUES (X'00000000000070008000000000000001', 1, 'Europe/Paris', 'mon-fri 08:00-12:00 13:00-18:00', 'france', '', 0, 'Parc');
