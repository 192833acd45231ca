-- Owner: mail. Mailboxes that are fetched, and every message that ever came, from its arrival to what became of it.
CREATE TABLE mail_mailbox (
    name         TEXT PRIMARY KEY,
    -- Up to which message everything is stored (RFC 3501 §2.3.1.1); none before the first.
    uid_validity BIGINT,
    uid_stored   BIGINT NOT NULL,
    checked_at   BIGINT,
    -- Since when it cannot be fetched, and why; empty while it can.
    failing_since BIGINT,
    failure      TEXT NOT NULL
);
CREATE TABLE mail_inbound (
    id               UUID PRIMARY KEY,
    mailbox          TEXT NOT NULL,
    uid_validity     BIGINT NOT NULL,
    uid              BIGINT NOT NULL,
    received_at      BIGINT NOT NULL,
    -- Of the whole message; more than is stored when it was too large.
    size_bytes       BIGINT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('received', 'opened', 'appended', 'silent', 'refused', 'quarantined',
                                                    'dropped', 'bounced', 'duplicate', 'converted', 'discarded')),
    -- A word that says why.
    reason           TEXT NOT NULL,
    attempts         BIGINT NOT NULL,
    next_attempt_at  BIGINT NOT NULL,
    -- Of what follows nothing is known before the message was read; both stay empty on a repetition.
    message_id       TEXT,
    body_hash        BYTEA,
    from_address     TEXT NOT NULL,
    from_name        TEXT NOT NULL,
    subject          TEXT NOT NULL,
    authenticity     TEXT NOT NULL CHECK (authenticity IN ('passed', 'failed', 'unknown')),
    ticket_number    TEXT,
    person_id        UUID REFERENCES person (id),
    -- The sender was told politely.
    answered         BOOLEAN NOT NULL,
    settled_at       BIGINT,
    settled_by       TEXT NOT NULL,
    UNIQUE (mailbox, uid_validity, uid),
    UNIQUE (message_id, body_hash)
);
CREATE INDEX mail_inbound_due ON mail_inbound (state, next_attempt_at);
CREATE INDEX mail_inbound_by_time ON mail_inbound (received_at, id);
CREATE INDEX mail_inbound_by_sender ON mail_inbound (from_address, settled_at);
CREATE INDEX mail_inbound_by_ticket ON mail_inbound (ticket_number);
-- The bytes as they came; dropped before the row is.
CREATE TABLE mail_inbound_raw (
    inbound_id UUID PRIMARY KEY REFERENCES mail_inbound (id) ON DELETE CASCADE,
    raw        BYTEA NOT NULL
);
