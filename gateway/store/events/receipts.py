"""What providers sent, read again: dead letters for the operator, and what became of them."""

from __future__ import annotations

from sqlalchemy import Connection, Row, or_, select, update

from gateway.store.events.events import Receipt
from gateway.store.tables import receipts


def of_state(connection: Connection, state: str, key: str) -> Receipt | None:
    """Give a receipt that is in this state; None when there is none."""
    wanted = (receipts.c.id == key) & (receipts.c.state == state)
    row = connection.execute(select(receipts).where(wanted)).one_or_none()
    return None if row is None else _receipt(row)


def in_state(connection: Connection, state: str, before: tuple[int, str] | None, most: int) -> list[Receipt]:
    """Give the newest receipts of this state, so many at most; `before` is the moment and id of the last one seen."""
    wanted = select(receipts).where(receipts.c.state == state)
    if before is not None:
        at, key = before
        same = (receipts.c.received_at == at) & (receipts.c.id < key)
        wanted = wanted.where(or_(receipts.c.received_at < at, same))
    order = (receipts.c.received_at.desc(), receipts.c.id.desc())
    return [_receipt(row) for row in connection.execute(wanted.order_by(*order).limit(most))]


def settle(connection: Connection, key: str, state: str) -> bool:
    """Say what became of a dead letter; False when somebody else has said so already."""
    wanted = (receipts.c.id == key) & (receipts.c.state == "dead")
    return connection.execute(update(receipts).where(wanted).values(state=state)).rowcount == 1


def explain(connection: Connection, key: str, reason: str, origin: str | None) -> None:
    """Write down why a dead letter cannot be read now, in place of why it could not be before."""
    wanted = (receipts.c.id == key) & (receipts.c.state == "dead")
    connection.execute(update(receipts).where(wanted).values(reason=reason, origin=origin))


def _receipt(row: Row[tuple[object, ...]]) -> Receipt:
    return Receipt(**{name: getattr(row, name) for name in Receipt.__slots__})
