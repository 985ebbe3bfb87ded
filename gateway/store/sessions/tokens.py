"""What sessions at providers live by, and whose turn it is to renew it: plain functions of a connection.

One row for all that have the same credentials. Who renews holds a lease meanwhile, so that of all gateways on the
store one asks the provider. Only what follows the `version` that was read is written: of two who renewed the same, the
first one's result stays, and a refusal that comes of the other's renewal counts for nothing. Moments are milliseconds
since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from gateway.store.sessions.tables import logins, tokens
from gateway.store.sql.leases import Leases
from gateway.store.sql.statements import insert_new, insert_or_get

SALT = "salt"
"""The row that has the key by which names are made; every other name is a hash."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known under a name. `sealed` is None before the first token, and once one was refused for good."""

    name: str
    sealed: bytes | None = None
    version: int = 0
    leased_until: int = 0
    refused_until: int = 0
    refusals: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to renew what had this version."""

    name: str
    version: int
    number: int


def kept(connection: Connection, name: str) -> Kept:
    """Give what is known under a name, which may be nothing."""
    columns = [tokens.c[one] for one in Kept.__slots__]
    row = connection.execute(select(*columns).where(tokens.c.name == name)).one_or_none()
    return Kept(name) if row is None else Kept(*row)


def claim(connection: Connection, seen: Kept, now: int, until: int, holder: str) -> Lease | None:
    """Take the right to renew what was seen, up to a moment; None when another has it, or has renewed it since."""
    insert_new(connection, tokens, {"name": seen.name})
    taken = LEASES.claim(connection, {"name": seen.name, "version": seen.version}, now, until, holder)
    return Lease(*taken[0]) if taken else None


def keep(connection: Connection, lease: Lease, sealed: bytes, now: int) -> bool:
    """Write what a renewal gave; False when another has written since, whose result stays."""
    values = {"sealed": sealed, "version": lease.version + 1, "updated_at": now, "refusals": 0, "refused_until": 0}
    values |= {"reason": None, "leased_until": 0, "holder": "", "lease": tokens.c.lease + 1}
    same = (tokens.c.name == lease.name) & (tokens.c.version == lease.version)
    return connection.execute(update(tokens).where(same).values(values)).rowcount == 1


def put(connection: Connection, name: str, sealed: bytes, now: int) -> None:
    """Write what a person has brought, whoever renews meanwhile: what that one gets counts for nothing."""
    insert_new(connection, tokens, {"name": name})
    values = {"sealed": sealed, "version": tokens.c.version + 1, "updated_at": now, "refusals": 0, "refused_until": 0}
    values |= {"reason": None, "leased_until": 0, "holder": "", "lease": tokens.c.lease + 1}
    connection.execute(update(tokens).where(tokens.c.name == name).values(values))


def refuse(connection: Connection, lease: Lease, refusals: int, until: int, reason: str) -> bool:
    """Write that the provider refused; nobody asks it again before `until`. False when the lease is another's."""
    values = {"refusals": refusals, "refused_until": until, "reason": reason, "leased_until": 0, "holder": ""}
    return LEASES.write(connection, lease.name, lease.number, values)


def release(connection: Connection, lease: Lease) -> None:
    """Give the right back: whoever comes next may renew at once."""
    LEASES.release(connection, lease.name, lease.number)


def salt(connection: Connection, sealed: bytes) -> bytes:
    """Give the sealed key of names; before there is one, this becomes it."""
    held: bytes
    (held,) = insert_or_get(connection, tokens, {"name": SALT, "sealed": sealed}, ("name",), ["sealed"])
    return held


def all_sealed(connection: Connection) -> dict[str, bytes]:
    """Give all that is sealed, by name."""
    rows = connection.execute(select(tokens.c.name, tokens.c.sealed).where(tokens.c.sealed.is_not(None)))
    return {row.name: row.sealed for row in rows}


def reseal(connection: Connection, name: str, old: bytes, new: bytes) -> None:
    """Write the same under another key, unless something else has been written since."""
    same = (tokens.c.name == name) & (tokens.c.sealed == old)
    connection.execute(update(tokens).where(same).values(sealed=new))


def forget(connection: Connection) -> int:
    """Forget all of it, for whoever has lost the key; gives how many sessions there were."""
    gone = connection.execute(delete(tokens).where(tokens.c.name != SALT)).rowcount
    connection.execute(delete(tokens))
    connection.execute(delete(logins))
    return gone


def begin_login(connection: Connection, state: str, sealed: bytes, expires_at: int, now: int) -> None:
    """Note that a person is about to log in; what has expired goes."""
    connection.execute(delete(logins).where(logins.c.expires_at <= now))
    insert_new(connection, logins, {"state": state, "sealed": sealed, "expires_at": expires_at})


def is_begun(connection: Connection, state: str) -> bool:
    """Tell whether anything is noted of a login."""
    return connection.execute(select(logins.c.state).where(logins.c.state == state)).one_or_none() is not None


def take_login(connection: Connection, state: str, now: int) -> bytes | None:
    """Give what was noted of a login, once; None where there is none, or where it has expired."""
    taking = delete(logins).where(logins.c.state == state).returning(logins.c.sealed, logins.c.expires_at)
    row = connection.execute(taking).one_or_none()
    return row.sealed if row is not None and row.expires_at > now else None


LEASES = Leases(
    tokens.c.name,
    free=(tokens.c.name == bindparam("name"))
    & (tokens.c.version == bindparam("version"))
    & (tokens.c.leased_until <= bindparam("now")),
    given=[tokens.c.name, tokens.c.version, tokens.c.lease],
)
