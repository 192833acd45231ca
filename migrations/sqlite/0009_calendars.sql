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
-- Owner: tickets. What a ticket's clocks are measured by, frozen when it was opened, and what they need to know of it.
CREATE TABLE ticket_clock_terms (
    ticket_number    TEXT PRIMARY KEY REFERENCES ticket (number),
    calendar_id      BLOB NOT NULL,
    calendar_version INTEGER NOT NULL,
    -- Five targets each, priorities 1 to 5: '15m 1h 4h 1d 2d'.
    call_back        TEXT NOT NULL,
    resolution       TEXT NOT NULL,
    -- Emergencies are measured around the clock.
    emergency_always INTEGER NOT NULL CHECK (emergency_always IN (0, 1)),
    -- Who is away is not called: the call-back clock waits.
    away_pauses      INTEGER NOT NULL CHECK (away_pauses IN (0, 1)),
    away_until       INTEGER,
    called_at        INTEGER,
    FOREIGN KEY (calendar_id, calendar_version) REFERENCES calendar_version (calendar_id, version)
) STRICT;
-- What follows from the intervals, so that lists and rounds need not measure.
CREATE TABLE ticket_clock (
    ticket_number    TEXT NOT NULL REFERENCES ticket (number),
    kind             TEXT NOT NULL CHECK (kind IN ('call_back', 'resolution')),
    state            TEXT NOT NULL CHECK (state IN ('running', 'paused', 'stopped')),
    target_us        INTEGER NOT NULL,
    -- Open time spent when the clock was last looked at, and from when it runs on since.
    spent_us         INTEGER NOT NULL,
    runs_from        INTEGER,
    due_at           INTEGER,
    -- First open moments at which somebody is to be told.
    warn_from        INTEGER,
    breach_from      INTEGER,
    warned_at        INTEGER,
    breached_at      INTEGER,
    -- Nothing for around the clock.
    calendar_id      BLOB,
    calendar_version INTEGER,
    PRIMARY KEY (ticket_number, kind)
) STRICT;
CREATE INDEX ticket_clock_to_warn ON ticket_clock (warn_from) WHERE warned_at IS NULL AND warn_from IS NOT NULL;
CREATE INDEX ticket_clock_to_breach ON ticket_clock (breach_from) WHERE breached_at IS NULL AND breach_from IS NOT NULL;
CREATE TABLE ticket_clock_interval (
    ticket_number    TEXT NOT NULL REFERENCES ticket (number),
    kind             TEXT NOT NULL CHECK (kind IN ('call_back', 'resolution')),
    interval_no      INTEGER NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('running', 'paused', 'stopped')),
    from_at          INTEGER NOT NULL,
    to_at            INTEGER,
    calendar_id      BLOB,
    calendar_version INTEGER,
    PRIMARY KEY (ticket_number, kind, interval_no)
) STRICT;
