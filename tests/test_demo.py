"""`gateway demo` as shipped: what it prints can be done as it stands, and both providers look the same."""

import json
import re
import shlex
import socket
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from gateway.model.model import load

ROOT = Path(__file__).parents[1]
CONNECTIONS = {"club-a": "Europe/Berlin", "club-b": "Europe/London"}
CUSTOMER = {"name": "Jane Doe", "email": "jane@example.com", "phone": "+441632960001"}


@pytest.fixture
def rewritten(tmp_path, free_port):
    """Write the shipped configuration for free ports, with its mappings where they are; give its path."""
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    for shipped in ("8080", "9101", "9102", "9103", "9104"):
        assert 1 == len(re.findall(rf"\b{shipped}\b", text))
        text = text.replace(shipped, str(free_port()))
    assert 1 == text.count("\nmappings: [mappings]\n")
    path = tmp_path / "config.yaml"
    path.write_text(text.replace("[mappings]", json.dumps([str(ROOT / "mappings")])), encoding="utf-8")
    return path


@pytest.fixture
def demo(rewritten, start):
    """Start the demo and give it once everything is printed."""
    process = start("demo", "--config", rewritten, folder=rewritten.parent)
    process.says(r"the whole surface:  curl -s \S+/openapi\.json\n", seconds=30)
    process.url = re.search(r"the gateway: (\S+) ", process.out)[1]
    process.key = re.search(r"Authorization: Bearer (\S+)'", process.out)[1]
    return process


def answered(request):
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def curl(line):
    """Do what a line of curl says: URL, -s, -H, -X and -d are all the demo uses."""
    words = iter(shlex.split(line))
    assert "curl" == next(words)
    url, headers, method, body = "", {}, None, None
    for word in words:
        match word:
            case "-s":
                pass
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-X":
                method = next(words)
            case "-d":
                body = next(words).encode()
            case _:
                assert word.startswith("http://127.0.0.1:")
                url = word
    return answered(urllib.request.Request(url, body, headers, method=method))


def call(demo, method, path, body=None):
    headers = {"Authorization": f"Bearer {demo.key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return answered(urllib.request.Request(f"{demo.url}/v1/{path}", data, headers, method=method))


def test_printed_steps(demo):
    """The URLs and the curl lines of both connections can be taken as they are: they list, book, read and cancel."""
    for name in CONNECTIONS:
        assert re.search(rf"^{name}: .+, simulated on http://127\.0\.0\.1:\d+$", demo.out, re.MULTILINE)
        part = demo.out[demo.out.index(f"\n{name} (") :].split("\n\n", 1)[0]
        lines = [line.strip() for line in part.splitlines() if line.startswith("  curl ")]
        services, resources, slots, book, read, cancel = lines
        for line in (services, resources, slots):
            status, body = curl(line)
            assert 200 == status
            assert body["data"]
        status, booking = curl(book)
        assert (201, "confirmed") == (status, booking["status"])
        there = quote(booking["id"], safe="")
        status, read_back = curl(read.replace("/ID", f"/{there}"))
        assert (200, booking["id"], "confirmed") == (status, read_back["id"], read_back["status"])
        for _ in range(2):
            status, cancelled = curl(cancel.replace("/ID/", f"/{there}/"))
            assert (200, booking["id"], "cancelled") == (status, cancelled["id"], cancelled["status"])
    status, document = curl(re.search(r"the whole surface:  (curl .*)", demo.out)[1])
    assert (200, "3.1.0") == (status, document["openapi"])
    assert "" == demo.err


def window(zone, days):
    """Give the query of a local day, so many days from today."""
    day = datetime.now(ZoneInfo(zone)).date() + timedelta(days=days)
    return f"from={day}T00:00&to={day + timedelta(days=1)}T00:00&limit=200"


def test_booked_and_back(demo):
    """On both a booked slot is gone and cannot be booked twice; cancelled, it is back; a repeated cancel is no error."""
    for name, zone in CONNECTIONS.items():
        slots = f"{name}/slots?{window(zone, 2)}"
        before = [slot["id"] for slot in call(demo, "GET", slots)[1]["data"]]
        wanted = {"slot_id": before[len(before) // 2], "customer": CUSTOMER}
        status, booking = call(demo, "POST", f"{name}/bookings", wanted)
        assert 201 == status
        during = [slot["id"] for slot in call(demo, "GET", slots)[1]["data"]]
        assert wanted["slot_id"] not in during
        assert set(during) < set(before)
        status, refused = call(demo, "POST", f"{name}/bookings", wanted)
        assert (409, "BOOKING_CONFLICT") == (status, refused["error"]["code"])
        there = f"{name}/bookings/{quote(booking['id'], safe='')}"
        status, read_back = call(demo, "GET", there)
        assert (200, booking["start"]) == (status, read_back["start"])
        for _ in range(3):
            status, cancelled = call(demo, "POST", f"{there}/cancel")
            assert (200, "cancelled") == (status, cancelled["status"])
        assert before == [slot["id"] for slot in call(demo, "GET", slots)[1]["data"]]
        assert 201 == call(demo, "POST", f"{name}/bookings", wanted)[0]


KINDS = {str: "string", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}


def kinds(value, path=""):
    """Give every place of a value with the kind of JSON that stands there; null may stand for any and is left out."""
    if isinstance(value, dict):
        found = {path: {"object"}}
        for key, inner in value.items():
            for place, kind in kinds(inner, f"{path}.{key}").items():
                found.setdefault(place, set()).update(kind)
        return found
    if isinstance(value, list):
        found = {path: {"list"}}
        for inner in value:
            for place, kind in kinds(inner, f"{path}[]").items():
                found.setdefault(place, set()).update(kind)
        return found
    return {} if value is None else {path: {KINDS[type(value)]}}


def seen(demo, name, zone):
    """Give what a connection shows of each resource of the contract."""
    _, services = call(demo, "GET", f"{name}/services")
    _, resources = call(demo, "GET", f"{name}/resources")
    _, locations = call(demo, "GET", f"{name}/locations")
    _, slots = call(demo, "GET", f"{name}/slots?{window(zone, 3)}")
    _, booking = call(demo, "POST", f"{name}/bookings", {"slot_id": slots["data"][0]["id"], "customer": CUSTOMER})
    _, connection = call(demo, "GET", name)
    return {
        "Service": services["data"],
        "Resource": resources["data"],
        "Location": locations["data"],
        "Slot": slots["data"],
        "Booking": [booking],
        "Connection": [connection],
    }


def test_the_same_shape(demo):
    """Both connections give every required field of the contract, and what both give is of the same JSON type."""
    first, second = (seen(demo, name, zone) for name, zone in CONNECTIONS.items())
    for name, rows in first.items():
        resource = load().resources[name]
        required = {key for key, one in resource.fields.items() if one.required}
        for row in (*rows, *second[name]):
            assert required <= row.keys() <= resource.fields.keys(), name
        one, other = kinds(rows), kinds(second[name])
        shared = {place for place in one.keys() & other.keys() if not place.startswith("[].capabilities")}
        assert len(shared) > 3
        assert [] == [(name, place, one[place], other[place]) for place in shared if one[place] != other[place]]
        assert [] == [place for place, kind in [*one.items(), *other.items()] if len(kind) > 1]


def test_end(demo):
    """SIGTERM ends gateway and providers together, with exit code 0 and without a word of complaint."""
    assert (0, "") == (demo.stop(), demo.err)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{demo.url}/health", timeout=5)


def test_variables_that_are_set(rewritten, start):
    """A variable that is set is used as it is; only the missing ones are made up."""
    process = start("demo", "--config", rewritten, folder=rewritten.parent, GATEWAY_WEB_KEY="my-own-key-0123456789")
    process.says(r"Authorization: Bearer my-own-key-0123456789'", seconds=30)


def test_a_taken_port(rewritten, start):
    """When a port is taken nothing runs, and one line says what to do."""
    port = int(re.search(r"base_url: http://127\.0\.0\.1:(\d+)", rewritten.read_text(encoding="utf-8"))[1])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = start("demo", "--config", rewritten, folder=rewritten.parent)
        assert 1 == process.ended()
    assert process.err.startswith("a port of the demo is taken")
    assert 1 == len(process.err.splitlines())


def test_a_real_provider(rewritten, start):
    """A connection that leads to a real provider is refused: a demo asks nobody outside this machine."""
    text = rewritten.read_text(encoding="utf-8")
    elsewhere = re.sub(r"base_url: http://127\.0\.0\.1:\d+", "base_url: https://app.example", text, count=1)
    rewritten.write_text(elsewhere, encoding="utf-8")
    process = start("demo", "--config", rewritten, folder=rewritten.parent)
    assert (1, "") == (process.ended(), process.out)
    assert "club-a: `base_url` must be http://127.0.0.1:PORT in a demo; it leads to a real provider\n" == process.err
