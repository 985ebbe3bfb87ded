"""Deliveries at work: which are due, claimed under a lease, how an attempt ended, and what that says of the endpoint.

Plain functions of a connection; moments and spans are milliseconds. Deliveries are claimed as `sql/leases.py` has it.
While one is pending, claimed or not, the later ones of its stream wait. Nothing here sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from gateway.store.deliveries.subscriptions import ACTIVE, REMOVED, Subscription, active
from gateway.store.sql.constant import Constant
from gateway.store.sql.leases import Leases
from gateway.store.sql.records import Record
from gateway.store.sql.statements import change
from gateway.store.tables import attempts, deliveries, events, subscriptions

PENDING = "pending"
DELIVERED = "delivered"
DEAD = "dead"
CANCELLED = "cancelled"
LONGEST_WAIT = 24 * 3_600_000
"""Nothing is ever made due later than this. What is due later all the same was written by a clock that was wrong."""
_FRESH = 1_000
"""How old the moment of the last success may be before it is written again: not with every delivery."""


@dataclass(frozen=True, slots=True)
class DueSubscription:
    """A subscription with work to do. `failing` since its last success."""

    subscription: str
    failing: bool


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery in the hands of one dispatcher, with its endpoint and event as they are now."""

    id: str
    lease: int
    attempts: int
    """How many were made and recorded before."""
    job: str
    """Empty, or the replay or test that it is part of."""
    created_at: int
    event: str
    body: bytes
    endpoint: Subscription


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try as it is kept. `status` is None without an answer; `excerpt` is the beginning of the answer's body."""

    number: int
    at: int
    milliseconds: int
    outcome: str
    status: int | None
    excerpt: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of a delivery: `pending` again at `due_at`, or finished; `reason` says why it is not delivered."""

    state: str
    due_at: int
    reason: str | None = None


def due(connection: Connection, now: int) -> list[DueSubscription]:
    """Give the active subscriptions, unless they are paused, with a delivery that can be claimed now."""
    return [DueSubscription(key, since is not None) for key, since in _DUE.rows(connection, {"now": now})]


def next_due(connection: Connection, now: int) -> int | None:
    """Give the next moment after now at which a delivery becomes due or a pause ends; None when nothing waits.

    Leases that run out are not told of: whoever holds one is expected to finish.
    """
    rows = _NEXT.rows(connection, {"now": now})
    return min((moment for row in rows for moment in row if moment is not None and moment > now), default=None)


def claim(
    connection: Connection, subscription: str, now: int, lease: int, most: int, holder: str = ""
) -> list[ClaimedDelivery]:
    """Take due deliveries of a subscription, those due first, at most so many; until `now + lease` nobody else can.

    Only the head of each stream is taken. Gateways that claim at the same time never get the same delivery. `holder` is
    the process that takes them.
    """
    endpoint = active(connection, subscription)
    if endpoint is None or endpoint.paused_until > now:
        return []
    rows = LEASES.claim(connection, {"subscription": subscription}, now, now + lease, holder, most)
    return [ClaimedDelivery(*(*row[2:], endpoint)) for row in sorted(rows, key=itemgetter(0, 1))]


def record(connection: Connection, claimed: ClaimedDelivery, attempt: Attempt, result: Result) -> bool:
    """Keep an attempt, and its result when the lease still holds; False when it was lost and nothing else changed."""
    ATTEMPTS.add(connection, attempt, delivery=claimed.id)
    return finish(connection, claimed, result, attempt.at + attempt.milliseconds, made=attempt.number)


def finish(
    connection: Connection, claimed: ClaimedDelivery, result: Result, now: int, *, made: int | None = None
) -> bool:
    """Say what becomes of a claimed delivery; False, and nothing changes, when the lease is lost or it is finished."""
    values = {
        "state": result.state,
        "attempts": claimed.attempts if made is None else made,
        "due_at": result.due_at,
        "leased_until": 0,
        "finished_at": None if result.state == PENDING else now,
        "reason": result.reason,
    }
    return LEASES.write(connection, claimed.id, claimed.lease, values)


def release(connection: Connection, claims: Iterable[ClaimedDelivery]) -> None:
    """Give claims back: what is still held and pending can be claimed by anybody at once."""
    for claimed in claims:
        LEASES.release(connection, claimed.id, claimed.lease)


def succeeded(connection: Connection, subscription: str, now: int) -> None:
    """Note that an endpoint took a delivery: it counts as sound. Written once a second at most."""
    if _UNTOLD.row(connection, {"id": subscription, "now": now}) is not None:
        change(connection, subscriptions, {"id": subscription}, {"failing_since": None, "last_success_at": now})


def failed(connection: Connection, subscription: str, now: int) -> int:
    """Note that an endpoint did not take a delivery; gives since when it has taken none."""
    mine = subscriptions.c.id == subscription
    if _lock(connection, subscription, subscriptions.c.failing_since.is_(None)):
        connection.execute(update(subscriptions).where(mine).values(failing_since=now))
    since: int | None = connection.execute(select(subscriptions.c.failing_since).where(mine)).scalar_one()
    return now if since is None else since


def pause(connection: Connection, subscription: str, until: int) -> None:
    """Claim nothing of a subscription before `until`, at most LONGEST_WAIT from now. A longer pause stays."""
    if _lock(connection, subscription, subscriptions.c.paused_until < until):
        mine = subscriptions.c.id == subscription
        connection.execute(update(subscriptions).where(mine).values(paused_until=until))


def cancel(connection: Connection, subscription: str, reason: str, now: int) -> int:
    """Cancel what is pending for a subscription and give how much it was; what is under way is not told of any more."""
    mine = (deliveries.c.subscription == subscription) & (deliveries.c.state == PENDING)
    values = {"state": CANCELLED, "finished_at": now, "reason": reason}
    return connection.execute(update(deliveries).where(mine).values(**values)).rowcount


def expire(connection: Connection, before: int, now: int) -> int:
    """Give up what was made before a moment and is pending for a subscription that is disabled; gives how much."""
    off = select(subscriptions.c.id).where(subscriptions.c.state.not_in([ACTIVE, REMOVED]))
    old = and_(deliveries.c.subscription.in_(off), deliveries.c.state == PENDING, deliveries.c.created_at < before)
    values = {"state": DEAD, "finished_at": now, "reason": "its subscription was disabled for too long"}
    return connection.execute(update(deliveries).where(old).values(**values)).rowcount


def mend(connection: Connection, now: int, lease: int) -> None:
    """Put right what no clock that is right can have written, and cancel what is pending for removed subscriptions.

    What is due, paused or leased beyond every wait there is, is due at once. A lease is left two times as long as it
    may be, for the clocks of two gateways differ.
    """
    columns = deliveries.c
    known = select(subscriptions.c.id)  # the index of what is pending begins with the subscription
    pending = and_(columns.subscription.in_(known), columns.state == PENDING)
    late, held = columns.due_at > now + 2 * LONGEST_WAIT, columns.leased_until > now + 2 * lease
    values = {
        "due_at": case((late, now), else_=columns.due_at),
        "leased_until": case((held, 0), else_=columns.leased_until),
    }
    connection.execute(update(deliveries).where(pending, or_(late, held)).values(**values))
    endless = subscriptions.c.paused_until > now + 2 * LONGEST_WAIT
    connection.execute(update(subscriptions).where(endless).values(paused_until=0))
    for key in connection.scalars(known.where(subscriptions.c.state == REMOVED)).all():
        cancel(connection, key, "the subscription was removed", now)


def restart_health(connection: Connection, now: int) -> None:
    """Count from now how long endpoints have been failing: the clock was put forward or back."""
    failing = subscriptions.c.failing_since.is_not(None)
    connection.execute(update(subscriptions).where(failing).values(failing_since=now))


def _lock(connection: Connection, subscription: str, condition: ColumnElement[bool]) -> bool:
    """Lock a subscription if the condition holds; False as well when another gateway is writing it just now.

    Nobody waits for a lock here: groups of writes that wait for one another's rows would end in a deadlock.
    """
    wanted = and_(subscriptions.c.id == subscription, condition)
    found = select(subscriptions.c.id).where(wanted).with_for_update(skip_locked=True)
    return connection.execute(found).first() is not None


def _claimable() -> ColumnElement[bool]:
    """Say that a delivery is open and the head of its stream: the index `deliveries_in_order` knows the first."""
    mine, other = deliveries.c, deliveries.alias("others").c
    same = (other.subscription == mine.subscription, other.stream == mine.stream, other.state == PENDING)
    head = select(func.min(other.sequence)).where(*same).correlate(deliveries).scalar_subquery()
    now = bindparam("now", type_=BigInteger)
    return and_(mine.state == PENDING, mine.due_at <= now, mine.leased_until <= now, mine.sequence == head)


def _later() -> ScalarSelect[Any]:
    """Choose when the next delivery of a subscription becomes due."""
    mine = (deliveries.c.subscription == subscriptions.c.id, deliveries.c.state == PENDING)
    found = select(func.min(deliveries.c.due_at)).where(*mine, deliveries.c.due_at > bindparam("now"))
    return found.correlate(subscriptions).scalar_subquery()


_BODY = select(events.c.body).where(events.c.id == deliveries.c.event).correlate(deliveries).scalar_subquery()
_CLAIMED = ("due_at", "sequence", "id", "lease", "attempts", "job", "created_at", "event")
LEASES = Leases(
    deliveries.c.id,
    free=and_(deliveries.c.subscription == bindparam("subscription"), _claimable()),
    given=[*(deliveries.c[name] for name in _CLAIMED), _BODY],
    # By nothing else: with a further column thousands that became due together were sorted to take a few.
    order=deliveries.c.due_at,
    open_=deliveries.c.state == PENDING,
)
ATTEMPTS = Record(attempts, Attempt, also=["delivery"])
_DUE = Constant(
    select(subscriptions.c.id, subscriptions.c.failing_since)
    .where(
        subscriptions.c.state == ACTIVE,
        subscriptions.c.paused_until <= bindparam("now"),
        exists().where(deliveries.c.subscription == subscriptions.c.id, _claimable()),
    )
    .order_by(subscriptions.c.id)
)
_NEXT = Constant(select(_later(), subscriptions.c.paused_until).where(subscriptions.c.state == ACTIVE))
_NOW = bindparam("now", type_=BigInteger)
_RECENT = subscriptions.c.last_success_at.between(_NOW - _FRESH, _NOW)
_UNTOLD = Constant(
    select(subscriptions.c.id)
    .where(
        subscriptions.c.id == bindparam("id"),
        or_(subscriptions.c.failing_since.is_not(None), subscriptions.c.last_success_at.is_(None), ~_RECENT),
    )
    .with_for_update(skip_locked=True)
)
