-- What version 2 added on postgresql, as that version made it, with a row. Released: never changed.

CREATE TABLE links (
    name VARCHAR(63) NOT NULL,
    pulled_at BIGINT,
    pull_reason TEXT,
    read_at BIGINT,
    read_due_at BIGINT DEFAULT 0 NOT NULL,
    read_reason TEXT,
    pushed_at BIGINT,
    push_due_at BIGINT DEFAULT 0 NOT NULL,
    push_failures INTEGER DEFAULT 0 NOT NULL,
    push_reason TEXT,
    cursor BIGINT,
    lease INTEGER DEFAULT 0 NOT NULL,
    leased_until BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE link_slots (
    link VARCHAR(63) NOT NULL,
    facility VARCHAR(255) NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    available INTEGER NOT NULL,
    state BYTEA NOT NULL,
    digest VARCHAR(64) NOT NULL,
    seen_at BIGINT NOT NULL,
    told VARCHAR(64),
    told_at BIGINT,
    parked VARCHAR(64),
    reason TEXT,
    PRIMARY KEY (link, facility, start_at)
);

CREATE INDEX link_slots_by_start ON link_slots (link, start_at);

CREATE TABLE link_days (
    link VARCHAR(63) NOT NULL,
    facility VARCHAR(255) NOT NULL,
    day VARCHAR(10) NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (link, facility, day)
);

CREATE TABLE link_bookings (
    id VARCHAR(40) NOT NULL,
    link VARCHAR(63) NOT NULL,
    key VARCHAR(64) NOT NULL,
    live VARCHAR(64),
    facility VARCHAR(255) NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    slot_id VARCHAR(255),
    player BYTEA,
    booking VARCHAR(255),
    state VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    tries INTEGER DEFAULT 0 NOT NULL,
    reason TEXT,
    PRIMARY KEY (id),
    UNIQUE (link, live)
);

CREATE INDEX link_bookings_by_age ON link_bookings (updated_at);

CREATE INDEX link_bookings_by_booking ON link_bookings (link, booking);

CREATE INDEX link_bookings_by_key ON link_bookings (link, key);

CREATE INDEX link_bookings_by_time ON link_bookings (link, facility, start_at);

CREATE INDEX link_bookings_due ON link_bookings (link, state, due_at);

INSERT INTO link_bookings (id, link, key, live, facility, start_at, end_at, state, created_at, updated_at, until, due_at) VALUES ('lnk_1', 'court', 'k', 'k', '1', 1800003600000, 1800007200000, 'confirmed', 1800000000000, 1800000000000, 1800000000000, 1800000000000);
