"""What works behind the surface, and remembers or sells, handed to the application as one value. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.events.publisher import Publisher
from gateway.links.links import Links
from gateway.store.database import Database
from gateway.webhooks.inbound.receiver import Inbound


@dataclass(frozen=True, slots=True, repr=False)  # it would print every mapping
class Dependencies:
    """The store, what writes events into it, and what answers marketplaces.

    `now` gives milliseconds since 1970, `fresh` a new id. Without `links` nothing is sold: whoever asks is told so.
    """

    database: Database
    publisher: Publisher
    inbound: Inbound
    now: Callable[[], int]
    fresh: Callable[[str], str]
    links: Links | None = None
