-- Owner: inventory. Configuration items: what agents discovered, what people declared, what changed.
CREATE TABLE inventory_ci (
    id              BLOB PRIMARY KEY,
    -- The random half of the id, by which installations name it.
    short_id        INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    site_id         BLOB REFERENCES site (id),
    location        TEXT NOT NULL,
    assigned_to_id  BLOB REFERENCES person (id),
    lifecycle       TEXT NOT NULL CHECK (lifecycle IN ('in_use', 'stock', 'in_repair', 'on_loan', 'retired', 'stolen')),
    -- A retired item keeps its key: a tag is never given to a second machine.
    tag             TEXT,
    tag_key         TEXT,
    tag_source      TEXT CHECK (tag_source IN ('admin', 'configuration', 'firmware')),
    tag_since       INTEGER,
    -- What lists show and filter by: declared where declared, discovered otherwise.
    name            TEXT NOT NULL,
    kind            TEXT NOT NULL,
    make            TEXT NOT NULL,
    model           TEXT NOT NULL,
    serial          TEXT NOT NULL,
    os_name         TEXT NOT NULL,
    os_version      TEXT NOT NULL,
    cpu             TEXT NOT NULL,
    memory_mib      INTEGER NOT NULL,
    disk_mib        INTEGER NOT NULL,
    software_count  INTEGER NOT NULL,
    search_key      TEXT NOT NULL,
    has_agent       INTEGER NOT NULL CHECK (has_agent IN (0, 1)),
    created_at      INTEGER NOT NULL,
    retired_at      INTEGER
) STRICT;
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
    ci_id           BLOB PRIMARY KEY REFERENCES inventory_ci (id),
    agent_id        BLOB NOT NULL,
    last_contact_at INTEGER NOT NULL,
    last_change_at  INTEGER NOT NULL,
    collected_at    INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    report_id       BLOB NOT NULL,
    state_digest    BLOB NOT NULL,
    -- What the report before this one was: tells a repetition from a second machine with the same key.
    previous_seq    INTEGER NOT NULL,
    previous_id     BLOB NOT NULL,
    problem_count   INTEGER NOT NULL,
    -- Why the tag the machine claims is not bound; empty when it is or none is claimed.
    tag_note        TEXT NOT NULL
) STRICT;
CREATE TABLE inventory_section (
    ci_id       BLOB NOT NULL REFERENCES inventory_ci (id),
    section     INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    content_id  BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (ci_id, section)
) STRICT;
-- Immutable, addressed by its hash: a pin on a ticket costs a reference, not a copy.
CREATE TABLE inventory_content (
    id         BLOB PRIMARY KEY,
    section    INTEGER NOT NULL,
    body       BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE inventory_change (
    ci_id     BLOB NOT NULL REFERENCES inventory_ci (id),
    at        INTEGER NOT NULL,
    change_no INTEGER NOT NULL,
    section   INTEGER NOT NULL,
    item_key  TEXT NOT NULL,
    -- What people call the item: `DIMM A`, `7-Zip`.
    label     TEXT NOT NULL,
    operation TEXT NOT NULL CHECK (operation IN ('added', 'removed', 'changed')),
    before    TEXT,
    after     TEXT,
    PRIMARY KEY (ci_id, at, change_no)
) STRICT;
CREATE INDEX inventory_change_by_time ON inventory_change (at);
CREATE TABLE inventory_declared (
    ci_id       BLOB NOT NULL REFERENCES inventory_ci (id),
    field       TEXT NOT NULL,
    value       TEXT NOT NULL,
    declared_at INTEGER NOT NULL,
    declared_by TEXT NOT NULL,
    PRIMARY KEY (ci_id, field)
) STRICT;
-- Evidence of identity: hardware identifiers after the placeholder lists.
CREATE TABLE inventory_identifier (
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    kind            TEXT NOT NULL,
    value           TEXT NOT NULL,
    ci_id           BLOB NOT NULL REFERENCES inventory_ci (id),
    PRIMARY KEY (organisation_id, kind, value, ci_id)
) STRICT;
CREATE INDEX inventory_identifier_by_ci ON inventory_identifier (ci_id);
CREATE TABLE inventory_tag_conflict (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    tag             TEXT NOT NULL,
    tag_key         TEXT NOT NULL,
    holder_ci_id    BLOB NOT NULL REFERENCES inventory_ci (id),
    claimant_ci_id  BLOB NOT NULL REFERENCES inventory_ci (id),
    opened_at       INTEGER NOT NULL,
    resolved_at     INTEGER,
    resolution      TEXT CHECK (resolution IN ('kept', 'moved', 'freed', 'withdrawn')),
    resolved_by     TEXT,
    reason          TEXT
) STRICT;
CREATE INDEX inventory_tag_conflict_open ON inventory_tag_conflict (organisation_id, resolved_at, opened_at);
CREATE INDEX inventory_tag_conflict_by_claimant ON inventory_tag_conflict (claimant_ci_id);
CREATE INDEX inventory_tag_conflict_by_holder ON inventory_tag_conflict (holder_ci_id);
-- Which tags a machine claimed lately: a machine that tries tag after tag is stopped.
CREATE TABLE inventory_tag_claim (
    ci_id      BLOB NOT NULL REFERENCES inventory_ci (id),
    tag_key    TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    PRIMARY KEY (ci_id, tag_key)
) STRICT;
CREATE TABLE inventory_pin (
    id             BLOB PRIMARY KEY,
    ci_id          BLOB NOT NULL REFERENCES inventory_ci (id),
    pinned_at      INTEGER NOT NULL,
    last_report_at INTEGER,
    -- Name, tag, site, location, assigned person and declared facts as they stood: JSON.
    facts          TEXT NOT NULL
) STRICT;
CREATE TABLE inventory_pin_section (
    pin_id     BLOB NOT NULL REFERENCES inventory_pin (id),
    section    INTEGER NOT NULL,
    content_id BLOB NOT NULL REFERENCES inventory_content (id),
    PRIMARY KEY (pin_id, section)
) STRICT;
CREATE INDEX inventory_pin_section_by_content ON inventory_pin_section (content_id);
CREATE INDEX inventory_section_by_content ON inventory_section (content_id);
