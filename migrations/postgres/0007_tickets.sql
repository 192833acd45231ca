-- Owner: tickets. Tickets, their machines, their history.
CREATE TABLE ticket_number (
    -- YYYYMM in the organisation's time zone.
    month TEXT PRIMARY KEY,
    last  BIGINT NOT NULL
);
CREATE TABLE ticket (
    number            TEXT PRIMARY KEY,
    organisation_id   UUID NOT NULL REFERENCES site_organisation (id),
    kind              TEXT NOT NULL CHECK (kind IN ('incident', 'service_request', 'problem', 'information', 'improvement', 'training', 'emergency')),
    channel           TEXT NOT NULL CHECK (channel IN ('portal', 'mail', 'phone', 'api', 'agent')),
    state             TEXT NOT NULL CHECK (state IN ('new', 'queued', 'in_progress', 'pending', 'resolved', 'closed', 'cancelled')),
    priority          BIGINT NOT NULL CHECK (priority BETWEEN 1 AND 5),
    site_id           UUID REFERENCES site (id),
    location          TEXT NOT NULL,
    requester_id      UUID NOT NULL REFERENCES person (id),
    beneficiary_id    UUID NOT NULL REFERENCES person (id),
    created_by        TEXT NOT NULL,
    -- Id of the person, key or agent that wrote it down; whoever it is may read it. None for Parc itself.
    created_by_id     UUID,
    owner_id          UUID REFERENCES person (id),
    level             BIGINT NOT NULL CHECK (level IN (1, 2)),
    summary           TEXT NOT NULL,
    description       TEXT NOT NULL,
    application       TEXT NOT NULL,
    phone             TEXT NOT NULL,
    availability      TEXT NOT NULL,
    external_ref      TEXT NOT NULL,
    severity          TEXT NOT NULL CHECK (severity IN ('minor', 'blocking')),
    scope             TEXT NOT NULL CHECK (scope IN ('one', 'group', 'all')),
    urgency           TEXT NOT NULL CHECK (urgency IN ('low', 'medium', 'high')),
    sub_kind          TEXT CHECK (sub_kind IN ('connection', 'performance', 'freeze', 'hardware', 'error_message', 'server', 'application', 'malware', 'vulnerability', 'install', 'configure', 'account', 'access', 'equipment', 'outage', 'security_breach', 'disruption')),
    -- What the person said, whatever staff think of it later.
    declared_severity TEXT NOT NULL CHECK (declared_severity IN ('minor', 'blocking')),
    declared_scope    TEXT NOT NULL CHECK (declared_scope IN ('one', 'group', 'all')),
    declared_urgency  TEXT NOT NULL CHECK (declared_urgency IN ('low', 'medium', 'high')),
    -- Which matrix gave the priority, and why somebody set another one by hand.
    matrix_version    BIGINT NOT NULL,
    priority_reason   TEXT,
    -- Seen by the security manager, its security team and its people only.
    restricted        BOOLEAN NOT NULL,
    security          BOOLEAN NOT NULL,
    major             BOOLEAN NOT NULL,
    -- What the person typed, untouched, and the key it is matched by.
    inventory_number  TEXT NOT NULL,
    inventory_key     TEXT NOT NULL,
    asset_match       TEXT NOT NULL CHECK (asset_match IN ('attached', 'unknown', 'ambiguous', 'foreign', 'placeholder', 'none')),
    pending_reason    TEXT,
    pending_until     BIGINT,
    pending_note      TEXT,
    solution          TEXT,
    -- What a type needs to be closed with.
    resolution_code   TEXT,
    cause             TEXT,
    workaround        TEXT,
    session_on        TEXT,
    -- What was checked before it was resolved, by whom and when.
    verified_checks   TEXT,
    verified_by       TEXT,
    verified_at       BIGINT,
    cancel_reason     TEXT CHECK (cancel_reason IN ('withdrawn', 'duplicate', 'spam', 'not_covered', 'created_in_error')),
    parent_number     TEXT REFERENCES ticket (number),
    problem_number    TEXT REFERENCES ticket (number),
    duplicate_of      TEXT REFERENCES ticket (number),
    refusals          BIGINT NOT NULL DEFAULT 0,
    reopenings        BIGINT NOT NULL DEFAULT 0,
    -- Since when the owner has it; a claim is undone for a few minutes without a reason.
    owned_since       BIGINT,
    -- When the requester was reminded to confirm.
    reminded_at       BIGINT,
    search_key        TEXT NOT NULL,
    request_id        BYTEA UNIQUE,
    -- Digest of what the request said: the same id with other words is refused.
    request_digest    BYTEA,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    -- When it was first taken or qualified; a wait that ends before goes back to the entry.
    qualified_at      BIGINT,
    resolved_at       BIGINT,
    closed_at         BIGINT,
    version           BIGINT NOT NULL,
    -- Visits and loans that are not over; kept by the slices that own them.
    open_visits       BIGINT NOT NULL DEFAULT 0,
    open_loans        BIGINT NOT NULL DEFAULT 0,
    -- How long the history is and the hash of its last event, so that a tail cut off is seen.
    event_count       BIGINT NOT NULL DEFAULT 0,
    event_head        BYTEA
);
CREATE INDEX ticket_queue ON ticket (organisation_id, state, created_at);
CREATE INDEX ticket_by_creation ON ticket (created_at);
CREATE INDEX ticket_by_resolution ON ticket (resolved_at);
CREATE INDEX ticket_by_state ON ticket (state, created_at);
-- The queue: most urgent first, newest first, per organisation and over all.
CREATE INDEX ticket_urgent ON ticket (priority, created_at DESC, number DESC);
CREATE INDEX ticket_urgent_own ON ticket (organisation_id, priority, created_at DESC, number DESC);
CREATE INDEX ticket_by_owner ON ticket (owner_id, state);
CREATE INDEX ticket_by_requester ON ticket (requester_id, created_at);
CREATE INDEX ticket_by_beneficiary ON ticket (beneficiary_id, created_at);
CREATE INDEX ticket_by_creator ON ticket (created_by_id, created_at);
CREATE INDEX ticket_waiting ON ticket (organisation_id, inventory_key, asset_match);
CREATE INDEX ticket_by_parent ON ticket (parent_number);
CREATE INDEX ticket_by_problem ON ticket (problem_number);
-- Why a ticket waits, and what that does to its clocks.
CREATE TABLE ticket_pending_reason (
    code              TEXT PRIMARY KEY,
    label_fr          TEXT NOT NULL,
    label_en          TEXT NOT NULL,
    pauses_call       BOOLEAN NOT NULL,
    pauses_resolution BOOLEAN NOT NULL,
    requires_date     BOOLEAN NOT NULL,
    active            BOOLEAN NOT NULL,
    position          BIGINT NOT NULL
);
INSERT INTO ticket_pending_reason (code, label_fr, label_en, pauses_call, pauses_resolution, requires_date, active, position) VALUES
    ('user_absent', 'Utilisateur absent', 'User absent', TRUE, TRUE, FALSE, TRUE, 1),
    ('missing_information', 'Informations manquantes', 'Missing information', TRUE, TRUE, FALSE, TRUE, 2),
    ('appointment', 'Rendez-vous fixé', 'Appointment fixed', TRUE, TRUE, TRUE, TRUE, 3),
    ('supplier', 'Fournisseur ou tiers', 'Supplier or third party', TRUE, TRUE, FALSE, TRUE, 4),
    ('part', 'Pièce commandée', 'Part on order', TRUE, TRUE, FALSE, TRUE, 5),
    ('date', 'Reporté à une date', 'Put off to a date', TRUE, TRUE, TRUE, TRUE, 6),
    ('internal', 'Attente interne', 'Internal waiting', FALSE, FALSE, FALSE, TRUE, 7),
    ('other', 'Autre', 'Other', FALSE, FALSE, FALSE, TRUE, 8);
-- The priority matrix, every version of it: eighteen digits, severity × scope × urgency, the mildest first.
CREATE TABLE ticket_matrix (
    version    BIGINT PRIMARY KEY,
    cells      TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO ticket_matrix (version, cells, created_by, created_at) VALUES (1, '543432321432321211', 'Parc', 0);
CREATE TABLE ticket_watcher (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    person_id     UUID NOT NULL REFERENCES person (id),
    since         BIGINT NOT NULL,
    PRIMARY KEY (ticket_number, person_id)
);
CREATE INDEX ticket_watcher_by_person ON ticket_watcher (person_id, ticket_number);
-- Who has a ticket open right now; advisory, refreshed by the page, swept by the minute.
CREATE TABLE ticket_presence (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    person_id     UUID NOT NULL REFERENCES person (id),
    writing       BOOLEAN NOT NULL,
    seen_at       BIGINT NOT NULL,
    PRIMARY KEY (ticket_number, person_id)
);
CREATE INDEX ticket_presence_by_time ON ticket_presence (seen_at);
-- A person's own views of the queue: a name and the query of its address.
CREATE TABLE ticket_saved_view (
    person_id UUID NOT NULL REFERENCES person (id),
    name      TEXT NOT NULL,
    query     TEXT NOT NULL,
    PRIMARY KEY (person_id, name)
);
-- Answers written once and used often.
CREATE TABLE ticket_canned_reply (
    code     TEXT PRIMARY KEY,
    title    TEXT NOT NULL,
    body     TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('fr', 'en'))
);
CREATE TABLE ticket_asset (
    id            UUID PRIMARY KEY,
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    ci_id         UUID NOT NULL REFERENCES inventory_ci (id),
    role          TEXT NOT NULL CHECK (role IN ('affected', 'related', 'loaner', 'replacement')),
    attached_by   TEXT NOT NULL CHECK (attached_by IN ('opening', 'late', 'person')),
    attached_at   BIGINT NOT NULL,
    pin_id        UUID NOT NULL REFERENCES inventory_pin (id),
    detached_at   BIGINT,
    detach_reason TEXT
);
-- One affected machine at a time.
CREATE UNIQUE INDEX ticket_asset_affected ON ticket_asset (ticket_number) WHERE role = 'affected' AND detached_at IS NULL;
CREATE INDEX ticket_asset_by_ticket ON ticket_asset (ticket_number, attached_at);
CREATE INDEX ticket_asset_by_ci ON ticket_asset (ci_id, attached_at);
CREATE TABLE ticket_event (
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    event_no      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    kind          TEXT NOT NULL,
    public        BOOLEAN NOT NULL,
    actor_kind    TEXT NOT NULL CHECK (actor_kind IN ('person', 'api_key', 'agent', 'system')),
    actor_id      UUID,
    actor_label   TEXT NOT NULL,
    -- Facts of the event as JSON: reason, text, duration.
    data          TEXT NOT NULL,
    -- Fields of the ticket that changed, as JSON: name, before, after.
    changes       TEXT NOT NULL,
    -- Version of the ticket once it had happened.
    version       BIGINT NOT NULL,
    -- When what a person wrote was blanked out on their demand; the hashes stay.
    redacted_at   BIGINT,
    content_hash  BYTEA NOT NULL,
    -- Over the hash before it and everything else of this event.
    hash          BYTEA NOT NULL,
    PRIMARY KEY (ticket_number, event_no)
);
CREATE INDEX ticket_event_by_kind ON ticket_event (kind, at);
