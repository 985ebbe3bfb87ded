"""A gateway that is killed while a provider holds a booking: whoever starts it again does not book twice."""

import json
import signal
import sqlite3
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BOOKING = {"slot_id": "s1", "customer": {"name": "Ada"}}
HEADERS = {"Authorization": "Bearer web-key-0123456789", "Content-Type": "application/json", "Idempotency-Key": "k"}


class Slow(ThreadingHTTPServer):
    """A provider that answers no request; `asked` is every one of them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = []
        self.arrived, self.over = threading.Event(), threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.arrived.set()
        self.server.over.wait(60)


@pytest.fixture
def provider():
    """Give the provider, at work."""
    with Slow() as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever, 0.05)
        yield server
        server.over.set()
        server.shutdown()


def send(url):
    """Book under the key."""
    request = urllib.request.Request(f"{url}/v1/club/bookings", json.dumps(BOOKING).encode(), HEADERS)
    return urllib.request.urlopen(request, timeout=20)


def refused(url):
    """Book under the key, and give what the error says: status, code and details."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        send(url)
    with caught.value as answer:
        error = json.load(answer)["error"]
    return error["status"], error["code"], error["details"]


def test_killed(house, start, edit, provider):
    """After SIGKILL amid a booking the same key is told at once that nobody knows, and the provider saw one POST."""
    edit("config.yaml", "http://127.0.0.1:1", f"http://127.0.0.1:{provider.server_port}")
    edit("config.yaml", "mappings: [mappings]", "mappings: [mappings]\nstore: sqlite:///gateway.db")
    started = r'"event":"started","url":"([^"]+)"'
    first = start("serve", folder=house)
    url = first.says(started)[1]
    with ThreadPoolExecutor(1) as pool:
        cut = pool.submit(send, url)
        assert provider.arrived.wait(20)
        first.stop(signal.SIGKILL)
        assert isinstance(cut.exception(), OSError)
    url = start("serve", folder=house).says(started)[1]
    for _ in range(2):
        status, code, details = refused(url)
        assert (504, "OUTCOME_UNKNOWN") == (status, code)
        assert details["operation"].startswith("op_")
        with sqlite3.connect(house / "gateway.db") as store:  # as if the time that a call may take had passed
            store.execute("UPDATE keys SET began_at = began_at - 60000")
        store.close()
    assert ["POST /bookings"] == provider.asked
