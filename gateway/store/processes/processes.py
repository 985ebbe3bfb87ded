"""Which gateways are at work on the store, and what the dead ones held. Plain functions of a connection.

A process has a row and counts its `beats` up. Others watch that number and no clock: the clocks of two machines differ,
and one may be put forward. What is given back can be claimed at once; a process that was only paused finds that its
claims are counted past, as after any lease that ran out. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from gateway.store.deliveries.deliveries import LEASES, PENDING
from gateway.store.events import polls
from gateway.store.links import links
from gateway.store.sessions import tokens
from gateway.store.sql.statements import insert_new
from gateway.store.tables import deliveries, keys, link_bookings, processes, subscriptions


def beat(connection: Connection, process: str, now: int) -> bool:
    """Tell that a process lives; False when others had taken it for dead, or it is new: then it is known again."""
    mine = update(processes).where(processes.c.id == process).values(beats=processes.c.beats + 1)
    if connection.execute(mine).rowcount:
        return True
    insert_new(connection, processes, {"id": process, "beats": 1, "started_at": now})
    return False


def beats(connection: Connection) -> dict[str, int]:
    """Give the processes that are known, each with how often it has told that it lives."""
    return {row.id: row.beats for row in connection.execute(select(processes.c.id, processes.c.beats))}


def leave(connection: Connection, process: str) -> None:
    """Forget a process that ends, and give back whatever it holds still."""
    connection.execute(delete(processes).where(processes.c.id == process))
    _give_back(connection, lambda holder: holder == process)


def bury(connection: Connection, dead: Mapping[str, int]) -> int:
    """Forget those of these processes that have not beaten since this number, and give back what they held.

    Gives how many were forgotten. What a process took that had been forgotten before, and has died since, goes as well.
    """
    gone = 0
    for process, last in sorted(dead.items()):
        same = (processes.c.id == process) & (processes.c.beats == last)
        gone += connection.execute(delete(processes).where(same)).rowcount
    if gone:
        living = connection.scalars(select(processes.c.id)).all()
        _give_back(connection, lambda holder: and_(holder > "", holder.not_in(living)))
    return gone


def bury_all(connection: Connection) -> int:
    """Forget all processes, and give back what any of them held: whoever calls this knows that it is alone."""
    gone = connection.execute(delete(processes)).rowcount
    _give_back(connection, lambda holder: holder > "")
    return gone


def _give_back(connection: Connection, held: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> None:
    """End the leases of some holders. What names none was claimed by no such process, and is left to its lease."""
    known = select(subscriptions.c.id)  # the index of what is pending begins with the subscription
    pending = and_(deliveries.c.subscription.in_(known), deliveries.c.state == PENDING)
    LEASES.give_back(connection, held, pending)
    for leases in (polls.LEASES, links.LEASES, tokens.LEASES):
        leases.give_back(connection, held)
    begun = and_(link_bookings.c.live.is_not(None), held(link_bookings.c.holder))
    connection.execute(update(link_bookings).where(begun).values(until=0, due_at=0, holder=""))
    connection.execute(update(keys).where(held(keys.c.holder), keys.c.outcome.is_(None)).values(until=0, holder=""))
