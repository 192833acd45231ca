-- Owner: inventory. Configuration items: what agents discovered, what people declared, what changed.
CREATE TABLE inventory_ci (
    id              UUID PRIMARY KEY,
    -- The random half of the id, by which installations name it.
    short_id        BIGINT NOT NULL,
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    site_id         UUID REFERENCES site (id),
    location        TEXT NOT NULL,
    assigned_to_id  UUID REFERENCES person (id),
    lifecycle       TEXT NOT NULL CHECK (lifecycle IN ('in_use', 'stock', 'in_repair', 'on_loan', 'retired', 'stolen')),
    -- A retired item keeps its key: a tag is never given to a second machine.
    tag             TEXT,
    tag_key         TEXT,
    tag_source      TEXT CHECK (tag_source IN ('admin', 'configuration', 'firmware')),
    tag_since       BIGINT,
    -- What lists show and filter by: declared where declared, discovered otherwise.
    name            TEXT NOT NULL,
    kind            TEXT NOT NULL,
    make            TEXT NOT NULL,
    model           TEXT NOT NULL,
    serial          TEXT NOT NULL,
    os_name         TEXT NOT NULL,
    os_version      TEXT NOT NULL,
    cpu             TEXT NOT NULL,
    memory_mib      BIGINT NOT NULL,
    disk_mib        BIGINT NOT NULL,
    software_count  BIGINT NOT NULL,
    search_key      TEXT NOT NULL,
    has_agent       BOOLEAN NOT NULL,
    created_at      BIGINT NOT NULL,
    retired_at      BIGINT
);
CREATE UNIQUE INDEX inventory_ci_short ON inventory_ci (short_id);
CREATE UNIQUE INDEX inventory_ci_tag ON inventory_ci (organisation_id, tag_key);
CREATE INDEX inventory_ci_by_organisation ON inventory_ci (organisation_id, name, id);
CREATE INDEX inventory_ci_by_name ON inventory_ci (name, id);
CREATE INDEX inventory_ci_site ON inventory_ci (site_id, id);
CREATE INDEX inventory_ci_by_person ON inventory_ci (assigned_to_id);
CREATE INDEX inventory_ci_by_lifecycle ON inventory_ci (lifecycle, organisation_id);
CREATE INDEX inventory_ci_tag_any ON inventory_ci (tag_key);
-- The hot row: rewritten at every contact, so apart from the item and narrow.
CREATE TABLE inventory_contact (
    ci_id           UUID PRIMARY KEY REFERENCES inventory_ci (id),
    agent_id        UUID NOT NULL,
    last_contact_at BIGINT NOT NULL,
    last_change_at  BIGINT NOT NULL,
    collected_at    BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    report_id       BYTEA NOT NULL,
    state_digest    BYTEA NOT NULL,
    -- What the report before this one was: tells a repetition from a second machine with the same key.
    previous_seq    BIGINT NOT NULL,
    previous_id     BYTEA NOT NULL,
    problem_count   BIGINT NOT NULL,
    -- Why the tag the machine claims is not bound; empty when it is or none is claimed.
    tag_note        TEXT NOT NULL
);
CREATE TABLE inventory_section (
    ci_id       UUID NOT NULL REFERENCES inventory_ci (id),
    section     BIGINT NOT NULL,
    digest      BYTEA NOT NULL,
    content_id  BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (ci_id, section)
);
-- Immutable, addressed by its hash: a pin on a ticket costs a reference, not a copy.
CREATE TABLE inventory_content (
    id         BYTEA PRIMARY KEY,
    section    BIGINT NOT NULL,
    body       BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE inventory_change (
    ci_id     UUID NOT NULL REFERENCES inventory_ci (id),
    at        BIGINT NOT NULL,
    change_no BIGINT NOT NULL,
    section   BIGINT NOT NULL,
    item_key  TEXT NOT NULL,
    -- What people call the item: `DIMM A`, `7-Zip`.
    label     TEXT NOT NULL,
    operation TEXT NOT NULL CHECK (operation IN ('added', 'removed', 'changed')),
    before    TEXT,
    after     TEXT,
    PRIMARY KEY (ci_id, at, change_no)
);
CREATE INDEX inventory_change_by_time ON inventory_change (at);
CREATE TABLE inventory_declared (
    ci_id       UUID NOT NULL REFERENCES inventory_ci (id),
    field       TEXT NOT NULL,
    value       TEXT NOT NULL,
    declared_at BIGINT NOT NULL,
    declared_by TEXT NOT NULL,
    PRIMARY KEY (ci_id, field)
);
-- Evidence of identity: hardware identifiers after the placeholder lists.
CREATE TABLE inventory_identifier (
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    kind            TEXT NOT NULL,
    value           TEXT NOT NULL,
    ci_id           UUID NOT NULL REFERENCES inventory_ci (id),
    PRIMARY KEY (organisation_id, kind, value, ci_id)
);
CREATE INDEX inventory_identifier_by_ci ON inventory_identifier (ci_id);
CREATE TABLE inventory_tag_conflict (
    id              UUID PRIMARY KEY,
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    tag             TEXT NOT NULL,
    tag_key         TEXT NOT NULL,
    holder_ci_id    UUID NOT NULL REFERENCES inventory_ci (id),
    claimant_ci_id  UUID NOT NULL REFERENCES inventory_ci (id),
    opened_at       BIGINT NOT NULL,
    resolved_at     BIGINT,
    resolution      TEXT CHECK (resolution IN ('kept', 'moved', 'freed', 'withdrawn')),
    resolved_by     TEXT,
    reason          TEXT
);
CREATE INDEX inventory_tag_conflict_open ON inventory_tag_conflict (organisation_id, resolved_at, opened_at);
CREATE INDEX inventory_tag_conflict_by_claimant ON inventory_tag_conflict (claimant_ci_id);
CREATE INDEX inventory_tag_conflict_by_holder ON inventory_tag_conflict (holder_ci_id);
-- Which tags a machine claimed lately: a machine that tries tag after tag is stopped.
CREATE TABLE inventory_tag_claim (
    ci_id      UUID NOT NULL REFERENCES inventory_ci (id),
    tag_key    TEXT NOT NULL,
    claimed_at BIGINT NOT NULL,
    PRIMARY KEY (ci_id, tag_key)
);
CREATE TABLE inventory_pin (
    id             UUID PRIMARY KEY,
    ci_id          UUID NOT NULL REFERENCES inventory_ci (id),
    pinned_at      BIGINT NOT NULL,
    last_report_at BIGINT,
    -- Name, tag, site, location, assigned person and declared facts as they stood: JSON.
    facts          TEXT NOT NULL
);
CREATE TABLE inventory_pin_section (
    pin_id     UUID NOT NULL REFERENCES inventory_pin (id),
    section    BIGINT NOT NULL,
    content_id BYTEA NOT NULL REFERENCES inventory_content (id),
    PRIMARY KEY (pin_id, section)
);
CREATE INDEX inventory_pin_section_by_content ON inventory_pin_section (content_id);
CREATE INDEX inventory_section_by_content ON inventory_section (content_id);
