"""What the surface is built on, handed to it as one value by the application root. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.engine.engine import Engine
from gateway.engine.sessions.logins import Logins
from gateway.events.publisher import Publisher
from gateway.events.recorded_calls import RecordedCalls
from gateway.links.links import Links
from gateway.store.database import Database
from gateway.surface.events.stream import Pace
from gateway.surface.idempotency.idempotency import Share
from gateway.webhooks.inbound.receiver import Receiver


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often and how much, where neither the configuration nor a mapping says it."""

    stream: Pace = field(default_factory=Pace)
    calendar_age: int = 300
    """Seconds after which a calendar feed is made anew."""
    keys: Share | None = None
    """What the Idempotency-Keys of one caller may use; None for what suits the store."""


@dataclass(frozen=True, slots=True, repr=False)  # it would print every mapping
class Dependencies:
    """The engine, the store, what writes events into it, and what answers marketplaces.

    `now` gives milliseconds since 1970, `fresh` a new id with this prefix, `token_bytes` so many bytes that nobody can
    guess. Without `links` nothing is sold: whoever asks is told so. Without `logins` no person can log in anywhere.
    """

    engine: Engine
    database: Database
    publisher: Publisher
    recorded_calls: RecordedCalls
    receiver: Receiver
    now: Callable[[], int]
    fresh: Callable[[str], str]
    token_bytes: Callable[[int], bytes]
    links: Links | None = None
    logins: Logins | None = None
    bounds: Bounds = field(default_factory=Bounds)
