-- Owner: agents. The certificate authority, enroll tokens, agents and their certificates.
CREATE TABLE agent_authority (
    id              BIGINT PRIMARY KEY CHECK (id = 1),
    certificate_der BYTEA NOT NULL,
    -- PKCS#8 sealed with the key file of the collectors.
    sealed_key      BYTEA NOT NULL,
    created_at      BIGINT NOT NULL,
    not_after       BIGINT NOT NULL
);
CREATE TABLE agent_enroll_token (
    id              TEXT PRIMARY KEY,
    secret_hash     BYTEA NOT NULL,
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    site_id         UUID REFERENCES site (id),
    tag_policy      TEXT NOT NULL CHECK (tag_policy IN ('none', 'must_exist', 'may_create')),
    uses_max        BIGINT NOT NULL,
    uses            BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    revoked_at      BIGINT,
    CHECK (uses <= uses_max)
);
CREATE INDEX agent_enroll_token_by_organisation ON agent_enroll_token (organisation_id, created_at);
CREATE TABLE agent (
    id              UUID PRIMARY KEY,
    organisation_id UUID NOT NULL REFERENCES site_organisation (id),
    ci_id           UUID NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'quarantined', 'revoked')),
    status_reason   TEXT NOT NULL,
    -- The token's policy: whether a tag this agent claims may be bound without a person.
    tag_policy      TEXT NOT NULL CHECK (tag_policy IN ('none', 'must_exist', 'may_create')),
    key_hash        BYTEA NOT NULL UNIQUE,
    generation      BIGINT NOT NULL,
    version         TEXT NOT NULL,
    enrolled_at     BIGINT NOT NULL,
    status_since    BIGINT NOT NULL
);
CREATE INDEX agent_by_ci ON agent (ci_id);
-- An item has at most one agent that is not revoked, whatever enrolls at the same moment.
CREATE UNIQUE INDEX agent_live_by_ci ON agent (ci_id) WHERE status <> 'revoked';
CREATE INDEX agent_by_status ON agent (organisation_id, status);
CREATE TABLE agent_certificate (
    serial          BYTEA PRIMARY KEY,
    agent_id        UUID NOT NULL REFERENCES agent (id),
    generation      BIGINT NOT NULL,
    csr_hash        BYTEA NOT NULL,
    -- Of the public key: one key, one agent.
    key_hash        BYTEA NOT NULL,
    certificate_der BYTEA NOT NULL,
    not_before      BIGINT NOT NULL,
    not_after       BIGINT NOT NULL,
    first_used_at   BIGINT
);
CREATE UNIQUE INDEX agent_certificate_by_agent ON agent_certificate (agent_id, generation);
CREATE INDEX agent_certificate_by_key ON agent_certificate (key_hash);
CREATE INDEX agent_certificate_by_expiry ON agent_certificate (not_after);
CREATE TABLE agent_enroll_attempt (
    attempt_id BYTEA PRIMARY KEY,
    token_id   TEXT NOT NULL REFERENCES agent_enroll_token (id),
    agent_id   UUID NOT NULL REFERENCES agent (id),
    csr_hash   BYTEA NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX agent_enroll_attempt_by_time ON agent_enroll_attempt (at);
