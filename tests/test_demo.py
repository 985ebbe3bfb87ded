"""`gateway demo` as shipped: what it prints can be done as it stands, and both providers look the same."""

import json
import re
import shlex
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from gateway.model.model import load

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory, free_port, started):
    """Run the demo on the shipped configuration with free ports; in the end SIGTERM must end it with 0, quietly."""
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    for shipped in ["8080", *re.findall(r"base_url: http://127\.0\.0\.1:(\d+)", text)]:
        assert 1 == len(re.findall(rf"\b{shipped}\b", text))
        text = text.replace(shipped, str(free_port()))
    assert 1 == text.count("\nmappings: [mappings]\n")
    path = tmp_path_factory.mktemp("demo") / "config.yaml"
    path.write_text(text.replace("[mappings]", json.dumps([str(ROOT / "mappings")])), encoding="utf-8")
    with started("demo", "--config", path, folder=path.parent) as process:
        process.says(r"the whole surface:  curl -s \S+/openapi\.json\n", seconds=50)
        process.url = re.search(r"the gateway: (\S+) ", process.out)[1]
        process.key = re.search(r"Authorization: Bearer (\S+)'", process.out)[1]
        yield process
        assert (0, "") == (process.stop(), process.err)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{process.url}/health", timeout=5)


def answered(request):
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def curl(line):
    """Do what a line of curl says, and give status and body."""
    return answered(asked(line))


def asked(line):
    """Give the request that a line of curl makes: URL, -s, -N, -H, -X and -d are all the demo uses."""
    words = iter(shlex.split(line))
    assert "curl" == next(words)
    url, headers, method, body = "", {}, None, None
    for word in words:
        match word:
            case "-s" | "-si" | "-N":
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
    return urllib.request.Request(url, body, headers, method=method)


def call(demo, method, path, body=None):
    headers = {"Authorization": f"Bearer {demo.key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return answered(urllib.request.Request(f"{demo.url}/v1/{path}", data, headers, method=method))


def connections(demo):
    """Give the connections of the demo, as the gateway tells them, by name."""
    status, body = call(demo, "GET", "connections")
    assert 200 == status
    return {one["id"]: one for one in body["data"]}


def printed(demo, name):
    """Give the lines of curl that are printed for a connection.

    They are what lists, book, read, cancel, events, the stream of events, and messages.
    """
    part = demo.out[demo.out.index(f"\n{name} (") :].split("\n\n", 1)[0]
    lines = [line.strip() for line in part.splitlines() if line.startswith("  curl ")]
    (at,) = [number for number, line in enumerate(lines) if " -X POST " in line]  # the one that cancels
    return lines[: at - 2], *lines[at - 2 : at + 1], lines[at + 1], lines[at + 2], lines[at + 3 :]


def customer(demo, name):
    """Give the customer that the demo books for on a connection."""
    words = shlex.split(printed(demo, name)[1])
    return json.loads(words[words.index("-d") + 1])["customer"]


def test_printed_steps(demo):
    """The URLs and the curl lines of every connection can be taken as they are: they list, book, read and cancel."""
    names = connections(demo)
    assert {"club-a", "club-b"} <= names.keys()
    for name in names:
        assert re.search(rf"^{name}: .+, simulated on http://127\.0\.0\.1:\d+$", demo.out, re.MULTILINE)
        lists, book, read, cancel, changes, stream, messages = printed(demo, name)
        assert len(lists) >= 2
        for line in lists:
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
        status, body = curl(changes)
        told = [(one["event"], one["data"]["id"]) for one in body["data"]]
        assert (200, 1, 1) == (
            status,
            *(told.count((f"booking.{word}", booking["id"])) for word in ("created", "cancelled")),
        )
        with urllib.request.urlopen(asked(stream), timeout=20) as events:
            assert (200, b"retry: 3000\n") == (events.status, events.readline())
        assert [204] * len(messages) == [curl(line)[0] for line in messages]
    assert messages  # of the last one, whose messages a token proves
    status, document = curl(re.search(r"the whole surface:  (curl .*)", demo.out)[1])
    assert (200, "3.1.0") == (status, document["openapi"])


def test_sold_on_a_marketplace(demo):
    """The marketplace's lines can be taken as they are: it sees a free court, books it, sees it taken, and cancels."""
    part = demo.out[demo.out.index("\nmarket (") :].split("\n\n", 1)[0]
    asks, books, cancels = [line.strip() for line in part.splitlines() if line.startswith("  curl ")]
    words = shlex.split(books)
    booked = json.loads(words[words.index("-d") + 1])

    def available():
        status, body = curl(asks)
        assert 200 == status
        (slot,) = [one for one in body["slots"] if booked.items() & one.items() >= {("slotId", booked["slotId"])}]
        return slot["isAvailable"]

    def bookings():
        return [one["start"][:16] for one in call(demo, "GET", "club-a/bookings?limit=200")[1]["data"]]

    assert (True, 0) == (available(), bookings().count(booked["startDateTime"]))
    for _ in range(2):  # the second one is a repetition
        assert 200 == curl(books)[0]
        assert (False, 1) == (available(), bookings().count(booked["startDateTime"]))
    for _ in range(2):
        assert 200 == curl(cancels)[0]
        assert available()


def window(zone, days):
    """Give the query of a local day, so many days from today."""
    day = datetime.now(ZoneInfo(zone)).date() + timedelta(days=days)
    return f"from={day}T00:00&to={day + timedelta(days=1)}T00:00&limit=200"


def free(demo, name, zone, days=2):
    """Give the ids of the slots of a day that can be booked."""
    status, body = call(demo, "GET", f"{name}/slots?{window(zone, days)}")
    assert 200 == status
    return [slot["id"] for slot in body["data"] if slot["available"]]


def test_booked_and_back(demo):
    """A booked slot is gone and cannot be booked twice; cancelled, it is back; a repeated cancel is no error."""
    for name, about in connections(demo).items():
        before = free(demo, name, about["time_zone"])
        wanted = {"slot_id": before[len(before) // 2], "customer": customer(demo, name)}
        status, booking = call(demo, "POST", f"{name}/bookings", wanted)
        assert 201 == status
        during = free(demo, name, about["time_zone"])
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
        assert before == free(demo, name, about["time_zone"])
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


def seen(demo, name, about):
    """Give what a connection shows of each resource of the contract that it has."""
    found = {"Connection": [about]}
    for resource, path in (("Service", "services"), ("Resource", "resources"), ("Location", "locations")):
        if about["capabilities"][f"{path}.list"]["support"] != "unsupported":
            found[resource] = call(demo, "GET", f"{name}/{path}")[1]["data"]
    found["Slot"] = call(demo, "GET", f"{name}/slots?{window(about['time_zone'], 3)}")[1]["data"]
    slot = free(demo, name, about["time_zone"], 3)[0]
    booking = {"slot_id": slot, "customer": customer(demo, name)}
    found["Booking"] = [call(demo, "POST", f"{name}/bookings", booking)[1]]
    return found


def test_the_same_shape(demo):
    """Every connection gives all required fields of the contract; what two of them give is of the same JSON type."""
    shown = {name: seen(demo, name, about) for name, about in connections(demo).items()}
    for resource in ("Connection", "Service", "Resource", "Location", "Slot", "Booking"):
        fields = load().resources[resource].fields
        required = {name for name, field in fields.items() if field.required}
        told = {name: found[resource] for name, found in shown.items() if resource in found}
        assert len(told) > 1
        places = {}
        for name, rows in told.items():
            assert rows, (name, resource)
            assert [] == [row for row in rows if not required <= row.keys() <= {*fields, "warnings"}], (name, resource)
            for place, kind in kinds(rows).items():
                if not place.startswith("[].capabilities"):
                    places.setdefault(place, {}).setdefault(frozenset(kind), []).append(name)
        assert len([place for place, by in places.items() if sum(map(len, by.values())) > 1]) > 3
        assert {} == {place: by for place, by in places.items() if len(by) > 1 or len(next(iter(by))) > 1}
