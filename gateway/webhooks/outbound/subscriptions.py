"""What a subscription may be: its address and its test, and how the stored ones follow the configuration.

Nothing here sends. Whether an address lies where the gateway may go is asked again whenever one is called: behind a
name stands another address tomorrow.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping

from gateway.config import Network, Settings
from gateway.events.envelope import instant, native
from gateway.model.model import Changes
from gateway.store.database import Database, Transaction
from gateway.store.deliveries.probes import NOWHERE
from gateway.store.deliveries.subscriptions import follow_rights, owner_of, sync
from gateway.store.events.events import NewEvent
from gateway.telemetry import logs
from gateway.transport.networks import is_permitted
from gateway.transport.outgoing import target
from gateway.values.errors import MappingFault
from gateway.values.messages import Request

MOST = 100
"""Subscriptions of one caller."""
TEST_EVENT = "webhook.test"
"""The type of the event that a test sends; no other event has it."""
_LONGEST = 2000
_OWN_PORTS = {"https": 443, "http": 80}
_FIRST_FREE_PORT = 1024


def unfit(url: str, allow: Iterable[Network], *, http: bool) -> str | None:
    """Say what is wrong with an address that events shall be posted to; None when it will do.

    `http` lets addresses without TLS pass, `allow` are the private networks that may be called. What is said completes
    a sentence that begins with the field.
    """
    if len(url) > _LONGEST:
        return f"must have at most {_LONGEST} characters"
    try:
        found = target(Request("POST", url))
    except MappingFault:
        return "must be an address such as https://shop.example/hooks, without user, password and fragment"
    if found.scheme != "https" and not http:
        return "must begin with https://"
    port = found.explicit_port
    if port is not None and port < _FIRST_FREE_PORT and port != _OWN_PORTS[found.scheme]:
        return f"must have the usual port, or one from {_FIRST_FREE_PORT} on"
    return None if _may_be_called(found.raw_host or "", [*allow]) else "lies in a network that may not be called"


def _may_be_called(host: str, allow: list[Network]) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True  # a name: what stands behind it is known when it is called
    return is_permitted(host, allow)


def test_event(key: str, subscription: str, changes: Changes, now: int) -> NewEvent:
    """Make the event `key` of a test: it is about the subscription itself, and no connection has it."""
    about = {
        "id": key,
        "event": TEST_EVENT,
        "created_at": instant(now),
        "connection": NOWHERE,
        "provider": "",
        "origin": "gateway",
    }
    data = {"id": subscription, "test": True}
    return NewEvent(key, NOWHERE, "", TEST_EVENT, "gateway", subscription, now, native(about, data, {}, changes))


def allowed_connections(settings: Settings) -> Mapping[str, Collection[str] | None]:
    """Give the connections whose events each owner may be told of, None for all. Who may not read is not in it."""
    return {owner_of(caller.name): caller.connections for caller in settings.callers.values() if "read" in caller.may}


async def settle(database: Database, settings: Settings, now: int) -> None:
    """Bring the stored subscriptions in line with the configuration: its own, and the rights of those of callers.

    To be done whenever a configuration begins to hold, before anything is delivered. Raises StoreUnavailable.
    """

    def work(connection: Transaction) -> list[str]:
        sync(connection, settings.webhooks, now)
        return follow_rights(connection, allowed_connections(settings), now)

    for key in await database.write(work):
        logs.subscription_narrowed(subscription=key)
