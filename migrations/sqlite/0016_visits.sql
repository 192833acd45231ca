-- Owner: visits. Appointments of technicians on site.
CREATE TABLE visit (
    id              BLOB PRIMARY KEY,
    ticket_number   TEXT NOT NULL REFERENCES ticket (number),
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    technician_id   BLOB NOT NULL REFERENCES person (id),
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL CHECK (ends_at > starts_at),
    site_id         BLOB REFERENCES site (id),
    -- Where to go, as it stood when the visit was planned.
    address         TEXT NOT NULL,
    location        TEXT NOT NULL,
    contact         TEXT NOT NULL,
    phone           TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('proposed', 'fixed', 'done', 'missed', 'cancelled')),
    outcome         TEXT NOT NULL,
    -- Rises with every change, as calendars expect (RFC 5545 §3.8.7.4).
    sequence        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX visit_by_ticket ON visit (ticket_number, starts_at);
CREATE INDEX visit_by_technician ON visit (technician_id, starts_at);
CREATE INDEX visit_by_organisation ON visit (organisation_id, starts_at);
CREATE INDEX visit_by_time ON visit (starts_at);
-- One row per technician and quarter of an hour that a visit takes: the key refuses overlaps, also under a race.
CREATE TABLE visit_slot (
    technician_id BLOB NOT NULL REFERENCES person (id),
    quarter       INTEGER NOT NULL,
    visit_id      BLOB NOT NULL REFERENCES visit (id),
    PRIMARY KEY (technician_id, quarter)
) STRICT;
CREATE INDEX visit_slot_by_visit ON visit_slot (visit_id);
