-- Owner: teams. Who works together, and which team a ticket goes to first.
CREATE TABLE team (
    id              UUID PRIMARY KEY,
    -- Short name for programs and commands: a-z, 0-9, hyphens.
    code            TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    level           BIGINT NOT NULL CHECK (level IN (1, 2)),
    kind            TEXT NOT NULL CHECK (kind IN ('service_desk', 'servers', 'network', 'maintenance', 'application', 'security', 'training', 'other')),
    -- The only organisation it works for; none for a team of the provider.
    organisation_id UUID REFERENCES site_organisation (id),
    active          BOOLEAN NOT NULL,
    created_at      BIGINT NOT NULL
);
CREATE TABLE team_member (
    team_id   UUID NOT NULL REFERENCES team (id),
    person_id UUID NOT NULL REFERENCES person (id),
    PRIMARY KEY (team_id, person_id)
);
CREATE INDEX team_member_by_person ON team_member (person_id, team_id);
-- Which tickets a team gets first: of a type, and of a sub-kind or about an application where one is named.
CREATE TABLE team_route (
    team_id         UUID NOT NULL REFERENCES team (id),
    ticket_kind     TEXT NOT NULL,
    sub_kind        TEXT NOT NULL,
    application_key TEXT NOT NULL,
    PRIMARY KEY (ticket_kind, sub_kind, application_key, team_id)
);
-- Here because it refers to what is made here; written by tickets.
ALTER TABLE ticket ADD COLUMN team_id UUID REFERENCES team (id);
CREATE INDEX ticket_by_team ON ticket (team_id, state, priority);
