"""What a caller sends: what is wrong is said in a 4xx, and nothing of it reaches the provider."""

import asyncio
import gzip
import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis

from gateway.surface.app import build_app

BOOKINGS = "/v1/club-a/bookings"
JSON = {"Content-Type": "application/json"}
GOOD = '"start": "2026-03-19T09:00:00+01:00", "end": "2026-03-19T10:00:00+01:00", "resource_id": "c1"'


def body(more):
    """Give the text of a booking with more in it."""
    return f'{{{GOOD}, "customer": {{"name": "Ada"}}, {more}}}'.encode()


def fields(error):
    """Give the places that an error names."""
    return [one["field"] for one in error["details"]["fields"]]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"{", "is not JSON at line 1, column 2"),
        (b"", "`customer` is required"),
        (b"null", "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"{} {}", "is not JSON at line 1, column 4"),
        (b"{'a': 1}", "is not JSON"),
        (body('"notes": NaN'), "contains NaN"),
        (body('"notes": -Infinity'), "contains -Infinity"),
        (body('"quantity": 1e400'), "contains a number too large"),
        (body(f'"quantity": {"9" * 5000}'), "contains an integer of more than"),
        (body('"notes": "a", "notes": "b"'), "repeats a key"),
        (body('"metadata": ' + '{"a":' * 5000 + "1" + "}" * 5000), "is nested deeper than"),
        (body('"notes": "\\ud800"'), "contains half of a surrogate pair"),
        (body('"notes": "x"').replace(b"x", b"\xff"), "is not UTF-8"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        ("{}".encode("utf-16"), "is not UTF-8"),
    ],
)
async def test_malformed(call, provider, sent, said):
    """What is no strict JSON object is 400 and says why."""
    status, found, _ = await call("POST", BOOKINGS, data=sent, headers=JSON)
    assert (400, "VALIDATION_ERROR") == (status, found["error"]["code"])
    assert said in found["error"]["message"]
    assert [] == provider.asked


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('"custmer": {}, "x": 1', ["custmer", "x"]),
        ('"notes": 5', ["notes"]),
        ('"quantity": "60"', ["quantity"]),
        ('"quantity": true', ["quantity"]),
        ('"quantity": 1.5', ["quantity"]),
        ('"service_id": "a\\r\\nX-Evil: 1"', ["service_id"]),
        ('"service_id": ".."', ["service_id"]),
        ('"notes": "\\u0000"', ["notes"]),
        ('"id": "7"', ["id"]),
        ('"include": ["provider_data"]', ["include"]),
    ],
)
async def test_wrong_fields(call, provider, more, named):
    """Each field that is unknown, of the wrong type or dangerous is named; nothing is guessed."""
    status, found, _ = await call("POST", BOOKINGS, data=body(more), headers=JSON)
    assert (400, named) == (status, fields(found["error"]))
    assert [] == provider.asked


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", ["limit"]),
        ("limit=201", ["limit"]),
        ("limit=ten", ["limit"]),
        ("limit=1&limit=2", ["limit"]),
        ("stauts=confirmed", ["stauts"]),
        ("status=confirmd", ["status.0"]),
        ("include=everything", ["include.0"]),
        ("from=2026-03-19T08:30:00+01:00", ["from"]),  # the plus is a blank
        ("from=%ff", ["query"]),
        ("from=%zz", ["query"]),
        ("email=a%0d%0ab@c.example", ["email"]),
        ("sort=name", ["sort"]),
    ],
)
async def test_wrong_query(call, client, provider, query, named):
    """Queries are held to the same."""
    status, found, _ = await _raw(client, f"GET {BOOKINGS}?{query}")
    assert (400, named) == (status, fields(found["error"]))
    assert [] == provider.asked


@pytest.mark.parametrize("more", ["no_show", "cancel", ""])
@pytest.mark.parametrize(
    "segment", ["..", ".", "%2e%2e", "%2E.", "..%2F..%2Fadmin", "a%00b", "a%0d%0aX", "%ff", "%zz", "%20", "x" * 256]
)
async def test_traversal(client, provider, segment, more):
    """An id that would climb the path, break a line or is no text never reaches a URL of the provider."""
    method = "POST" if more else "GET"
    status, _, _ = await _raw(client, f"{method} {BOOKINGS}/{segment}{'/' if more else ''}{more}")
    assert status in {400, 404, 501}
    assert [] == provider.asked


@pytest.mark.parametrize(
    ("segment", "sent"),
    [
        ("a%2Fb", "a%2Fb"),
        ("a%2fb", "a%2Fb"),
        ("a%252Fb", "a%252Fb"),
        ("a..b%2F.c", "a..b%2F.c"),
        ("%7B7%7D", "%7B7%7D"),
        ("%C3%A9+~", "%C3%A9%2B~"),
        ("a%3Fb%23c", "a%3Fb%23c"),
    ],
)
async def test_ids_stay_one_segment(client, provider, segment, sent):
    """An id is decoded once and encoded once: whatever is in it, it stays one segment of the provider's path."""
    status, found, _ = await _raw(client, f"GET {BOOKINGS}/{segment}")
    assert (404, "BOOKING_NOT_FOUND") == (status, found["error"]["code"])
    assert [("GET", f"/bookings/{sent}", None)] == provider.asked


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (None, 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin-1", 415),
        ("application/jsonp", 415),
        ("application/json", 400),
        ("Application/JSON; charset=UTF-8", 400),
        ("application/merge-patch+json", 400),
    ],
)
async def test_declared(call, provider, kind, status):
    """A body is JSON in UTF-8 and says so; a page's form cannot be passed off as one."""
    found, _, _ = await call("POST", BOOKINGS, data=b"{}", headers={"Content-Type": kind} if kind else {})
    assert status == found
    assert [] == provider.asked


async def test_sizes(call, provider):
    """A body beyond the limit is 413: declared so, sent in pieces, or large only once it is unpacked."""

    async def pieces():
        for _ in range(80):
            yield b" " * 1024

    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 64 * 1024
    for sent, headers in [
        (io.BytesIO(b" " * 10_000_000), JSON),
        (pieces(), JSON),
        (bomb, JSON | {"Content-Encoding": "gzip"}),
    ]:
        status, found, _ = await call("POST", BOOKINGS, data=sent, headers=headers)
        assert (413, "VALIDATION_ERROR") == (status, found["error"]["code"])
    assert [] == provider.asked


@pytest.mark.parametrize("sent", [b"garbage", gzip.compress(b'{"a": 1}' * 99, mtime=0)[:-12], b"\x1f\x8b"])
async def test_corrupt_compression(call, provider, sent):
    """A body that is not what Content-Encoding says is the caller's mistake."""
    status, found, _ = await call("POST", BOOKINGS, data=sent, headers=JSON | {"Content-Encoding": "gzip"})
    assert (400, "VALIDATION_ERROR") == (status, found["error"]["code"])
    assert [] == provider.asked


@pytest.mark.parametrize("coding", ["snappy", "gzip, snappy", "compress"])
async def test_unknown_codings(call, provider, new, coding):
    """A body in a coding that is not read is refused as such, and not taken for a body without one."""
    headers = JSON | {"Content-Encoding": coding}
    status, found, _ = await call("POST", BOOKINGS, data=json.dumps(new).encode(), headers=headers)
    assert (415, "VALIDATION_ERROR") == (status, found["error"]["code"])
    assert [] == provider.asked


async def test_compressed(call, provider, new, booking):
    """A compressed body is read like any other."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    sent = gzip.compress(json.dumps(new).encode())
    status, _, _ = await call("POST", BOOKINGS, data=sent, headers=JSON | {"Content-Encoding": "gzip"})
    assert (201, 1) == (status, len(provider.asked))


async def test_broken_off(client, provider, caplog):
    """A caller that hangs up in the middle of a body is no defect of ours."""
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"POST {BOOKINGS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer web-key-0123456789\r\nContent-Length: 9"
    writer.write(f"{head}\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert [] == provider.asked
    assert [] == [record.message for record in caplog.records if record.message == "crashed"]


async def test_slow(dependencies, settings, aiohttp_client, provider):
    """A body that does not arrive in time is given up, and nobody is asked."""
    client = await aiohttp_client(build_app(replace(settings, timeout=0.2), dependencies))
    status, found, _ = await _raw(
        client, f"POST {BOOKINGS}", "Content-Type: application/json\r\nContent-Length: 9", b"{"
    )
    assert (408, "VALIDATION_ERROR") == (status, found["error"]["code"])
    assert [] == provider.asked


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_bodies_without_use(call, provider, method):
    """A body where none belongs is not ignored: its fields are named."""
    status, found, _ = await call(method, f"{BOOKINGS}/7", json={"force": True})
    assert (400, ["force"]) == (status, fields(found["error"]))
    assert [] == provider.asked


@pytest.mark.parametrize("name", ["If-Match", "If-Unmodified-Since"])
async def test_conditions(call, provider, booking, name):
    """A write that depends on a condition is refused, for nobody would check it; reading does not depend on it."""
    provider.answers["GET /bookings/7"] = (200, {"ok": True, "data": booking})
    status, found, _ = await call("PATCH", f"{BOOKINGS}/7", json={"notes": "x"}, headers={name: '"r1"'})
    assert (400, [name], []) == (status, fields(found["error"]), provider.asked)
    assert 200 == (await call("GET", f"{BOOKINGS}/7", headers={name: '"r1"'}))[0]


async def test_no_body_is_needed(call, provider, booking):
    """Where no field is required, no body and no Content-Type are."""
    provider.answers["POST /bookings/7/cancel"] = (200, {"ok": True, "data": booking})
    status, _, _ = await call("POST", f"{BOOKINGS}/7/cancel")
    assert (200, [("POST", "/bookings/7/cancel", {})]) == (status, provider.asked)


@hypothesis(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=strategies.binary(max_size=60) | strategies.text(r'{}[]",:\ud8ae1.N', max_size=40).map(str.encode))
async def test_any_bytes(call, provider, sent):
    """Whatever the body, the answer is a 400 in the one shape."""
    status, found, _ = await call("POST", BOOKINGS, data=sent, headers=JSON)
    assert (400, "VALIDATION_ERROR") == (status, found["error"]["code"])
    assert [] == provider.asked


async def _raw(client, line, more="", sent=b""):
    """Send a request line as it stands, with the key of `web`; give status, body and nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    key = "Authorization: Bearer web-key-0123456789"
    head = "\r\n".join(filter(None, [f"{line} HTTP/1.1", "Host: x", "Connection: close", key, more]))
    writer.write(f"{head}\r\n\r\n".encode() + sent)
    await writer.drain()
    top = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(int(one.split(":")[1]) for one in top.split("\r\n") if one.startswith("Content-Length"))
    found = json.loads(await reader.readexactly(length))
    writer.close()
    await writer.wait_closed()
    return int(top.split()[1]), found, None
