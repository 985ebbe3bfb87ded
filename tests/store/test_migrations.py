"""Stores of earlier versions: each becomes one of this version, and keeps what it holds."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData, inspect, make_url, select, text

from gateway.store import keys, migrations
from gateway.store.database import Database
from gateway.store.deliveries.deliveries import claim
from gateway.store.events import events, polls
from gateway.store.links import ledger, links
from gateway.store.tables import METADATA, schema_version
from tests.stored import events_of, failing

VERSIONS = Path(__file__).parent / "versions"
RELEASED = (1, 2)
NOW = 1_800_000_000_000


def now():
    return NOW


def script(url, version):
    """Make the step of this version as that version had it."""
    path = VERSIONS / f"{version}.{make_url(url).get_backend_name()}.sql"
    statements = [one for one in path.read_text("utf-8").split(";\n") if one.strip()]

    def step(connection):
        for statement in statements:
            connection.exec_driver_sql(statement)

    return step


async def as_released(url, version, monkeypatch):
    """Make a store as a gateway of this version left it."""
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", tuple(script(url, one) for one in range(1, version + 1)))
        async with Database(url, now):
            pass


@pytest.fixture
def second_url(request, empty_url, tmp_path):
    """Give the URL of another empty store of the same kind."""
    if empty_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'second.db'}"
    return request.getfixturevalue("postgresql_server")()


def shape(connection):
    """Give the tables as they stand in the database: columns, keys, and what is indexed and unique."""
    found, looked = MetaData(), inspect(connection)
    found.reflect(connection)
    return {
        table.name: (
            sorted((column.name, str(column.type), column.nullable, column.primary_key) for column in table.columns),
            sorted((index.name, tuple(index.columns.keys())) for index in table.indexes),
            sorted(tuple(one["column_names"]) for one in looked.get_unique_constraints(table.name)),
        )
        for table in found.sorted_tables
    }


@pytest.mark.parametrize("version", RELEASED)
async def test_a_store_of_an_earlier_version_becomes_one_of_this_version(empty_url, second_url, monkeypatch, version):
    """It gets the tables that it lacks, each as in a store that is made today, and every version is written once."""
    await as_released(empty_url, version, monkeypatch)
    async with Database(empty_url, now) as old, Database(second_url, now) as new:
        moved, made = await old.read(shape), await new.read(shape)
        versions = await old.read(lambda store: store.scalars(select(schema_version.c.version)).all())
    assert made == moved
    assert METADATA.tables.keys() == moved.keys()
    assert list(range(1, len(migrations.STEPS) + 1)) == sorted(versions)


async def test_what_a_store_of_version_1_held_is_there_afterwards(empty_url, monkeypatch):
    """Events, deliveries, bookings, polls and keys are as they were, and the new tables can be written."""
    await as_released(empty_url, 1, monkeypatch)
    async with Database(empty_url, now) as database:
        assert ["evt_1"] == [one.id for one in await database.read(lambda store: events_of(store, "club"))]
        known = await database.read(lambda store: events.find(store, "club", ["b1"]))
        assert {"id": "b1", "status": "confirmed"} == known["b1"].data
        kept = await database.read(lambda store: keys.of(store, "club", "ada", "op_1"))
        assert b"{}" == kept.outcome
        assert ["dlv_1"] == [one.id for one in await database.write(lambda store: claim(store, "wh_1", NOW, 1, 9))]
        assert 1 == await database.write(lambda store: links.claim(store, "court", NOW, NOW + 1))
        assert {} == await database.read(lambda store: ledger.counts(store, "court"))


async def test_what_the_ledger_of_version_2_held_is_there_afterwards(empty_url, monkeypatch):
    """Its entries have no reference, and are found by court and time."""
    await as_released(empty_url, 2, monkeypatch)
    async with Database(empty_url, now) as database:
        one = await database.read(lambda store: ledger.find(store, "court", "k", "a-reference"))
        assert ("lnk_1", "confirmed", None, None) == (one.id, one.state, one.reference, one.customer)
        assert await database.write(lambda store: ledger.adopt(store, "lnk_1", "a-reference"))


async def test_the_polls_that_version_5_kept_are_there_under_their_new_name(empty_url, monkeypatch):
    """How far each poll had come, who had it and why the last one failed stands as it did, and goes on from there."""
    rows = [("club", "d", NOW - 9, NOW, 4, NOW + 5, None, "a-dead-one"), ("desk", "", None, NOW, 2, 0, "down", "")]

    def add(connection):
        for row in rows:
            values = ", ".join("NULL" if one is None else repr(one) for one in row)
            connection.exec_driver_sql(
                "INSERT INTO watches (connection, digest, complete_at, due_at, lease, leased_until, reason, holder)"
                f" VALUES ({values})"
            )

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", migrations.STEPS[:5])
        async with Database(empty_url, now) as database:
            await database.write(add)
    async with Database(empty_url, now) as database:
        assert not await database.read(lambda store: inspect(store).has_table("watches"))
        assert {"desk": "down"} == await database.read(failing)
        assert await database.write(lambda store: polls.claim(store, "club", NOW, NOW + 9)) is None
        held = polls.Claim("club", 4, NOW - 9, "d")
        assert await database.write(lambda store: polls.complete(store, held, NOW, "e", NOW))
        assert polls.Claim("club", 5, NOW, "e") == await database.write(
            lambda store: polls.claim(store, "club", NOW, NOW + 9)
        )


async def test_a_released_step_makes_what_it_always_made(empty_url, second_url, monkeypatch):
    """The first step makes the very tables of version 1, whatever tables are known now."""
    await as_released(second_url, 1, monkeypatch)
    monkeypatch.setattr(migrations, "STEPS", migrations.STEPS[:1])
    async with Database(empty_url, now) as made, Database(second_url, now) as released:
        assert await released.read(shape) == await made.read(shape)


async def test_secrets_that_version_1_kept_are_gone(empty_url, monkeypatch):
    """An answer that showed a secret is kept without it, other answers as they were, and the bytes are counted."""
    answer = b'{"answer": {"status": 201, "headers": {}}}\n'
    kept = {"webhooks.create": b'{"id":"wh_1","secret":"whsec_seen"}', "bookings.create": b'{"id":"b1","secret":"1"}'}
    asked = {"owner": "ada", "connection": "", "fingerprint": "f", "request": b"", "began_at": NOW, "until": 0}

    def add(connection):
        for name, body in kept.items():
            values = asked | {"key": name, "id": name, "operation": name, "outcome": answer + body}
            columns = ", ".join(values)
            names = ", ".join(f":{one}" for one in values)
            connection.execute(text(f"INSERT INTO keys ({columns}) VALUES ({names})"), values)

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", (script(empty_url, 1),))
        async with Database(empty_url, now) as database:
            await database.write(add)
    async with Database(empty_url, now) as database:
        found = {name: await database.read(lambda store, name=name: keys.of(store, "", "ada", name)) for name in kept}
        used = await database.read(lambda store: keys.use(store, "ada"))
    assert {"webhooks.create": answer + b'{"id": "wh_1"}', "bookings.create": answer + kept["bookings.create"]} == {
        name: one.outcome for name, one in found.items()
    }
    assert (3, sum(len(one.outcome) for one in found.values()) + 2, NOW) == (
        used.rows,
        used.size,
        max(used.oldest, NOW),
    )
