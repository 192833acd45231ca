-- Owner: tickets. What people are writing, and when they can be called.
CREATE TABLE ticket_draft (
    person_id  BLOB NOT NULL REFERENCES person (id),
    -- One draft of each kind: what was typed comes back, wherever the person signs in.
    kind       TEXT NOT NULL,
    -- The form's fields as JSON.
    fields     TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (person_id, kind)
) STRICT;
CREATE INDEX ticket_draft_by_time ON ticket_draft (updated_at);
CREATE TABLE ticket_draft_file (
    person_id BLOB NOT NULL REFERENCES person (id),
    kind      TEXT NOT NULL,
    file_id   BLOB NOT NULL REFERENCES file (id),
    PRIMARY KEY (person_id, kind, file_id)
) STRICT;
CREATE INDEX ticket_draft_file_by_file ON ticket_draft_file (file_id);
CREATE TABLE ticket_slot (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    from_at       INTEGER NOT NULL,
    to_at         INTEGER NOT NULL,
    PRIMARY KEY (ticket_number, from_at)
) STRICT;
CREATE INDEX ticket_slot_by_time ON ticket_slot (from_at);
-- Owner: sites. Applications people choose from when they ask for help.
CREATE TABLE site_application (
    -- The organisation that uses it.
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    name            TEXT NOT NULL,
    PRIMARY KEY (organisation_id, name)
) STRICT;
