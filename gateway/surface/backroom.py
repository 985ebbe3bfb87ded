"""What works behind the surface and remembers, handed to the application as one value. Nothing here decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.store.database import Database
from gateway.webhooks.inbound import Inbound
from gateway.webhooks.publish import Publisher


@dataclass(frozen=True, slots=True)
class Backroom:
    """The store and what writes events into it. `now` gives milliseconds since 1970, `fresh` a new id."""

    database: Database
    publisher: Publisher
    inbound: Inbound
    now: Callable[[], int]
    fresh: Callable[[str], str]
