"""What providers sent, read again: dead letters for the operator, and what became of them."""

from __future__ import annotations

from sqlalchemy import Connection, or_, update

from gateway.store.events.events import RECEIPTS, Receipt
from gateway.store.tables import receipts


def of_state(connection: Connection, state: str, key: str) -> Receipt | None:
    """Give a receipt that is in this state; None when there is none."""
    return RECEIPTS.first(connection, RECEIPTS.select(receipts.c.id == key, receipts.c.state == state))


def in_state(connection: Connection, state: str, before: tuple[int, str] | None, most: int) -> list[Receipt]:
    """Give the newest receipts of this state, so many at most; `before` is the moment and id of the last one seen."""
    wanted = RECEIPTS.select(receipts.c.state == state)
    if before is not None:
        at, key = before
        same = (receipts.c.received_at == at) & (receipts.c.id < key)
        wanted = wanted.where(or_(receipts.c.received_at < at, same))
    order = (receipts.c.received_at.desc(), receipts.c.id.desc())
    return RECEIPTS.all(connection, wanted.order_by(*order).limit(most))


def settle(connection: Connection, key: str, state: str) -> bool:
    """Say what became of a dead letter; False when somebody else has said so already."""
    wanted = (receipts.c.id == key) & (receipts.c.state == "dead")
    return connection.execute(update(receipts).where(wanted).values(state=state)).rowcount == 1


def explain(connection: Connection, key: str, reason: str, origin: str | None) -> None:
    """Write down why a dead letter cannot be read now, in place of why it could not be before."""
    wanted = (receipts.c.id == key) & (receipts.c.state == "dead")
    connection.execute(update(receipts).where(wanted).values(reason=reason, origin=origin))
