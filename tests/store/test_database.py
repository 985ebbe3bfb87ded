"""The database: groups of writes, what is undone and what is not, migrations, and outages."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import insert, inspect, make_url, select, text, update

from gateway.store import migrations
from gateway.store.database import Database
from gateway.store.migrations import STEPS, StoreTooNewError
from gateway.store.tables import counters, schema_version
from gateway.values.errors import StoreUnavailable


def now():
    return 1_800_000_000_000


@pytest.fixture
async def database(store_url):
    async with Database(store_url, now) as opened:
        yield opened


def put(name, value=1):
    """Make the work that adds a counter."""

    def work(connection):
        connection.execute(insert(counters).values(name=name, value=value))
        return name

    return work


def names(connection):
    return list(connection.scalars(select(counters.c.name).order_by(counters.c.name)))


async def test_what_is_written_can_be_read_once_the_write_has_returned(database):
    """A write returns after its commit, and every later read sees it."""
    assert "one" == await database.write(put("one"))
    assert ["events", "one"] == await database.read(names)


async def test_writes_that_come_together_are_all_kept(database):
    """Of many concurrent writes each is committed once and gets its own result."""
    wanted = [f"n{number:03}" for number in range(300)]
    assert wanted == await asyncio.gather(*(database.write(put(name)) for name in wanted))
    assert ["events", *wanted] == await database.read(names)


async def test_a_write_that_fails_undoes_itself_alone(database):
    """What a piece of work raises comes back to its caller; what was written beside it stays."""

    def broken(connection):
        put("half")(connection)
        raise LookupError("mine")

    good, bad, twin = await asyncio.gather(
        database.write(put("good")), database.write(broken), database.write(put("events")), return_exceptions=True
    )
    assert "good" == good
    assert isinstance(bad, LookupError)
    assert "IntegrityError" == type(twin).__name__
    assert ["events", "good"] == await database.read(names)


async def test_a_caller_that_leaves_does_not_undo_its_write(database):
    """A write whose caller was cancelled while it waited is still committed."""
    task = asyncio.ensure_future(database.write(put("kept")))
    await asyncio.sleep(0)
    task.cancel()
    await database.write(put("later"))
    assert ["events", "kept", "later"] == await database.read(names)


async def test_those_who_wait_for_a_topic_wake_after_the_commit(database):
    """The event of a topic is set when a write that tells of it is committed, and by no other write."""
    other, wanted = database.told("other"), database.told("news")
    await database.write(put("quiet"))
    assert not wanted.is_set()
    await database.write(put("loud"), tells="news")
    assert wanted.is_set()
    assert not other.is_set()
    assert not database.told("news").is_set()


async def test_a_second_gateway_finds_the_store_as_the_first_left_it(store_url):
    """Opening a store again runs no migration twice and loses nothing."""
    async with Database(store_url, now) as first:
        await first.write(put("kept"))
    async with Database(store_url, now) as second:
        assert ["events", "kept"] == await second.read(names)
        versions = await second.read(lambda connection: list(connection.scalars(select(schema_version.c.version))))
        assert list(range(1, len(STEPS) + 1)) == versions


async def test_two_gateways_that_start_together_migrate_once(store_url):
    """Of several gateways that open a new store at the same time one makes the tables and none fails."""

    async def opened():
        async with Database(store_url, now) as one:
            return await one.read(names)

    assert [["events"]] * 4 == await asyncio.gather(*(opened() for _ in range(4)))


async def test_a_store_of_a_newer_gateway_is_refused(store_url):
    """A store whose version this gateway does not know is not touched, and the message says which version it is."""
    async with Database(store_url, now) as first:
        await first.write(lambda connection: connection.execute(insert(schema_version).values(version=99)))
    with pytest.raises(StoreTooNewError, match="version 99"):
        async with Database(store_url, now):
            pass


async def test_a_database_that_is_not_there_is_an_outage(tmp_path):
    """A store that cannot be opened raises StoreUnavailable, without the address or the password."""
    for url in (
        f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}",
        "postgresql://user:hunter2@127.0.0.1:1/nothing",
    ):
        with pytest.raises(StoreUnavailable) as caught:
            async with Database(url, now):
                pass
        assert "hunter2" not in f"{caught.value.detail}{caught.value!r}"
        assert caught.value.retry_after


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "unable to open database file"), (b"hello, I am no database", "not a database")]
)
async def test_the_operator_is_told_what_the_database_said(tmp_path, content, reason):
    """Why a store cannot be opened is told to whoever starts the gateway, and not in what callers are told."""
    path = tmp_path / "folder" / "gateway.db"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=f"^The store is out of reach, full or locked: .*{reason}$") as caught:
        async with Database(f"sqlite:///{path}", now):
            pass
    assert "The store is out of reach, full or locked." == caught.value.detail


async def test_what_a_server_said_is_told_as_well(postgresql_server):
    """Of a PostgreSQL that has no such database the operator is told that it has none."""
    url = make_url(postgresql_server()).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(StoreUnavailable, match=r'locked: database "nowhere" does not exist$'):
        async with Database(url, now):
            pass


async def test_a_write_that_fails_tells_what_the_database_said(tmp_path, monkeypatch):
    """Each of a group of writes that an outage ends knows why."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)
    path = tmp_path / "gateway.db"
    async with Database(f"sqlite:///{path}", now) as database:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        failed = await asyncio.gather(*(database.write(put(f"n{one}")) for one in range(2)), return_exceptions=True)
        holder.close()
    assert ["database is locked"] * 2 == [one.reason for one in failed]


async def test_a_database_of_somebody_else_is_left_alone(empty_url, monkeypatch):
    """A database that has tables of the gateway's names without being a store is refused, and nothing is made in it."""
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", ())
        async with Database(empty_url, now) as theirs:
            await theirs.write(lambda opened: opened.execute(text("CREATE TABLE events (name TEXT)")).close())
    with pytest.raises(StoreUnavailable, match=r"that the gateway did not make, of names that it needs: events$"):
        async with Database(empty_url, now):
            pass
    monkeypatch.setattr(migrations, "STEPS", ())
    async with Database(empty_url, now) as theirs:
        assert ["events"] == await theirs.read(lambda opened: inspect(opened).get_table_names())


async def test_a_locked_file_is_an_outage_that_ends_by_itself(tmp_path, monkeypatch):
    """While another process holds the lock, a write fails with StoreUnavailable; afterwards the same store writes."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)
    path = tmp_path / "gateway.db"
    async with Database(f"sqlite:///{path}", now) as database:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await database.write(put("locked"))
        assert ["events"] == await database.read(names)
        holder.execute("ROLLBACK")
        holder.close()
        await database.write(put("free"))
        assert ["events", "free"] == await database.read(names)


async def test_a_full_disk_is_an_outage_that_ends_by_itself(tmp_path):
    """While the database may not grow, writes fail with StoreUnavailable and reads go on; with room, writes do too."""
    async with Database(f"sqlite:///{tmp_path / 'gateway.db'}", now) as database:

        def full(connection):
            pages = connection.scalar(text("PRAGMA page_count"))
            connection.execute(text(f"PRAGMA max_page_count={pages}"))

        def bulky(connection):
            for number in range(400):
                connection.execute(insert(counters).values(name=f"{number}".rjust(32, "x"), value=1))

        await database.write(full)
        with pytest.raises(StoreUnavailable):
            await database.write(bulky)
        assert ["events"] == await database.read(names)
        await database.write(lambda connection: connection.execute(text("PRAGMA max_page_count=1000000")).all())
        await database.write(bulky)
        assert 401 == len(await database.read(names))


async def test_postgresql_that_goes_away_is_an_outage_that_ends_by_itself(postgresql_server):
    """Connections that the server ends are an outage at most for the write that meets them; the next one works."""
    async with Database(postgresql_server(), now) as database:
        end = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
        with pytest.raises(StoreUnavailable):
            await database.write(lambda connection: connection.execute(end))
        await database.write(put("back"))
        assert ["back", "events"] == await database.read(names)


async def test_a_statement_that_takes_too_long_is_an_outage(postgresql_server, monkeypatch):
    """A database that does not answer in time is an outage for the group of writes that waits for it."""
    monkeypatch.setattr("gateway.store.sql.drivers._COMMAND_SECONDS", 0.2)
    async with Database(postgresql_server(), now) as database:
        with pytest.raises(StoreUnavailable):
            await database.write(lambda connection: connection.execute(text("SELECT pg_sleep(9)")))
        await database.write(put("back"))
        assert ["back", "events"] == await database.read(names)


async def test_groups_that_wait_for_each_other_are_both_written(postgresql_server):
    """When two gateways wait for rows of each other's groups, the one that PostgreSQL undoes is written again."""
    url, runs = postgresql_server(), []

    def crossing(*order):
        def work(connection):
            runs.append(order)
            connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            for name in order:
                connection.execute(update(counters).where(counters.c.name == name).values(value=counters.c.value + 1))
                connection.execute(text("SELECT pg_sleep(0.2)"))

        return work

    async with Database(url, now) as one, Database(url, now) as other:
        await asyncio.gather(one.write(put("a", 0)), one.write(put("b", 0)))
        await asyncio.gather(one.write(crossing("a", "b")), other.write(crossing("b", "a")))
        found = select(counters.c.value).where(counters.c.name != "events")
        assert [2, 2] == await one.read(lambda connection: connection.scalars(found).all())
    assert 3 == len(runs)


async def test_what_waits_when_the_store_closes_is_told(store_url):
    """A write that is not committed when the store closes fails with StoreUnavailable and does not hang."""
    async with Database(store_url, now) as database:
        waiting = [asyncio.ensure_future(database.write(put(f"n{number}"))) for number in range(3)]
        await asyncio.sleep(0)
    for result in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(result, str | StoreUnavailable)


async def test_a_file_is_for_its_owner_alone(tmp_path):
    """A SQLite store and the files beside it can be read by nobody but the user that the gateway runs as."""
    path = tmp_path / "gateway.db"
    async with Database(f"sqlite:///{path}", lambda: 0) as database:
        await database.probe()
        modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    assert {"gateway.db": 0o600, "gateway.db-wal": 0o600, "gateway.db-shm": 0o600} == modes
