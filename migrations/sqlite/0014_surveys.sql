-- Owner: surveys. What people thought of how their ticket was handled.
CREATE TABLE survey_criterion (
    id              BLOB PRIMARY KEY,
    -- Only asked in this organisation; nothing for all.
    organisation_id BLOB REFERENCES site_organisation (id),
    position        INTEGER NOT NULL,
    label_fr        TEXT NOT NULL,
    label_en        TEXT NOT NULL,
    -- No longer asked; what was answered stays.
    retired_at      INTEGER
) STRICT;
-- The criteria of a new installation, to be changed at will.
INSERT INTO survey_criterion (id, organisation_id, position, label_fr, label_en, retired_at) VALUES
    (X'00000000000070008000000000000001', NULL, 1, 'Rapidité de la prise en charge', 'How fast somebody took care', NULL),
    (X'00000000000070008000000000000002', NULL, 2, 'Qualité de la solution', 'Quality of the solution', NULL),
    (X'00000000000070008000000000000003', NULL, 3, 'Clarté des explications', 'Clear explanations', NULL),
    (X'00000000000070008000000000000004', NULL, 4, 'Amabilité', 'Friendliness', NULL);
CREATE TABLE survey (
    ticket_number   TEXT NOT NULL REFERENCES ticket (number),
    person_id       BLOB NOT NULL REFERENCES person (id),
    -- Which closure: a ticket that was opened again may be rated again.
    closed_at       INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    -- Who owned the ticket then.
    owner_id        BLOB REFERENCES person (id),
    answered_at     INTEGER NOT NULL,
    comment         TEXT NOT NULL,
    PRIMARY KEY (ticket_number, person_id, closed_at)
) STRICT;
CREATE INDEX survey_by_organisation ON survey (organisation_id, answered_at);
CREATE INDEX survey_by_owner ON survey (owner_id, answered_at);
CREATE TABLE survey_answer (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    person_id     BLOB NOT NULL REFERENCES person (id),
    closed_at     INTEGER NOT NULL,
    criterion_id  BLOB NOT NULL REFERENCES survey_criterion (id),
    score         INTEGER NOT NULL CHECK (score BETWEEN 1 AND 5),
    comment       TEXT NOT NULL,
    PRIMARY KEY (ticket_number, person_id, closed_at, criterion_id)
) STRICT;
CREATE INDEX survey_answer_by_criterion ON survey_answer (criterion_id);
