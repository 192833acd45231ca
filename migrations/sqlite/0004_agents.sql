-- Owner: agents. The certificate authority, enroll tokens, agents and their certificates.
CREATE TABLE agent_authority (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    certificate_der BLOB NOT NULL,
    -- PKCS#8 sealed with the key file of the collectors.
    sealed_key      BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    not_after       INTEGER NOT NULL
) STRICT;
CREATE TABLE agent_enroll_token (
    id              TEXT PRIMARY KEY,
    secret_hash     BLOB NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    site_id         BLOB REFERENCES site (id),
    tag_policy      TEXT NOT NULL CHECK (tag_policy IN ('none', 'must_exist', 'may_create')),
    uses_max        INTEGER NOT NULL,
    uses            INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    revoked_at      INTEGER,
    CHECK (uses <= uses_max)
) STRICT;
CREATE INDEX agent_enroll_token_by_organisation ON agent_enroll_token (organisation_id, created_at);
CREATE TABLE agent (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    ci_id           BLOB NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'quarantined', 'revoked')),
    status_reason   TEXT NOT NULL,
    -- The token's policy: whether a tag this agent claims may be bound without a person.
    tag_policy      TEXT NOT NULL CHECK (tag_policy IN ('none', 'must_exist', 'may_create')),
    key_hash        BLOB NOT NULL UNIQUE,
    generation      INTEGER NOT NULL,
    version         TEXT NOT NULL,
    enrolled_at     INTEGER NOT NULL,
    status_since    INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_by_ci ON agent (ci_id);
-- An item has at most one agent that is not revoked, whatever enrolls at the same moment.
CREATE UNIQUE INDEX agent_live_by_ci ON agent (ci_id) WHERE status <> 'revoked';
CREATE INDEX agent_by_status ON agent (organisation_id, status);
CREATE TABLE agent_certificate (
    serial          BLOB PRIMARY KEY,
    agent_id        BLOB NOT NULL REFERENCES agent (id),
    generation      INTEGER NOT NULL,
    csr_hash        BLOB NOT NULL,
    -- Of the public key: one key, one agent.
    key_hash        BLOB NOT NULL,
    certificate_der BLOB NOT NULL,
    not_before      INTEGER NOT NULL,
    not_after       INTEGER NOT NULL,
    first_used_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX agent_certificate_by_agent ON agent_certificate (agent_id, generation);
CREATE INDEX agent_certificate_by_key ON agent_certificate (key_hash);
CREATE INDEX agent_certificate_by_expiry ON agent_certificate (not_after);
CREATE TABLE agent_enroll_attempt (
    attempt_id BLOB PRIMARY KEY,
    token_id   TEXT NOT NULL REFERENCES agent_enroll_token (id),
    agent_id   BLOB NOT NULL REFERENCES agent (id),
    csr_hash   BLOB NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX agent_enroll_attempt_by_time ON agent_enroll_attempt (at);
