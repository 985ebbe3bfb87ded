"""Replays: events of the past made due again, as jobs that can be watched and cancelled. Nothing here sends.

Plain functions of a connection. A job makes its deliveries in batches in the order of the events, and notes behind
which event the next batch begins: whoever runs it, and however often it is begun anew, makes each of them once. Its
deliveries have streams of their own: a replay that fails keeps nothing new waiting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from operator import eq, ge, le, lt
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, or_, select, update

from gateway.store.deliveries.probes import NOWHERE
from gateway.store.deliveries.subscriptions import ACTIVE
from gateway.store.events.events import wants
from gateway.store.tables import deliveries, events, jobs, subscriptions

REPLAY = "replay"
RUNNING = "running"
DONE = "done"
CANCELLED = "cancelled"
_DEAD = "dead"


@dataclass(frozen=True, slots=True)
class ReplaySelection:
    """What to replay: one event, a range of moments or of sequence numbers, or with `dead` what was given up.

    Bounds are included, but `until`. `subscription` and `connection` narrow it down; None for all. Nobody is sent what
    the filters of the subscription do not let through now.
    """

    event: str | None = None
    since: int | None = None
    until: int | None = None
    first: int | None = None
    last: int | None = None
    dead: bool = False
    subscription: str | None = None
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One replay. `total` is how many deliveries it is to make, `counts` how many are in which state."""

    id: str
    state: str
    wanted: ReplaySelection
    total: int
    created_at: int
    finished_at: int | None = None
    after: int = 0
    """The sequence number behind which its next batch begins."""
    upto: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


def begin(connection: Connection, key: str, wanted: ReplaySelection, now: int) -> Job:
    """Begin a replay of what there is now, and count what it will make."""
    bounds = select(func.min(_SEQUENCE), func.max(_SEQUENCE)).where(*_which(connection, wanted))
    first, last = connection.execute(bounds).one()
    job = Job(key, RUNNING, wanted, 0, now, after=(first or 1) - 1, upto=last or 0)
    job = replace(job, total=sum(_count(connection, job)))
    values = {"id": key, "kind": REPLAY, "state": RUNNING, "total": job.total, "created_at": now, "what": _what(job)}
    connection.execute(insert(jobs).values(**values))
    return job


def is_known(connection: Connection, event: str) -> bool:
    """Tell whether an event of this id is kept; a test is none."""
    return (
        connection.execute(select(events.c.id).where(*_which(connection, ReplaySelection(event)))).first() is not None
    )


def advance(
    connection: Connection, key: str, now: int, fresh: Callable[[str], str], batch: int, most: int
) -> Job | None:
    """Make the next deliveries of a running replay: of `batch` events, unless `most` are pending still.

    Once all are made and none is pending, it is done. None when it does not run, or another gateway is at it just now.
    """
    mine = (jobs.c.id == key) & (jobs.c.state == RUNNING)
    # Nobody waits for a lock: groups of writes that wait for one another's rows would end in a deadlock.
    row = connection.execute(select(jobs).where(mine).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    job = _job(row, _counts(connection, key))
    pending = job.counts.get("pending", 0)
    if pending >= most:
        return job
    if job.after >= job.upto:
        return job if pending else _end(connection, job, DONE, now)
    made, after = _batch(connection, job, now, fresh, batch)
    if made:
        connection.execute(insert(deliveries), made)
    job = replace(job, after=after)
    connection.execute(update(jobs).where(jobs.c.id == key).values(what=_what(job)))
    return job


def cancel(connection: Connection, key: str, now: int) -> bool:
    """End a running replay: what is pending of it is not sent. False when it does not run."""
    row = connection.execute(select(jobs).where(jobs.c.id == key).with_for_update()).one_or_none()
    if row is None or row.state != RUNNING:
        return False
    mine = (deliveries.c.job == key) & (deliveries.c.state == "pending")
    values = {"state": CANCELLED, "finished_at": now, "reason": "the replay was cancelled"}
    connection.execute(update(deliveries).where(mine).values(**values))
    _end(connection, _job(row, _counts(connection, key)), CANCELLED, now)
    return True


def job(connection: Connection, key: str) -> Job | None:
    """Give a replay; None when there is none."""
    row = connection.execute(select(jobs).where(jobs.c.id == key)).one_or_none()
    return None if row is None else _job(row, _counts(connection, key))


def running(connection: Connection) -> list[str]:
    """Give the ids of the replays that run, the oldest first."""
    wanted = select(jobs.c.id).where(jobs.c.state == RUNNING).order_by(jobs.c.created_at, jobs.c.id)
    return list(connection.scalars(wanted))


def newest(connection: Connection, before: tuple[int, str] | None, most: int) -> list[Job]:
    """Give the newest replays that began before this moment and id, so many at most."""
    wanted = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(most)
    if before is not None:
        at, key = before
        wanted = wanted.where(or_(jobs.c.created_at < at, and_(jobs.c.created_at == at, jobs.c.id < key)))
    return [_job(row, _counts(connection, row.id)) for row in connection.execute(wanted).all()]


def forget(connection: Connection, before: int) -> int:
    """Drop the replays that ended before a moment, and give how many."""
    ended = jobs.c.finished_at.is_not(None) & (jobs.c.finished_at < before)
    return connection.execute(jobs.delete().where(ended)).rowcount


def _which(connection: Connection, wanted: ReplaySelection) -> Iterator[ColumnElement[bool]]:
    """Say which events a replay is about."""
    yield events.c.connection != NOWHERE
    for column, compared, value in (
        (events.c.id, eq, wanted.event),
        (events.c.created_at, ge, wanted.since),
        (events.c.created_at, lt, wanted.until),
        (_SEQUENCE, ge, wanted.first),
        (_SEQUENCE, le, wanted.last),
        (events.c.connection, eq, wanted.connection),
    ):
        if value is not None:
            yield compared(column, value)
    if wanted.dead:
        yield events.c.id.in_(_given_up([reader.id for reader in _readers(connection, wanted)], deliveries.c.event))


def _given_up(readers: list[str], *columns: ColumnElement[Any]) -> Select[Any]:
    """Choose the deliveries that were given up, unless the same event was sent to the same endpoint since."""
    since = deliveries.alias("since")
    same = and_(since.c.event == deliveries.c.event, since.c.subscription == deliveries.c.subscription)
    later = and_(since.c.created_at >= deliveries.c.created_at, since.c.state.in_(["delivered", "pending"]))
    again = select(since.c.id).where(same, later).exists()
    return select(*columns).where(deliveries.c.subscription.in_(readers), deliveries.c.state == _DEAD, ~again)


def _readers(connection: Connection, wanted: ReplaySelection) -> list[Row[Any]]:
    """Give the active subscriptions that a replay is for, with their filters."""
    columns = (subscriptions.c.id, subscriptions.c.events, subscriptions.c.connections)
    found = select(*columns).where(subscriptions.c.state == ACTIVE).order_by(subscriptions.c.id)
    if wanted.subscription is not None:
        found = found.where(subscriptions.c.id == wanted.subscription)
    return list(connection.execute(found))


def _count(connection: Connection, job: Job) -> Iterator[int]:
    """Count the deliveries to make, kind by kind of event: there are few kinds, and may be many events."""
    readers = _readers(connection, job.wanted)
    kind = (events.c.type, events.c.connection)
    if not job.wanted.dead:
        grouped = select(*kind, func.count()).where(*_which(connection, job.wanted)).group_by(*kind)
        for type_, name, count in connection.execute(grouped):
            yield count * sum(wants(reader.events, reader.connections, type_, name) for reader in readers)
        return
    whose = deliveries.c.subscription
    given_up = _given_up([reader.id for reader in readers], whose, *kind, func.count(deliveries.c.event.distinct()))
    joined = given_up.join_from(deliveries, events, deliveries.c.event == events.c.id)
    rows = connection.execute(joined.where(*_which(connection, job.wanted)).group_by(whose, *kind))
    filters = {reader.id: reader for reader in readers}
    for key, type_, name, count in rows:
        yield count if wants(filters[key].events, filters[key].connections, type_, name) else 0


def _batch(
    connection: Connection, job: Job, now: int, fresh: Callable[[str], str], batch: int
) -> tuple[list[dict[str, Any]], int]:
    """Give the rows of the next deliveries, and behind which event the batch after them begins."""
    columns = (_SEQUENCE, events.c.id, events.c.connection, events.c.type, events.c.subject)
    bounds = (job.after < _SEQUENCE, job.upto >= _SEQUENCE)
    found = select(*columns).where(*_which(connection, job.wanted), *bounds).order_by(_SEQUENCE).limit(batch)
    rows = connection.execute(found).all()
    readers = _readers(connection, job.wanted)
    whose = (deliveries.c.event, deliveries.c.subscription)
    dead: set[tuple[str, str]] = set()
    if job.wanted.dead:
        mine = _given_up([reader.id for reader in readers], *whose).where(whose[0].in_([row.id for row in rows]))
        dead = {(event, key) for event, key in connection.execute(mine)}
    made = [
        _delivery(row, reader.id, job.id, fresh("dlv"), now)
        for row in rows
        for reader in readers
        if wants(reader.events, reader.connections, row.type, row.connection)
        and (not job.wanted.dead or (row.id, reader.id) in dead)
    ]
    return made, rows[-1].sequence if len(rows) == batch else job.upto


def _delivery(event: Any, subscription: str, job: str, key: str, now: int) -> dict[str, Any]:
    about = hashlib.sha256(f"{event.connection}/{event.subject}".encode()).hexdigest()[:32]
    return {
        "id": key,
        "sequence": event.sequence,
        "event": event.id,
        "subscription": subscription,
        "job": job,
        "stream": f"{job}/{about}",
        "state": "pending",
        "due_at": now,
        "created_at": now,
    }


def _end(connection: Connection, job: Job, state: str, now: int) -> Job:
    """End a replay and keep its counts: the deliveries themselves are dropped some day."""
    ended = replace(job, state=state, finished_at=now, counts=_counts(connection, job.id))
    values = {"state": state, "finished_at": now, "what": _what(ended)}
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values))
    return ended


def _counts(connection: Connection, key: str) -> dict[str, int]:
    state = deliveries.c.state
    grouped = select(state, func.count()).where(deliveries.c.job == key).group_by(state)
    return {row[0]: row[1] for row in connection.execute(grouped)}


def _what(job: Job) -> dict[str, Any]:
    told = {"wanted": asdict(job.wanted), "after": job.after, "upto": job.upto}
    return told | ({"counts": dict(job.counts)} if job.finished_at is not None else {})


def _job(row: Row[Any], counts: Mapping[str, int]) -> Job:
    what = row.what
    wanted = ReplaySelection(**what["wanted"])
    told = what.get("counts", counts)
    return Job(row.id, row.state, wanted, row.total, row.created_at, row.finished_at, what["after"], what["upto"], told)


_SEQUENCE = events.c.sequence
