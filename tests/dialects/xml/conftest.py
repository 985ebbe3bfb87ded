"""Servers that speak what only words of the language reach, started for the tests, and the engine in front of them."""

import asyncio
import contextlib
import functools
import http.client
import subprocess
import sys
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from xmlrpc.server import SimpleXMLRPCServer

import pytest

from gateway.engine.catalog import bind, load_providers
from gateway.model.model import arguments, load
from gateway.transport.client import Client
from gateway.values.messages import Call
from gateway.values.secrets import Secret
from tests.applications import engine_of, milliseconds
from tests.processes import steady_port

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
PASSWORD = "calendar-s3cret"
CONFIGURATION = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/calendars
[logging]
level = error
"""


def asked(port, method, path, body=b"", headers=None):
    """Ask the calendar server as its owner does, and give the status and the body."""
    proof = {"Authorization": "Basic " + b64encode(f"ann:{PASSWORD}".encode()).decode()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body, proof | (headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()


def _answers(port):
    with contextlib.suppress(OSError):
        return asked(port, "GET", "/.web/")[0] < 500
    return False


@pytest.fixture(scope="session")
def radicale(tmp_path_factory):
    """Give the port of a Radicale with one user, Ann, and her calendars `court-1` and `court 2`."""
    folder, port = tmp_path_factory.mktemp("radicale"), steady_port()
    (folder / "users").write_text(f"ann:{PASSWORD}\n", encoding="utf-8")
    (folder / "configuration").write_text(CONFIGURATION.format(port=port, folder=folder), encoding="utf-8")
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "configuration")]
    with subprocess.Popen(command) as server:
        try:
            deadline = time.monotonic() + 30
            while not _answers(port):
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            for path, name in (("court-1", "Court 1"), ("court%202", "Court <2>")):
                body = (
                    '<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:set><D:prop>'
                    f"<D:displayname><![CDATA[{name}]]></D:displayname></D:prop></D:set></C:mkcalendar>"
                )
                assert 201 == asked(port, "MKCALENDAR", f"/ann/{path}/", body.encode())[0]
            yield port
        finally:
            server.terminate()


class Courts:
    """What the XML-RPC server does: two courts, and bookings by number."""

    def __init__(self):
        self.bookings = {}

    def courts(self, key):
        """Tell the courts, with what else XML-RPC can hold."""
        self._known(key)
        return [{"id": 1, "name": "Halle & <Hof>", "open": True}, {"id": 2, "name": "Platz", "open": False}]

    def book(self, key, court, start, note):
        """Book a court, or say that it is taken."""
        self._known(key)
        if (court, start) in self.bookings:
            raise ValueError("taken")
        self.bookings[court, start] = note
        return {"number": len(self.bookings), "note": note}

    def _known(self, key):
        if key != PASSWORD:
            raise PermissionError("key")


@pytest.fixture
def xmlrpc():
    """Give the port of a server of XML-RPC, the one of Python's standard library."""
    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_instance(Courts())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@functools.cache
def plan_of(name):
    """Compile one of the mappings beside this file, once."""
    providers, findings = load_providers([HERE / f"{name}.yaml"], load())
    assert [] == [str(one) for one in findings if one.level == "error"]
    return providers[name]


@pytest.fixture
async def calling():
    """Give a function that connects a mapping, and gives one that makes calls: `await call("bookings.get", id="7")`."""
    async with Client(["127.0.0.0/8"]) as client:

        async def of(name, **settings):
            usual = {"time_zone": "Europe/Berlin", "currency": "EUR", "password": Secret(PASSWORD)}
            connection = bind("one", plan_of(name), usual | settings)
            engine = engine_of({"one": connection}, client.send, lambda: milliseconds(NOW))

            async def call(operation, **given):
                native = operation.startswith("native.")
                args = given if native else arguments(load().operations[operation], given, connection.zone)
                deadline = asyncio.get_running_loop().time() + 10
                return (await engine.run(Call("one", operation, args, "test", deadline))).data

            return call

        yield of
