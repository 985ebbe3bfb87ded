"""Who is told of events: subscriptions made by callers and named by the configuration, and how their endpoints fare.

Plain functions of a connection. Moments are milliseconds since 1970. Nothing here sends, or knows what a caller may do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, update

from gateway.config import WebhookSettings
from gateway.store.deliveries.probes import NOWHERE
from gateway.store.sql.records import Record
from gateway.store.sql.statements import insert_new
from gateway.store.tables import deliveries, events, subscriptions
from gateway.values.secrets import Secret

CONFIG = "config"
"""The owner of the subscriptions that the configuration names; those of callers are named by `owner_of`."""
ACTIVE = "active"
DISABLED = "disabled"
REMOVED = "removed"
OVERLAP = 24 * 3_600_000
"""How long the former secret signs beside the new one, in milliseconds."""
_CALLER = "caller:"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription as it is stored. `connections` is None for all of them, `schedule` for the usual one."""

    id: str
    owner: str
    url: str
    events: tuple[str, ...]
    connections: tuple[str, ...] | None
    format: str
    secret: Secret
    created_at: int
    schedule: tuple[float, ...] | None = None
    """Seconds between one attempt and the next."""
    previous_secret: Secret | None = None
    previous_until: int | None = None
    state: str = ACTIVE
    reason: str | None = None
    failing_since: int | None = None
    last_success_at: int | None = None
    paused_until: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an endpoint has not taken: pending deliveries, since when the oldest waits, and those given up."""

    pending: int = 0
    dead: int = 0
    oldest_at: int | None = None


def owner_of(caller: str) -> str:
    """Give the owner of what this caller subscribes: never `config`, whatever the caller's name is."""
    return _CALLER + caller


def add(connection: Connection, made: Subscription, most: int) -> bool:
    """Keep a new subscription; False when its owner has `most` of them."""
    if len(of_owners(connection, [made.owner])) >= most:
        return False
    insert_new(connection, subscriptions, _SUBSCRIPTIONS.values(made))
    return True


def of_owners(connection: Connection, owners: Collection[str]) -> list[Subscription]:
    """Give the subscriptions of these owners, the oldest first."""
    return _find(connection, subscriptions.c.owner.in_(list(owners)))


def every(connection: Connection) -> list[Subscription]:
    """Give all subscriptions, the oldest first."""
    return _find(connection, None)


def active(connection: Connection, key: str) -> Subscription | None:
    """Give a subscription that is active, paused or not; None when there is none."""
    return _SUBSCRIPTIONS.first(connection, _ACTIVE, {"id": key, "state": ACTIVE})


def one(connection: Connection, key: str, owners: Collection[str] | None = None) -> Subscription | None:
    """Give a subscription of one of these owners, or of anybody; None when there is none."""
    mine = subscriptions.c.id == key
    rows = _find(connection, mine if owners is None else and_(mine, subscriptions.c.owner.in_(list(owners))))
    return rows[0] if rows else None


def change(connection: Connection, key: str, changes: Mapping[str, Any]) -> None:
    """Change `url`, `events`, `connections` or `format`. Every attempt from now on goes by the new values."""
    if changes:
        connection.execute(update(subscriptions).where(_keep(key)).values(**changes))


def disable(connection: Connection, key: str, reason: str) -> None:
    """Send nothing more, and say why. What is pending stays so; of new events it hears by a replay only."""
    wanted = (subscriptions.c.id == key) & (subscriptions.c.state == ACTIVE)
    connection.execute(update(subscriptions).where(wanted).values(state=DISABLED, reason=reason))


def enable(connection: Connection, key: str) -> None:
    """Send again, what is pending as well: the endpoint counts as sound until it fails anew."""
    values = {"state": ACTIVE, "reason": None, "failing_since": None, "paused_until": 0}
    connection.execute(update(subscriptions).where(_keep(key)).values(**values))


def remove(connection: Connection, key: str, reason: str, now: int) -> None:
    """Remove a subscription with its secrets; what is pending for it is cancelled, and stays to be seen."""
    values = {"state": REMOVED, "reason": reason, "secret": Secret(""), "previous_secret": None, "previous_until": None}
    connection.execute(update(subscriptions).where(subscriptions.c.id == key).values(**values))
    _cancel(connection, deliveries.c.subscription == key, reason, now)


def rotate(connection: Connection, key: str, secret: Secret, until: int) -> None:
    """Sign with a new secret; with the former one as well until that moment."""
    values = {"secret": secret, "previous_secret": subscriptions.c.secret, "previous_until": until}
    connection.execute(update(subscriptions).where(_keep(key)).values(**values))


def configured_id(url: str) -> str:
    """Give the id of a subscription of the configuration: always the same for its address."""
    return f"wh_{hashlib.sha256(url.encode()).hexdigest()[:32]}"


def sync(connection: Connection, wanted: Sequence[WebhookSettings], now: int) -> None:
    """Make the configuration's subscriptions what the configuration says now.

    What is new is added and what changed is changed; what it names no longer is removed. A changed secret is followed
    by an overlap with the former one. What was disabled stays so.
    """
    for one_wanted in wanted:
        _sync(connection, one_wanted, now)
    kept = {configured_id(one_wanted.url) for one_wanted in wanted}
    for gone in of_owners(connection, [CONFIG]):
        if gone.id not in kept:
            remove(connection, gone.id, "the configuration names it no longer", now)


def _sync(connection: Connection, wanted: WebhookSettings, now: int) -> None:
    """Make one subscription of the configuration what it says now."""
    key, secret = configured_id(wanted.url), wanted.secret
    values = {
        "events": wanted.events,
        "connections": wanted.connections,
        "format": wanted.format,
        "schedule": wanted.schedule,
    }
    new = {"id": key, "owner": CONFIG, "url": wanted.url, "state": ACTIVE, "created_at": now, **values}
    if insert_new(connection, subscriptions, {**new, "secret": secret}):
        return
    mine = subscriptions.c.id == key
    before = connection.execute(select(subscriptions.c.secret, subscriptions.c.state).where(mine)).one()
    connection.execute(update(subscriptions).where(mine).values(**values))
    if before.state == REMOVED:  # it has no secret any more
        again = {"state": ACTIVE, "reason": None, "failing_since": None, "paused_until": 0, "created_at": now}
        connection.execute(update(subscriptions).where(mine).values(**again, secret=secret))
    elif before.secret != secret:
        rotate(connection, key, secret, now + OVERLAP)


def follow_rights(connection: Connection, allowed: Mapping[str, Collection[str] | None], now: int) -> list[str]:
    """Bring callers' subscriptions down to what each owner may read now; gives the ids of those that changed.

    `allowed` has the connections of every caller who may read, by owner; None for all of them. A subscription whose
    owner may read none of its connections is disabled; what is pending of a connection that is lost is cancelled.
    Nothing is ever widened.
    """
    changed = []
    for found in every(connection):
        if found.owner == CONFIG or (found.owner in allowed and allowed[found.owner] is None):
            continue
        mine = allowed.get(found.owner) or ()
        kept = tuple(name for name in (found.connections or sorted(mine)) if name in mine)
        if kept == found.connections:
            continue
        if kept:
            changed.append(found.id)
            change(connection, found.id, {"connections": kept})
        elif found.state == ACTIVE:
            changed.append(found.id)
            disable(connection, found.id, "its owner may no longer read what it is about")
        lost = events.c.connection.not_in([*kept, NOWHERE]) & (events.c.sequence == deliveries.c.sequence)
        which = (deliveries.c.subscription == found.id) & exists().where(lost)
        _cancel(connection, which, "its owner may no longer read this connection", now)
    return changed


def backlogs(connection: Connection, keys: Iterable[str]) -> dict[str, Backlog]:
    """Give what these subscriptions' endpoints have not taken, by id; without an entry there is nothing."""
    columns = (deliveries.c.subscription, deliveries.c.state, func.count(), func.min(deliveries.c.created_at))
    wanted = deliveries.c.subscription.in_(list(keys)) & deliveries.c.state.in_(["pending", "dead"])
    found: dict[str, Backlog] = {}
    for row in connection.execute(select(*columns).where(wanted).group_by(*columns[:2])):
        key, state, count, oldest = row
        known = found.get(key, Backlog())
        if state == "pending":
            found[key] = Backlog(count, known.dead, oldest)
        else:
            found[key] = Backlog(known.pending, count, known.oldest_at)
    return found


def _keep(key: str) -> ColumnElement[bool]:
    """Say that a row is this subscription, and that it is not removed."""
    return (subscriptions.c.id == key) & (subscriptions.c.state != REMOVED)


def _cancel(connection: Connection, which: ColumnElement[bool], reason: str, now: int) -> None:
    values = {"state": "cancelled", "finished_at": now, "reason": reason}
    connection.execute(update(deliveries).where(which, deliveries.c.state == "pending").values(**values))


def _find(connection: Connection, which: ColumnElement[bool] | None) -> list[Subscription]:
    wanted = _SUBSCRIPTIONS.select(subscriptions.c.state != REMOVED)
    if which is not None:
        wanted = wanted.where(which)
    return _SUBSCRIPTIONS.all(connection, wanted.order_by(subscriptions.c.created_at, subscriptions.c.id))


_SUBSCRIPTIONS = Record(subscriptions, Subscription)
_ACTIVE = _SUBSCRIPTIONS.by("id", "state")
