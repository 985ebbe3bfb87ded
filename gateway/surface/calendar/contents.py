"""What a calendar shows: the bookings that the provider lists now, and what the store knows besides.

The live list says what there is. The store adds how often each booking changed, those that are over and that providers
often list no more, and what was learned while the provider was asked. Without a list, the store is all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from gateway.engine.catalog import Connection
from gateway.model.model import arguments
from gateway.store.database import Database
from gateway.store.events.events import KnownState, find, known_between
from gateway.surface.operations.calls import Calls
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

BEFORE = 30
AFTER = 365
"""A calendar shows bookings that begin from so many days ago to so many days ahead, whole days of UTC."""
_DAY = 86_400_000
_LIST = "bookings.list"


@dataclass(frozen=True, slots=True)
class Entry:
    """A booking as the contract tells it, how often it changed, and when last, in milliseconds since 1970."""

    data: Mapping[str, Json]
    revision: int = 0
    changed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Names of services and resources by id, as far as the provider tells them."""

    services: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CalendarContents:
    """Gathers the entries of calendars."""

    calls: Calls
    database: Database

    async def entries(self, request: web.Request, connection: Connection, now: int) -> list[Entry]:
        """Give the bookings of a connection around `now`, milliseconds since 1970.

        Raises GatewayError when the provider does not answer: with less in it, a calendar would lose what is in it.
        """
        today = now - now % _DAY
        start, end = today - BEFORE * _DAY, today + AFTER * _DAY
        rows = await self._list(request, connection, start, end)
        memory = await self.database.read(lambda opened: known_between(opened, connection.name, start, end))
        if rows is None:
            return [_entry(key, one) for key, one in memory.items()]
        live = {row["id"]: row for row in rows}
        elsewhere = live.keys() - memory.keys()  # moved into these days, and the store knows them at others
        memory |= await self.database.read(lambda opened: find(opened, connection.name, elsewhere))
        changes = self.calls.engine.model.changes
        found = {
            key: _entry(key, one)
            for key, one in memory.items()
            if one.changed_at > now or (key not in live and one.data.get(changes.status) in changes.final)
        }
        return [*found.values(), *(_list(row, memory.get(key)) for key, row in live.items() if key not in found)]

    async def names(self, request: web.Request, connection: Connection) -> Names:
        """Give the names of services and resources. Where the provider does not tell them, ids are shown."""
        return Names(
            services=await self._name(request, connection, "services.list"),
            resources=await self._name(request, connection, "resources.list"),
        )

    async def _list(self, request: web.Request, connection: Connection, start: int, end: int) -> list[Json] | None:
        """Ask for the bookings that begin in these days; None where the provider has no list of all of them."""
        plan = connection.provider.operations.get(_LIST)
        if plan is None or not {"from", "to"}.issuperset(plan.requires):
            return None
        operation = self.calls.engine.model.operations[_LIST]
        raw = {"from": _instant(start), "to": _instant(end)}
        raw = {name: value for name, value in raw.items() if name not in plan.unsupported}
        found = arguments(operation, raw, connection.zone)
        reply = await self.calls.run(request, connection, _LIST, {name: found[name] for name in raw})
        rows: list[Json] = reply.data
        return rows

    async def _name(self, request: web.Request, connection: Connection, operation: str) -> dict[str, str]:
        plan = connection.provider.operations.get(operation)
        if plan is None or plan.requires:
            return {}
        try:
            reply = await self.calls.run(request, connection, operation, {})
        except GatewayError:  # a calendar without names is better than none; the call itself is in the log
            return {}
        return {row["id"]: row["name"] for row in reply.data}


def of_resource(entries: Iterable[Entry], resource: str | None) -> list[Entry]:
    """Give the entries that hold this resource, in whole or in one of their items; all for None."""
    return [
        entry
        for entry in entries
        if resource is None
        or entry.data.get("resource_id") == resource
        or any(item.get("resource_id") == resource for item in entry.data.get("items") or ())
    ]


def _entry(key: str, one: KnownState) -> Entry:
    return Entry({**one.data, "id": key}, one.revision, one.changed_at)


def _list(row: Json, one: KnownState | None) -> Entry:
    return Entry(row) if one is None else Entry(row, one.revision, one.changed_at)


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()
