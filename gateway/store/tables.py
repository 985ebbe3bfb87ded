"""The tables of the store, as they are after the last migration. Nothing here makes a statement.

Moments are whole milliseconds since 1970 in UTC. What was received or is sent is kept as bytes: text columns of
PostgreSQL refuse NUL, and JSON columns lose the order of keys.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.store.sql.kinds import FLAG, JSON_BYTES, JSON_LIST, JSON_TEXT, SECRET, UTF8

METADATA = MetaData()
_ROW = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts by itself there

schema_version = Table(
    "schema_version", METADATA, Column("version", Integer, primary_key=True), Column("applied_at", BigInteger)
)
"""One row for each migration that has run."""

counters = Table("counters", METADATA, Column("name", String(32), primary_key=True), Column("value", BigInteger))
"""Numbers that must be given in the order of commits: a sequence of the database may skip back."""

receipts = Table(
    "receipts",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("connection", String(63), nullable=False),
    Column("hook", String(63), nullable=False),
    Column("dedupe", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("origin", Text),
    Column("repeats", Integer, nullable=False, server_default=text("0")),
    Column("conflicts", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("connection", "hook", "dedupe"),
    Index("receipts_by_state", "state", "received_at"),
    Index("receipts_by_age", "received_at"),
)
"""What providers sent: state `mapped`, `ignored` or `dead`. `dedupe`, and `digest` of the body, are SHA-256 in hex."""

events = Table(
    "events",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(40), nullable=False, unique=True),
    Column("connection", String(63), nullable=False),
    Column("provider", String(63), nullable=False),
    Column("type", String(40), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("receipt", String(40)),
    Column("body", LargeBinary, nullable=False),
    Index("events_by_connection", "connection", "sequence"),
    Index("events_by_subject", "connection", "subject", "sequence"),
    Index("events_by_age", "created_at"),
)
"""What happened, in the order in which it was learned. `body` is what every attempt sends, byte for byte."""

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(80), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", JSON_LIST, nullable=False),
    Column("connections", JSON_LIST),
    Column("format", String(16), nullable=False),
    Column("schedule", JSON_LIST),
    Column("secret", SECRET, nullable=False),
    Column("previous_secret", SECRET),
    Column("previous_until", BigInteger),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("failing_since", BigInteger),
    Column("last_success_at", BigInteger),
    Column("paused_until", BigInteger, nullable=False, server_default=text("0")),
)
"""Who is told. `state` is `active`, `disabled` or `removed`; without `connections` of all."""

deliveries = Table(
    "deliveries",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("event", String(40), nullable=False),
    Column("subscription", String(40), nullable=False),
    Column("job", String(40), nullable=False, server_default=text("''")),
    Column("stream", String(320), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("lease", Integer, nullable=False, server_default=text("0")),
    Column("leased_until", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("reason", Text),
    Column("holder", String(40), nullable=False, server_default=text("''")),
    UniqueConstraint("event", "subscription", "job"),
    Index("deliveries_due", "subscription", "state", "due_at"),
    Index("deliveries_in_order", "subscription", "stream", "state", "sequence"),
    Index("deliveries_by_job", "job"),
    Index("deliveries_by_age", "created_at"),
)
"""One event for one subscription: state `pending`, `delivered`, `dead` or `cancelled`. `stream` is connection and
subject: within it order is kept. `lease` counts the claims: only the last one may write the result; `holder` is the
process that made it. `job` is empty, or the replay that made the row."""

attempts = Table(
    "attempts",
    METADATA,
    Column("id", _ROW, primary_key=True, autoincrement=True),
    Column("delivery", String(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("outcome", String(24), nullable=False),
    Column("status", Integer),
    Column("excerpt", LargeBinary),
    Index("attempts_by_delivery", "delivery", "number"),
    Index("attempts_by_age", "at"),
)
"""One try to send a delivery: how it ended (`delivered`, `refused`, `timed_out` …) and an excerpt of the answer."""

processes = Table(
    "processes",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("beats", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
)
"""The gateways at work on this store. `beats` grows as long as one lives; what a dead one held is given back."""

jobs = Table(
    "jobs",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("what", JSON_TEXT, nullable=False),
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)
"""Work that the operator asked for and may watch: replays."""

bookings = Table(
    "bookings",
    METADATA,
    Column("connection", String(63), primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("data", JSON_BYTES, nullable=False),
    Column("announced", JSON_LIST, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("bookings_by_start", "connection", "starts_at"),
    Index("bookings_by_end", "ends_at"),
)
"""What is known of every booking: the last canonical object, the events told of it, how often it changed."""

doubts = Table(
    "doubts",
    METADATA,
    Column("connection", String(63), primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("operation", String(63), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Writes of bookings that are under way, or of which nobody knows whether they were done: `until` then the provider may
still be at it."""

polls = Table(
    "polls",
    METADATA,
    Column("connection", String(63), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("complete_at", BigInteger),
    Column("due_at", BigInteger, nullable=False),
    Column("lease", Integer, nullable=False, server_default=text("0")),
    Column("leased_until", BigInteger, nullable=False, server_default=text("0")),
    Column("reason", Text),
    Column("holder", String(40), nullable=False, server_default=text("''")),
)
"""How far the poll of each connection has come; without `complete_at` nothing is known yet and nothing is told."""

feeds = Table(
    "feeds",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("connection", String(63), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("owner", String(80), nullable=False),
    Column("name", Text, nullable=False),
    Column("resource_id", String(255)),
    Column("show", String(16)),
    Column("created_at", BigInteger, nullable=False),
    Index("feeds_by_owner", "connection", "owner"),
)
"""Calendar feeds: of the token only its SHA-256. A feed that is revoked is gone."""

keys = Table(
    "keys",
    METADATA,
    Column("owner", String(80), primary_key=True),
    Column("connection", String(63), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("operation", String(160), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("outcome", LargeBinary),
    Column("lease", Integer, nullable=False, server_default=text("0")),
    Column("holder", String(40), nullable=False, server_default=text("''")),
    Column("size", Integer, nullable=False, server_default=text("0")),
    Index("keys_by_age", "began_at"),
    Index("keys_by_holder", "holder"),
)
"""Requests with an Idempotency-Key and their answers. Without an outcome the request is under way up to `until`; from
then on it is in doubt, for whoever began it died or could not write. `id` names the request in answers. `lease` counts
its tries: only the last one may write the outcome; `holder` is the process that makes it, empty
once it has ended. `request` is what the caller
sent, and empty once the outcome is known; `size` is how many bytes that and the outcome have."""

links = Table(
    "links",
    METADATA,
    Column("name", String(63), primary_key=True),
    Column("pulled_at", BigInteger),
    Column("pull_reason", Text),
    Column("read_at", BigInteger),
    Column("read_due_at", BigInteger, nullable=False, server_default=text("0")),
    Column("read_reason", Text),
    Column("pushed_at", BigInteger),
    Column("push_due_at", BigInteger, nullable=False, server_default=text("0")),
    Column("push_failures", Integer, nullable=False, server_default=text("0")),
    Column("push_reason", Text),
    Column("cursor", BigInteger),
    Column("lease", Integer, nullable=False, server_default=text("0")),
    Column("leased_until", BigInteger, nullable=False, server_default=text("0")),
    Column("holder", String(40), nullable=False, server_default=text("''")),
)
"""How far each link has come: when the peer last pulled, when the club was last read completely, when the peer was last
told. A `reason` is why the last try failed. `cursor` is the sequence of the last event followed."""

link_slots = Table(
    "link_slots",
    METADATA,
    Column("link", String(63), primary_key=True),
    Column("facility", String(255), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
    Column("available", FLAG, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("told", String(64)),
    Column("told_at", BigInteger),
    Column("parked", String(64)),
    Column("reason", Text),
    Index("link_slots_by_start", "link", "start_at"),
)
"""What is offered to a peer: `state` is the canonical slot as JSON, `digest` its SHA-256 in hex, `seen_at` when the
reading began that gave it. `told` is the digest that the peer took last, `parked` the one that it refused, and why."""

link_days = Table(
    "link_days",
    METADATA,
    Column("link", String(63), primary_key=True),
    Column("facility", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("read_at", BigInteger, nullable=False),
)
"""When the reading began that last gave a whole day (YYYY-MM-DD in the link's zone) of a facility."""

link_bookings = Table(
    "link_bookings",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("link", String(63), nullable=False),
    Column("key", String(64), nullable=False),
    Column("live", String(64)),
    Column("facility", String(255), nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("slot_id", String(255)),
    Column("player", UTF8),
    Column("booking", String(255)),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text),
    Column("reference", String(255)),
    Column("customer", LargeBinary),
    Column("holder", String(40), nullable=False, server_default=text("''")),
    UniqueConstraint("link", "live"),
    Index("link_bookings_by_key", "link", "key"),
    Index("link_bookings_by_reference", "link", "reference"),
    Index("link_bookings_by_time", "link", "facility", "start_at"),
    Index("link_bookings_due", "link", "state", "due_at"),
    Index("link_bookings_by_booking", "link", "booking"),
    Index("link_bookings_by_age", "updated_at"),
)
"""The ledger: what peers asked to book. `player` is the name that the peer gave. `state` is `pending`,
`confirmed`, `cancelling`, `unknown`, `cancelled` or `failed`. `live` is null in the last two, else the key, or the id
of an entry that the club has moved elsewhere. `reference` is the peer's own id of the booking, where it gives one
and the entry still stands for it. `customer` is whom the club was told, as JSON.
`holder` is the process that is about it, empty where none is."""
