-- Owner: mail. Mails to send and sent, the addresses they go to, and the switch that stops them all.
CREATE TABLE mail_outbox (
    id              BLOB PRIMARY KEY,
    -- What happened, `I202611_0042/17`: with address and template, what no two mails have in common.
    event           TEXT NOT NULL,
    template        TEXT NOT NULL,
    address         TEXT NOT NULL,
    name            TEXT NOT NULL,
    person_id       BLOB REFERENCES person (id),
    organisation_id BLOB REFERENCES site_organisation (id),
    ticket_number   TEXT,
    origin          TEXT NOT NULL CHECK (origin IN ('notification', 'acknowledgement', 'person')),
    -- Message-ID of the mail from outside that this one answers.
    answers         TEXT,
    -- Mails with the same key to the same address become one while the first waits.
    merge_key       TEXT,
    -- What it says, as JSON; written out in plain text and HTML when it is sent.
    letter          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'withheld')),
    created_at      INTEGER NOT NULL,
    not_before      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    first_tried_at  INTEGER,
    -- Who is sending it, and until when nobody else may.
    lease           BLOB,
    lease_until     INTEGER,
    -- Set before the first attempt and kept: a repetition is recognised by it.
    message_id      TEXT,
    settled_at      INTEGER,
    bounced_at      INTEGER,
    -- The last words of a server, or why it was not sent.
    answer          TEXT NOT NULL,
    UNIQUE (event, address, template)
) STRICT;
CREATE INDEX mail_outbox_due ON mail_outbox (state, not_before);
CREATE INDEX mail_outbox_by_time ON mail_outbox (created_at, id);
CREATE INDEX mail_outbox_by_message ON mail_outbox (message_id);
CREATE INDEX mail_outbox_mergeable ON mail_outbox (merge_key, address, state);
CREATE TABLE mail_address (
    address           TEXT PRIMARY KEY,
    -- Failures that followed each other within a week.
    failures          INTEGER NOT NULL,
    last_failed_at    INTEGER,
    -- Since when nothing is sent there any more.
    failing_since     INTEGER,
    -- Mails handed to the relay in the running hour.
    window_started_at INTEGER NOT NULL,
    window_mails      INTEGER NOT NULL
) STRICT;
-- One row once somebody has used it.
CREATE TABLE mail_switch (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    stopped    INTEGER NOT NULL CHECK (stopped IN (0, 1)),
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;
-- Owner: tickets. What people are told on the pages, and which mails an organisation wants.
CREATE TABLE ticket_notice (
    person_id     BLOB NOT NULL REFERENCES person (id),
    ticket_number TEXT NOT NULL REFERENCES ticket (number),
    -- Version of the ticket that it tells of.
    version       INTEGER NOT NULL,
    occasion      TEXT NOT NULL,
    actor_label   TEXT NOT NULL,
    at            INTEGER NOT NULL,
    read_at       INTEGER,
    PRIMARY KEY (person_id, ticket_number, version, occasion)
) STRICT;
CREATE INDEX ticket_notice_by_person ON ticket_notice (person_id, at);
CREATE INDEX ticket_notice_by_time ON ticket_notice (at);
CREATE TABLE ticket_notice_switch (
    organisation_id BLOB NOT NULL REFERENCES site_organisation (id),
    occasion        TEXT NOT NULL,
    audience        TEXT NOT NULL,
    mail            INTEGER NOT NULL CHECK (mail IN (0, 1)),
    PRIMARY KEY (organisation_id, occasion, audience)
) STRICT;
