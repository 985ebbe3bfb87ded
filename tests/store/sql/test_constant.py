"""Constant statements: they are part of the transaction, and mean what the same statement means to SQLAlchemy."""

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.store.database import Database
from gateway.store.sql.constant import Constant
from gateway.store.tables import bookings, counters, jobs, link_bookings, link_slots, subscriptions
from gateway.values.secrets import Secret

SECRET = "whsec_that-nobody-may-read"
ROWS = {
    subscriptions: {
        "id": "wh_1",
        "owner": "ada",
        "url": "https://x.example",
        "format": "native",
        "state": "active",
        "events": ("a", "b"),
        "connections": None,
        "schedule": (0.5, 3),
        "secret": Secret(SECRET),
        "created_at": 1,
    },
    bookings: {
        "connection": "club",
        "id": "b",
        "revision": 1,
        "seen_at": 1,
        "changed_at": 1,
        "data": {"name": "Zoë \0 Ω", "at": [1.5, None, True]},
        "announced": ("booking.created",),
    },
    jobs: {"id": "j", "kind": "replay", "what": {"after": 1}, "state": "done", "total": 1, "created_at": 1},
    link_slots: {
        "link": "l",
        "facility": "f",
        "start_at": 1,
        "end_at": 2,
        "available": False,
        "seen_at": 1,
        "state": b"\0\xff",
        "digest": "d",
    },
    link_bookings: {
        "id": "lnk",
        "link": "l",
        "key": "k",
        "facility": "f",
        "start_at": 1,
        "end_at": 2,
        "player": "Zoë \0",
        "state": "failed",
        "created_at": 1,
        "updated_at": 1,
        "until": 1,
        "due_at": 1,
    },
}


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: 0) as opened:
        yield opened


@pytest.mark.parametrize("table", ROWS, ids=lambda table: table.name)
@pytest.mark.parametrize("constant", [False, True], ids=["written by SQLAlchemy", "written directly"])
async def test_values_of_every_kind(database, table, constant):
    """Whichever way writes a row, both ways read the values that were given."""
    row = ROWS[table]
    adding = insert(table).values({name: bindparam(name) for name in row})
    reading = select(*(table.c[name] for name in row))

    def work(connection):
        if constant:
            assert 1 == Constant(adding).run(connection, row)
        else:
            connection.execute(insert(table).values(**row))
        return Constant(reading).rows(connection), [tuple(one) for one in connection.execute(reading)]

    assert ([tuple(row.values())],) * 2 == await database.write(work)


async def test_it_is_part_of_the_transaction(database):
    """What it wrote is undone with the piece of work that it belongs to, and with no other."""
    adding = Constant(insert(counters).values(name=bindparam("name"), value=bindparam("value")))
    counting = Constant(select(counters.c.value).where(counters.c.name == bindparam("name")))

    def work(connection):
        adding.run_each(connection, [{"name": "a", "value": 1}, {"name": "b", "value": 2}])
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(lambda connection: counting.row(connection, {"name": "a"})) is None
    await database.write(lambda connection: adding.run(connection, {"name": "a", "value": 3}))
    assert 3 == await database.read(lambda connection: counting.value(connection, {"name": "a"}))


async def test_a_refused_value_is_told_as_sqlalchemy_tells_it(database):
    """The error is SQLAlchemy's, so that a defect is never taken for an outage, and does not repeat the values."""
    adding = Constant(insert(subscriptions).values({name: bindparam(name) for name in ROWS[subscriptions]}))

    def work(connection):
        adding.run(connection, ROWS[subscriptions])
        adding.run(connection, ROWS[subscriptions])

    with pytest.raises(IntegrityError) as told:
        await database.write(work)
    assert SECRET not in str(told.value)
    with pytest.raises(KeyError):
        await database.write(lambda connection: adding.run(connection, {"id": "wh_1"}))
    assert not database.failing


async def test_a_statement_that_values_change_is_refused(database):
    """A list of ids of any length gives another text each time: such a statement is not constant."""
    several = Constant(select(counters.c.value).where(counters.c.name.in_(bindparam("names", expanding=True))))
    with pytest.raises(ValueError, match="not constant"):
        await database.read(lambda connection: several.rows(connection, {"names": ["a"]}))
