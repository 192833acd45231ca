-- Owner: calendars. When services are open.
CREATE TABLE calendar (
    id              UUID PRIMARY KEY,
    -- Nothing for a calendar of the provider, which every organisation may use.
    organisation_id UUID REFERENCES site_organisation (id),
    name            TEXT NOT NULL,
    -- Holds when no contract says otherwise.
    standard        BOOLEAN NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX calendar_standard_own ON calendar (organisation_id) WHERE standard = TRUE AND organisation_id IS NOT NULL;
CREATE UNIQUE INDEX calendar_standard_shared ON calendar (standard) WHERE standard = TRUE AND organisation_id IS NULL;
CREATE UNIQUE INDEX calendar_name_own ON calendar (organisation_id, name) WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX calendar_name_shared ON calendar (name) WHERE organisation_id IS NULL;
-- Never changed: tickets are measured by the version that held when they were opened.
CREATE TABLE calendar_version (
    calendar_id UUID NOT NULL REFERENCES calendar (id),
    version     BIGINT NOT NULL,
    time_zone   TEXT NOT NULL,
    hours       TEXT NOT NULL,
    holidays    TEXT NOT NULL CHECK (holidays IN ('none', 'france', 'alsace_moselle')),
    exceptions  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    PRIMARY KEY (calendar_id, version)
);
-- What holds until somebody says otherwise.
INSERT INTO calendar (id, organisation_id, name, standard, version, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', NULL, 'Standard', TRUE, 1, 0);
INSERT INTO calendar_version (calendar_id, version, time_zone, hours, holidays, exceptions, created_at, created_by)
VALUES ('00000000-0000-7000-8000-000000000001', 1, 'Europe/Paris', 'mon-fri 08:00-12:00 13:00-18:00', 'france', '', 0, 'Parc');
