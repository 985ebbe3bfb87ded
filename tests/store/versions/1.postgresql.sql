-- A store of version 1 on postgresql, as that version made it, with a few rows. Released: never changed.

CREATE TABLE schema_version (
    version SERIAL NOT NULL,
    applied_at BIGINT,
    PRIMARY KEY (version)
);

CREATE TABLE counters (
    name VARCHAR(32) NOT NULL,
    value BIGINT,
    PRIMARY KEY (name)
);

CREATE TABLE receipts (
    id VARCHAR(40) NOT NULL,
    connection VARCHAR(63) NOT NULL,
    hook VARCHAR(63) NOT NULL,
    dedupe VARCHAR(64) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    received_at BIGINT NOT NULL,
    request BYTEA NOT NULL,
    state VARCHAR(16) NOT NULL,
    reason TEXT,
    origin TEXT,
    repeats INTEGER DEFAULT 0 NOT NULL,
    conflicts INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (connection, hook, dedupe)
);

CREATE INDEX receipts_by_state ON receipts (state, received_at);

CREATE INDEX receipts_by_age ON receipts (received_at);

CREATE TABLE events (
    sequence BIGINT NOT NULL,
    id VARCHAR(40) NOT NULL,
    connection VARCHAR(63) NOT NULL,
    provider VARCHAR(63) NOT NULL,
    type VARCHAR(40) NOT NULL,
    origin VARCHAR(20) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL,
    receipt VARCHAR(40),
    body BYTEA NOT NULL,
    PRIMARY KEY (sequence),
    UNIQUE (id)
);

CREATE INDEX events_by_subject ON events (connection, subject, sequence);

CREATE INDEX events_by_connection ON events (connection, sequence);

CREATE INDEX events_by_age ON events (created_at);

CREATE TABLE subscriptions (
    id VARCHAR(40) NOT NULL,
    owner VARCHAR(80) NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    connections TEXT,
    format VARCHAR(16) NOT NULL,
    schedule TEXT,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until BIGINT,
    state VARCHAR(16) NOT NULL,
    reason TEXT,
    created_at BIGINT NOT NULL,
    failing_since BIGINT,
    last_success_at BIGINT,
    paused_until BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE deliveries (
    id VARCHAR(40) NOT NULL,
    sequence BIGINT NOT NULL,
    event VARCHAR(40) NOT NULL,
    subscription VARCHAR(40) NOT NULL,
    job VARCHAR(40) DEFAULT '' NOT NULL,
    stream VARCHAR(320) NOT NULL,
    state VARCHAR(16) NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    due_at BIGINT NOT NULL,
    lease INTEGER DEFAULT 0 NOT NULL,
    leased_until BIGINT DEFAULT 0 NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    reason TEXT,
    PRIMARY KEY (id),
    UNIQUE (event, subscription, job)
);

CREATE INDEX deliveries_due ON deliveries (subscription, state, due_at);

CREATE INDEX deliveries_by_job ON deliveries (job);

CREATE INDEX deliveries_in_order ON deliveries (subscription, stream, state, sequence);

CREATE INDEX deliveries_by_age ON deliveries (created_at);

CREATE TABLE attempts (
    id BIGSERIAL NOT NULL,
    delivery VARCHAR(40) NOT NULL,
    number INTEGER NOT NULL,
    at BIGINT NOT NULL,
    milliseconds INTEGER NOT NULL,
    outcome VARCHAR(24) NOT NULL,
    status INTEGER,
    excerpt BYTEA,
    PRIMARY KEY (id)
);

CREATE INDEX attempts_by_age ON attempts (at);

CREATE INDEX attempts_by_delivery ON attempts (delivery, number);

CREATE TABLE jobs (
    id VARCHAR(40) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    what TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    total INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (id)
);

CREATE TABLE bookings (
    connection VARCHAR(63) NOT NULL,
    id VARCHAR(255) NOT NULL,
    data BYTEA NOT NULL,
    announced TEXT NOT NULL,
    revision INTEGER NOT NULL,
    starts_at BIGINT,
    ends_at BIGINT,
    seen_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (connection, id)
);

CREATE INDEX bookings_by_end ON bookings (ends_at);

CREATE INDEX bookings_by_start ON bookings (connection, starts_at);

CREATE TABLE watches (
    connection VARCHAR(63) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    complete_at BIGINT,
    due_at BIGINT NOT NULL,
    lease INTEGER DEFAULT 0 NOT NULL,
    leased_until BIGINT DEFAULT 0 NOT NULL,
    reason TEXT,
    PRIMARY KEY (connection)
);

CREATE TABLE feeds (
    id VARCHAR(40) NOT NULL,
    connection VARCHAR(63) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    owner VARCHAR(80) NOT NULL,
    name TEXT NOT NULL,
    resource_id VARCHAR(255),
    show VARCHAR(16),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (digest)
);

CREATE INDEX feeds_by_owner ON feeds (connection, owner);

CREATE TABLE keys (
    owner VARCHAR(80) NOT NULL,
    connection VARCHAR(63) NOT NULL,
    key VARCHAR(255) NOT NULL,
    id VARCHAR(40) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    operation VARCHAR(160) NOT NULL,
    request BYTEA NOT NULL,
    began_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    outcome BYTEA,
    PRIMARY KEY (owner, connection, key),
    UNIQUE (id)
);

CREATE INDEX keys_by_age ON keys (began_at);

INSERT INTO counters (name, value) VALUES ('events', 1);
INSERT INTO receipts (id, connection, hook, dedupe, digest, received_at, request, state)
    VALUES ('rcp_1', 'club', 'events', 'd', 'e', 1700000000000, '\x7b7d', 'mapped');
INSERT INTO events (sequence, id, connection, provider, type, origin, subject, created_at, receipt, body)
    VALUES (1, 'evt_1', 'club', 'example', 'booking.created', 'webhook', 'b1', 1700000000000, 'rcp_1', '\x7b7d');
INSERT INTO subscriptions (id, owner, url, events, format, secret, state, created_at)
    VALUES ('wh_1', 'ada', 'https://x.example', '["*"]', 'native', 's', 'active', 1700000000000);
INSERT INTO deliveries (id, sequence, event, subscription, stream, state, due_at, created_at)
    VALUES ('dlv_1', 1, 'evt_1', 'wh_1', 'club/b1', 'pending', 1700000000000, 1700000000000);
INSERT INTO bookings (connection, id, data, announced, revision, seen_at, changed_at)
    VALUES ('club', 'b1', '\x7b226964223a226231222c22737461747573223a22636f6e6669726d6564227d', '["booking.created"]', 1, 1700000000000, 1700000000000);
INSERT INTO watches (connection, digest, complete_at, due_at) VALUES ('club', 'w', 1700000000000, 1700000060000);
INSERT INTO keys (owner, connection, key, id, fingerprint, operation, request, began_at, until, outcome)
    VALUES ('ada', 'club', 'k', 'op_1', 'f', 'bookings.create', '\x', 1700000000000, 0, '\x7b7d');
